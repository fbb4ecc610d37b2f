"""A table to which the database itself only lets rows be added."""

from __future__ import annotations

import sqlalchemy as sa

_SQLITE = """CREATE TRIGGER {table}_keeps_{verb} BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, 'the {table} log is append-only'); END"""
_FUNCTION = """CREATE OR REPLACE FUNCTION {table}_keeps() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the {table} log is append-only'; END $$"""
_POSTGRESQL = """CREATE TRIGGER {table}_keeps BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION {table}_keeps()"""


def protect(table: sa.Table) -> None:
    """Have the database refuse updates and deletions of a table's rows, from the moment the table is made.

    This stops accidents and other programs; whoever may change the schema can lift it, which is what the hash chain
    of the audit log is for.
    """
    statements = [
        *(("sqlite", _SQLITE.format(table=table.name, verb=verb)) for verb in ("UPDATE", "DELETE")),
        ("postgresql", _FUNCTION.format(table=table.name)),
        ("postgresql", _POSTGRESQL.format(table=table.name)),
    ]
    for dialect, text in statements:
        sa.event.listen(table, "after_create", sa.DDL(text).execute_if(dialect=dialect))
