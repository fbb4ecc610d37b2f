"""Plan a price test, hand out the assignment, and read the result: composition of evaluate and store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import pandas as pd

from pricing_core.data.clean import clean_table
from pricing_core.data.dataset import Dataset
from pricing_core.data.mapping import check_mapping, complete_mapping
from pricing_core.data.options import CleaningOptions
from pricing_core.data.read import File, file_name, read_raw
from pricing_core.errors import ConfigError, DataError
from pricing_core.evaluate.arms import arms_from_words
from pricing_core.evaluate.assignment import Assignment, assign
from pricing_core.evaluate.readout import Readout, read_test
from pricing_core.evaluate.sales import group_of, sales_log
from pricing_core.evaluate.test_design import DesignConfig, DesignResult, design_test
from pricing_core.store import datasets, measurements, pricelists
from pricing_core.store.workspace import Workspace
from pricing_core.trust.identities import IdentityTable
from pricing_core.workflows.importing import pseudonyms_of
from pricing_core.workflows.runs import usual_prices

ARM_COLUMNS = ("arm", "group", "variant", "test_group", "treatment", "bucket", "cell")


@dataclass(frozen=True)
class SavedDesign:
    """A design with its assignment as it lies in the workspace."""

    measurement_id: str
    name: str
    config: DesignConfig
    starts_on: pd.Timestamp
    seed: int
    dataset_id: str
    record: dict[str, Any]
    assignment: pd.DataFrame


@dataclass(frozen=True)
class Outcomes:
    """Outcomes of a test as they were read: usable offers, rows set aside with their reason, and remarks."""

    offers: pd.DataFrame
    set_aside: pd.DataFrame
    remarks: tuple[str, ...] = ()
    rows_in: int = 0
    mapping: dict[str, str] = field(default_factory=dict)
    name: str = ""


def plan_test(
    ws: Workspace, config: DesignConfig, *, promised_rate: float | None = None, dataset_id: str | None = None
) -> DesignResult:
    """What a test of this design can see, from the variation in the shop's own log."""
    dataset = datasets.load_dataset(ws, dataset_id, whole=True)  # each customer counts
    groups = group_of(dataset, config.label) if config.label else None
    return design_test(sales_log(dataset), config, groups=groups, promised_rate=promised_rate)


def promised_by(ws: Workspace, price_list_id: str) -> float:
    """Profit change that a price list promises, as a share of today's profit."""
    return float(pricelists.load_price_list(ws, price_list_id).summary["profit_uplift_rate"])


def save_design(
    ws: Workspace,
    name: str,
    config: DesignConfig,
    *,
    starts_on: pd.Timestamp,
    seed: int = 0,
    plan: Mapping[str, Any] | None = None,
    dataset_id: str | None = None,
) -> str:
    """Draw the assignment of a design, keep both under a name, and return the id."""
    dataset_id = dataset_id or str(datasets.latest_dataset_id(ws))
    dataset = datasets.load_dataset(ws, dataset_id, whole=True)  # each customer counts
    groups = group_of(dataset, config.label) if config.by_label and config.label else None
    made = assign(sales_log(dataset), config, starts_on=starts_on, groups=groups, seed=seed)
    return measurements.save_measurement(ws, "design", name, _design_record(made, dataset_id, plan or {}), made.frame)


def load_design(ws: Workspace, name_or_id: str) -> SavedDesign:
    """Open a saved design by its id or its name."""
    listed = measurements.list_measurements(ws, "design")
    known = name_or_id in set(listed["measurement_id"])
    kept = (
        measurements.load_measurement(ws, name_or_id)
        if known
        else measurements.find_measurement(ws, "design", name_or_id)
    )
    record = kept.record
    return SavedDesign(
        measurement_id=kept.measurement_id,
        name=kept.name,
        config=DesignConfig(**record["config"]),
        starts_on=pd.Timestamp(record["starts_on"]),
        seed=int(record["seed"]),
        dataset_id=str(record["dataset_id"]),
        record=record,
        assignment=kept.frame,
    )


