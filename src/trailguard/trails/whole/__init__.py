"""What is said of a trail or a template as a whole."""
