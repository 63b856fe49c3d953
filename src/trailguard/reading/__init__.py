"""Finds the files to look at, and which templates belong together."""
