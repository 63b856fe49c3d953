"""What a fact is, and how a property is read."""
