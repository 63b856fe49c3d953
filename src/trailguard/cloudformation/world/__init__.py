"""Which templates make, or import from, each other's stacks."""