def assignment_file(ws: Workspace, design: SavedDesign) -> pd.DataFrame:
    """Table to take away: the shop's own customer ids (or groups, and weeks) and their arms."""
    frame = design.assignment
    if design.config.design == "customer":
        own = IdentityTable(ws.root).restore(frame["unit"])
        return pd.DataFrame({"customer_id": own, "arm": frame["arm"]}).sort_values("customer_id", ignore_index=True)
    named = (design.config.label or "shop").partition(": ")[2] or "shop"
    if design.config.design == "label":
        return pd.DataFrame({named: frame["unit"], "arm": frame["arm"]})
    dates = {key: frame[key].dt.strftime("%Y-%m-%d") for key in ("week_start", "week_end", "counted_from")}
    return pd.DataFrame({named: frame["unit"], "block": frame["block"], **dates, "arm": frame["arm"]})


def read_outcomes(
    ws: Workspace,
    source: File,
    *,
    mapping: Mapping[str, str] | None = None,
    options: CleaningOptions | None = None,
    dataset_id: str | None = None,
) -> Outcomes:
    """Read a file of outcomes (CSV, Parquet, Excel) as an import of offers would; nothing is lost.

    Columns are recognized by the given mapping, else by that of the last import, else by the usual names. A column
    called arm, group or the like (test / control) becomes ``arm``.

    Raises
    ------
    MappingError
        If a required column is missing.
    DataError
        If no row can be used, or cells can be read in two ways; the message says which.
    """
    raw = read_raw(source)
    name = file_name(source)
    columns = list(raw.frame.columns)
    manifest = datasets.load_manifest(ws, dataset_id)
    known = {key: column for key, column in manifest.mapping.get("offers", {}).items() if column in columns}
    chosen = complete_mapping({**known, **(mapping or {})}, columns, "offers")
    check_mapping(chosen, columns, "offers", name=name)
    sheet = clean_table("offers", raw, chosen, options or CleaningOptions())
    blocking = [finding.message for finding in sheet.findings if finding.severity == "blocking"]
    if blocking:
        raise DataError(f"{name}: {blocking[0]}", fix="Choose how to read such cells and try again.")
    offers, _ = sheet.kept()
    set_aside = sheet.set_aside_frame()
    if offers.empty:
        first = str(set_aside["reason"].iloc[0]) if len(set_aside) else "it has no rows"
        raise DataError(f"{name}: no row can be used; the first is out because {first}.")
    offers = offers.assign(customer_id=pseudonyms_of(ws, offers["customer_id"], manifest.pseudonymized))
    arm = next((column for column in offers.columns if str(column).strip().lower() in ARM_COLUMNS), None)
    if arm is not None:
        offers = offers.assign(arm=arms_from_words(offers[arm]))
    remarks = tuple(finding.message for finding in sheet.findings)
    return Outcomes(offers, set_aside, remarks, len(raw.frame) + len(raw.malformed), chosen, name)


def day(text: str) -> pd.Timestamp:
    """Read a day such as 2026-03-02.

    Raises
    ------
    ConfigError
        If the text is no day.
    """
    try:
        return pd.Timestamp(datetime.strptime(text.strip(), "%Y-%m-%d"))
    except ValueError:
        raise ConfigError(f"{text!r} is no day.", fix="Write it as year-month-day, such as 2026-03-02.") from None


def later_outcomes(ws: Workspace, dataset_id: str | None, starts_on: pd.Timestamp) -> Outcomes:
    """Offers of a stored data set (default: the newest) from the first day of a test on.

    Raises
    ------
    DataError
        If the data end before the test began.
    """
    dataset_id = dataset_id or str(datasets.latest_dataset_id(ws))
    dataset = datasets.load_dataset(ws, dataset_id, whole=True)  # each customer counts
    offers = dataset.offers[dataset.offers["offered_at"] >= starts_on]
    if offers.empty:
        last = f"{dataset.offers['offered_at'].max():%Y-%m-%d}"
        raise DataError(
            f"The data {dataset_id} end on {last}, before the test began on {starts_on:%Y-%m-%d}.",
            fix="Import newer data, or upload the outcomes.",
        )
    return Outcomes(offers.reset_index(drop=True), pd.DataFrame(), (), len(offers), {}, dataset_id)


