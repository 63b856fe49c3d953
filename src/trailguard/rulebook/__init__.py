"""Rules, profiles and frameworks, read from data."""
