"""The libraries whose state dicts are known: one file each, which defines LAYOUT."""
