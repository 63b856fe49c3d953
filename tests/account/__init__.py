"""Snapshots of accounts that a server on the loopback plays."""
