"""What a template says, with no idea of what it is about."""
