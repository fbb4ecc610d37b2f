"""Test and control: how files name them, and whether their sizes and their time fit the plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pandas as pd
from scipy.special import chdtrc

TEST: Final = "test"
CONTROL: Final = "control"
SUSPICIOUS: Final = 0.001
"""p below which the arms' sizes do not fit the plan."""

_ARM_WORDS: Final = {
    TEST: ("test", "treatment", "treated", "variant", "b", "new", "1", "true"),
    CONTROL: ("control", "a", "old", "0", "false", "baseline", "holdout"),
}


def arms_from_words(values: pd.Series) -> pd.Series:
    """Read a column of arms: test or control, also as treatment, A and B, 0 and 1 …; missing where it is neither."""
    known = {word: arm for arm, words in _ARM_WORDS.items() for word in words}
    return values.astype("string").str.strip().str.lower().str.removesuffix(".0").map(known).astype(object)


def size_mismatch(seen: Mapping[str, int], share: float) -> float:
    """Sample ratio mismatch: p of a chi-square test (one degree of freedom) of units seen against the planned share.

    References
    ----------
    Fabijan et al. (2019), Diagnosing sample ratio mismatch in online controlled experiments.
    """
    total = sum(seen.values())
    if not 0 < share < 1 or not total:
        return float("nan")
    expected = {TEST: share * total, CONTROL: (1 - share) * total}
    square = sum((seen.get(arm, 0) - count) ** 2 / count for arm, count in expected.items())
    return float(chdtrc(1, square))


def size_warnings(mismatch: float, seen: Mapping[str, int], left_out: Mapping[str, int], n: int) -> tuple[str, ...]:
    """Sentences on arm sizes that do not fit the plan and on offers that were not counted."""
    found = []
    if mismatch < SUSPICIOUS:
        found.append(
            f"The arms have {seen.get(TEST, 0):,} and {seen.get(CONTROL, 0):,} customers, which does not fit the plan "
            f"(p = {mismatch:.1g}): something other than chance decided who was seen. Do not trust the result until "
            "this is explained."
        )
    lost = sum(left_out.values())
    if lost > 0.1 * (lost + n):
        found.append(f"{lost / (lost + n):.0%} of the offers were not counted; check that the file fits the design.")
    return tuple(found)


def early_warnings(days: int, planned: int) -> tuple[str, ...]:
    """Sentence that a test has not run its planned days; none if it has, but for a day."""
    if days >= planned - 1:
        return ()
    return (
        f"The test has run {days} of its {planned} days. Stopping as soon as a result looks good raises false alarms: "
        "decide at the planned end.",
    )
