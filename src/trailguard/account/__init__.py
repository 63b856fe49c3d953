"""What exists in AWS accounts, written down as templates: the only part of trailguard that asks AWS anything."""
