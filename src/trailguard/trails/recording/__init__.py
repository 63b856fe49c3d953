"""What a trail records: selectors, events, insights."""
