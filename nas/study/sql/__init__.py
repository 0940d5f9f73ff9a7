"""A study in SQL: tables, migrations, claims, workers, on SQLite or PostgreSQL."""
