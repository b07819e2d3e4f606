"""The revisions of the tables in PostgreSQL."""
