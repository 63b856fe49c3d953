"""trailguard's rules inside other linters. Each module here is loaded by its host, and by nothing else."""
