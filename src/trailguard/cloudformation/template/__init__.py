"""What a template says: its sections, loops, includes, references."""
