"""Holds the facts of subjects against rules and makes findings of them."""
