"""One module per format. Each renders a Report, sees nothing else, and knows nothing of its siblings."""
