"""Answers whether a policy document would allow a request."""
