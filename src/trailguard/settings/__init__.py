"""What a user sets: configuration, parameter files, options."""
