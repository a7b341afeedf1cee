"""Forgetting a person or customer, and removing what is older than it has to be kept."""
