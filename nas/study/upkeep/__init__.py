"""Keeping studies in order: copies, other names, deletion, faults, wider spaces."""
