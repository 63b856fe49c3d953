"""The facts of a trail and what delivers its logs: the only package that knows what CloudTrail needs."""
