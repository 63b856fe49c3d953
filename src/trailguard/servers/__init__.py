"""trailguard as a server: for editors and for assistants, which ask and are answered while somebody works."""
