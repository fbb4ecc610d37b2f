"""What people say to each other about a price list or one of its prices."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import pandas as pd
import sqlalchemy as sa

from pricing_core.errors import PriceListError
from pricing_core.store import audit, database, list_states, shelf
from pricing_core.store.workspace import Workspace
from pricing_core.trust.access import Actor

LONGEST: Final = 2_000
_TABLE: Final = database.price_list_comments


def add(ws: Workspace, price_list_id: str, text: str, *, actor: Actor, row: int | None = None) -> None:
    """Add a comment.

    Parameters
    ----------
    row
        Position of the price that it is about; None for the whole list.

    Raises
    ------
    PriceListError
        If it is empty or too long, or there is no such price.
    """
    rows = int(shelf.entry(ws, list_states.SHELF, price_list_id).record["rows"])
    said = "".join(c for c in text if c == "\n" or c.isprintable()).strip()
    if not said:
        raise PriceListError("The comment is empty.", fix="Write something.")
    if len(said) > LONGEST:
        raise PriceListError(f"A comment has at most {LONGEST:,} characters; this one has {len(said):,}.")
    if row is not None and not 0 <= row < rows:
        raise PriceListError(f"The list has {rows:,} prices, and a comment is about row {row + 1}.")
    values = {"price_list_id": price_list_id, "row": row, "author": actor.name, "verified": actor.verified}
    with audit.recording(ws) as connection:
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        connection.execute(sa.insert(_TABLE).values(**values, at=at, text=said))
        audit.append(
            connection, actor=actor, action="comment", object_id=price_list_id, after={"row": row, "text": said}
        )  # fmt: skip


def read(ws: Workspace, price_list_id: str) -> pd.DataFrame:
    """Return a list's comments, oldest first: ``row, at, author, verified, text`` (``row`` missing: the whole list)."""
    columns = ["row", "at", "author", "verified", "text"]
    statement = sa.select(*(_TABLE.c[name] for name in columns)).where(_TABLE.c.price_list_id == price_list_id)
    with database.reading(ws) as connection:
        found = connection.execute(statement.order_by(_TABLE.c.number)).all()
    frame = pd.DataFrame([tuple(each) for each in found], columns=columns)
    return frame.assign(at=pd.to_datetime(frame["at"], utc=True), row=frame["row"].astype("Int64"))


def number(ws: Workspace, price_list_id: str) -> int:
    """Return how many comments there are on a list and its prices."""
    statement = sa.select(sa.func.count()).select_from(_TABLE).where(_TABLE.c.price_list_id == price_list_id)
    with database.reading(ws) as connection:
        return int(connection.execute(statement).scalar_one())
