"""All checks of the tables of a shop as a whole, once every row has been judged by itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pandas as pd

from pricing_core.data import checks, quality
from pricing_core.data.checks import RowNumbers
from pricing_core.data.instruments import check_instrument
from pricing_core.data.quality import Finding
from pricing_core.data.spellings import check_spellings


def whole_findings(
    tables: dict[str, pd.DataFrame],
    numbers: RowNumbers,
    *,
    currency: str,
    margin_assumption: float | None,
    outliers: bool,
) -> tuple[list[Finding], float | None]:
    """Findings about cleaned tables as a whole, and the margin to assume where no cost is known.

    Parameters
    ----------
    tables
        Tables of the shop; ``offers`` is among them.
    numbers
        Table → number of each row in its file, where findings are to name rows.
    currency, margin_assumption
        As chosen.
    outliers
        Whether to look for prices far from the usual.
    """
    findings = quality.check_offers(tables["offers"])
    if tables["offers"].empty:
        return as_whole(findings), margin_assumption
    findings += quality.check_references(tables)
    findings += quality.check_currency(tables["offers"], currency)
    findings += checks.check_suspects(tables, numbers, outliers=outliers)
    findings += checks.check_time(tables["offers"]) + checks.check_variation(tables["offers"])
    findings += checks.check_personal(tables) + check_instrument(tables["offers"]) + check_spellings(tables)
    costs, margin = quality.check_costs(tables, margin_assumption)
    return as_whole(findings + costs), margin


def as_whole(findings: Iterable[Finding]) -> list[Finding]:
    """The same findings, known to be about the tables as a whole."""
    return [replace(finding, scope="tables") for finding in findings]