def read_result(
    ws: Workspace,
    outcomes: Outcomes,
    *,
    design: SavedDesign | None = None,
    config: DesignConfig | None = None,
    name: str | None = None,
    dataset_id: str | None = None,
) -> tuple[str, Readout]:
    """Compare the arms, keep the result and the outcomes under a name, and return its id and the result.

    Parameters
    ----------
    design
        Design saved in the workspace; without it, the outcomes say themselves which arm each row belongs to.
    config
        How to read: confidence, weeks before the test, measure; default: as designed.
    dataset_id
        Where costs and the weeks before the test come from; default: the newest data.
    """
    dataset = datasets.load_dataset(ws, dataset_id, whole=True)  # each customer counts
    config = config or (design.config if design else DesignConfig())
    result = _compare(dataset, outcomes, config, design)
    called = name or (design.name if design else outcomes.name) or "result"
    record = {
        **result.to_dict(),
        "config": asdict(config),
        "table": result.table.to_dict("list"),
        "design": design.name if design else None,
        "source": outcomes.name,
        "rows_in": outcomes.rows_in,
        "set_aside": len(outcomes.set_aside),
        "remarks": list(outcomes.remarks),
    }
    kept = [
        column
        for column in ("customer_id", "product_id", "offered_at", "price", "purchased", "quantity", "unit_cost", "arm")
        if column in outcomes.offers.columns
    ]
    measurement_id = measurements.save_measurement(ws, "readout", called, record, outcomes.offers[kept])
    return measurement_id, result


def _compare(dataset: Dataset, outcomes: Outcomes, config: DesignConfig, design: SavedDesign | None) -> Readout:
    sales = sales_log(dataset, outcomes.offers, usual_price=usual_prices(dataset))
    past = sales_log(dataset)
    offers = outcomes.offers.reset_index(drop=True)
    if design is None and "arm" in offers.columns:
        sales = sales.assign(arm=offers["arm"])
    unit = before_unit = None
    if config.by_label and config.label:
        unit, before_unit = group_of(dataset, config.label, offers), group_of(dataset, config.label)
    return read_test(
        sales,
        config,
        assignment=None if design is None else design.assignment,
        unit=unit,
        before=past,
        before_unit=before_unit,
        starts_on=None if design is None else design.starts_on,
    )


def _design_record(made: Assignment, dataset_id: str, plan: Mapping[str, Any]) -> dict[str, Any]:
    counts = made.frame["arm"].value_counts()
    return {
        "config": asdict(made.config),
        "starts_on": made.starts_on.isoformat(),
        "seed": made.seed,
        "dataset_id": dataset_id,
        "p_value": made.p_value,
        "balance": made.balance.to_dict("list"),
        "n_test": int(counts.get("test", 0)),
        "n_control": int(counts.get("control", 0)),
        "plan": dict(plan),
    }


def unread_tests(ws: Workspace, now: pd.Timestamp | None = None) -> list[tuple[str, pd.Timestamp]]:
    """Tests whose planned time is over and whose result has not been read: name and last day, the latest first."""
    now = now or pd.Timestamp.now(tz="UTC")
    read = {record.get("design") for record in measurements.list_measurements(ws, "readout")["record"]}
    found = []
    for name, record in measurements.list_measurements(ws, "design")[["name", "record"]].itertuples(index=False):
        weeks = DesignConfig(**record["config"]).weeks
        last = pd.Timestamp(record["starts_on"]) + pd.Timedelta(days=7 * weeks - 1)
        if last < now and name not in read:
            found.append((str(name), last))
    return sorted(found, key=lambda test: test[1], reverse=True)
