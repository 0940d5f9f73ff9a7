"""Files beside a database: kept whole and unchanged, in a folder or at a URL."""
