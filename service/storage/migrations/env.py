"""What Alembic runs: every pending revision, on the connection it is given, or none at all."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    # SQLite's tables change within transactions; Alembic does not count on it unless told.
    transactional_ddl=True,
)

with context.begin_transaction():
    context.run_migrations()
