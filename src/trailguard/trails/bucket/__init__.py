"""The bucket that a trail writes to: policy, order, exposure, archive."""
