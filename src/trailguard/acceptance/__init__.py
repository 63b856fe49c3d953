"""What somebody accepts: by comments and Metadata, waivers, other linters' comments, a baseline, a revision."""
