"""Stacks that give each other values, made into one template."""
