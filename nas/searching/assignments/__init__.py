"""Runs that are wanted beside a search: written down, and what a worker does for them."""
