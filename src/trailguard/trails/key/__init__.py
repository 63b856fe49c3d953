"""The key that a trail encrypts with."""
