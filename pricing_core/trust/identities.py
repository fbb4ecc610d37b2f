"""The way back from a pseudonym to the shop's own id, kept apart from all data, readable by its owner only.

Models, pages and stored tables know customers by pseudonym. A price list that a shop's system has to read needs the
shop's ids; they are put back only into the file that the user takes away. Deleting this table makes the pseudonyms
final.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pandas as pd

from pricing_core.drafts import draft_path
from pricing_core.errors import WorkspaceError

FILE_NAME: Final = "customer_ids.parquet"


class IdentityTable:
    """Pairs of pseudonym and id in one file (mode 0600, written whole or not at all).

    Parameters
    ----------
    folder
        The workspace.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME

    def remember(self, pseudonyms: pd.Series, ids: pd.Series) -> None:
        """Add pairs; pairs known already stay."""
        pairs = pd.DataFrame({"pseudonym": pseudonyms.astype(str), "customer_id": ids.astype(str)})
        known = self._read()
        merged = pd.concat([known, pairs], ignore_index=True).drop_duplicates("pseudonym")
        if len(merged) == len(known):
            return
        draft = draft_path(self._path)
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                merged.to_parquet(file, index=False)
            os.replace(draft, self._path)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise WorkspaceError(f"The table of customer ids cannot be written: {error.strerror}.") from error

    def restore(self, pseudonyms: pd.Series) -> pd.Series:
        """The shop's own ids; what is not in the table stays as it is."""
        known = self._read().set_index("pseudonym")["customer_id"]
        if known.empty:
            return pseudonyms
        return pseudonyms.map(known).fillna(pseudonyms)

    def _read(self) -> pd.DataFrame:
        if not self._path.exists():
            return pd.DataFrame({"pseudonym": pd.Series(dtype=str), "customer_id": pd.Series(dtype=str)})
        try:
            return pd.read_parquet(self._path)
        except (OSError, ValueError) as error:
            raise WorkspaceError(
                "The table of customer ids is damaged.", fix="Delete it and import the data again."
            ) from error
