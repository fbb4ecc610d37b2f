"""The shops that come with the project."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pricing_core import schema
from pricing_core.errors import FileReadError

SAMPLE_ROOT: Final = Path(__file__).resolve().parents[2] / "sample_data"


@dataclass(frozen=True)
class SampleSource:
    """Where a sample's files are, and how to import them.

    Attributes
    ----------
    tables
        Table → Parquet file.
    mapping
        Table → field → column; empty where the columns have canonical names already.
    name
        Name shown to the user.
    currency
        ISO 4217 code.
    margin_assumption
        Margin over price to start with where unit costs are missing; None where they are known.
    description
        One or two sentences for the user.
    """

    tables: dict[str, Path]
    mapping: dict[str, dict[str, str]]
    name: str
    currency: str
    margin_assumption: float | None
    description: str


_NAMES: Final = {"demo_shop": "Demo shop (simulated)", "grocery": "Grocery (real)"}
_MARGINS: Final = {"demo_shop": None, "grocery": 0.30}
_DESCRIPTIONS: Final = {
    "demo_shop": (
        "A simulated shop with customers, unit costs, stock, competitor prices and browsing events. Its "
        "true demand is "
        "known, so that the models can be checked against it."
    ),
    "grocery": (
        "Real choice occasions of 300 households of a US grocery chain over one year (dunnhumby, The "
        "Complete Journey). "
        "Refusals are inferred from store visits, and unit costs are not in the data: profit rests on an "
        "assumed margin."
    ),
}

SAMPLE_NAMES: Final = tuple(_NAMES)


def load_sample_sources(name: str, root: Path = SAMPLE_ROOT) -> SampleSource:
    """Return the files of a sample and how to import them.

    Raises
    ------
    FileReadError
        If there is no such sample, or its files are missing.
    """
    if name not in SAMPLE_NAMES:
        raise FileReadError(f"There is no sample {name!r}.", fix=f"Samples are {', '.join(SAMPLE_NAMES)}.")
    folder = root / name
    tables = {table: folder / f"{table}.parquet" for table in schema.TABLES if (folder / f"{table}.parquet").is_file()}
    if "offers" not in tables:
        raise FileReadError(
            f"The sample {name} is missing: there is no sample_data/{name}/offers.parquet.",
            fix="Get the complete project folder again.",
        )
    return SampleSource(tables, {}, _NAMES[name], "USD", _MARGINS[name], _DESCRIPTIONS[name])
