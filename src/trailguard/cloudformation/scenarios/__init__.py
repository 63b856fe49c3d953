"""What a template means for each choice of its parameters."""
