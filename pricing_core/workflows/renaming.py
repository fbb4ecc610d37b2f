"""Pseudonyms for the customers of an import, and the way back for those whose data were imported."""

from __future__ import annotations

import pandas as pd

from pricing_core.store.workspace import Workspace
from pricing_core.trust.identities import IdentityTable
from pricing_core.trust.pseudonyms import Pseudonymizer, load_or_create_key


class Renamer:
    """Replaces ids by pseudonyms; the way back is kept apart from the data, once the import has succeeded."""

    def __init__(self, ws: Workspace) -> None:
        self._pseudonym, self._identities = Pseudonymizer(load_or_create_key(ws.key_path)), IdentityTable(ws.root)
        self._pairs: list[tuple[pd.Series, pd.Series]] = []

    def __call__(self, ids: pd.Series) -> pd.Series:
        """Pseudonyms of ids."""
        renamed = self._pseudonym.apply(ids)
        first = ~ids.duplicated() & ids.notna()
        self._pairs.append((renamed[first], ids[first]))
        return renamed

    def remember(self) -> None:
        """Keep the way back from the pseudonyms given."""
        if self._pairs:
            renamed, ids = zip(*self._pairs, strict=True)
            self._identities.remember(pd.concat(renamed, ignore_index=True), pd.concat(ids, ignore_index=True))
