"""Text into nodes that know where they were written."""
