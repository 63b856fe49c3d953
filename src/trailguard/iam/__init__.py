"""Policies: would this request be allowed? It knows nothing of trails."""
