"""Edits of the source text that keep comments and layout, each proven by judging again."""
