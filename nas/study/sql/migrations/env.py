"""Run by Alembic for each upgrade, on the connection and in the transaction that `upgrade` gives it."""

from alembic import context

from nas.study.sql.migrations import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
context.run_migrations()
