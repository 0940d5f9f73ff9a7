"""Makes these modules a package, so that they share factories and may have names that other folders have too."""
