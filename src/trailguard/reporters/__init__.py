"""One module per format, and for HTML a few that are its own.

Each renders a Report, sees nothing else, and knows nothing of its siblings.
"""
