"""Candidates for the behavior model: which families run, fitted on earlier offers, and the chosen one fitted on all."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from pricing_core.errors import ConfigError
from pricing_core.models.blend import BlendedModel
from pricing_core.models.demand_model import BLEND, FAMILIES, NETWORK, DemandModel, family, save_demand_model
from pricing_core.models.learning_rows import Ints, LearningRows, of_few_customers, sells_rarely, thinned_refusals
from pricing_core.progress import Progress, SilentProgress, SubProgress

AUTO: Final = "auto"
"""Name of the automatic choice among the families."""

PREFERRED: Final = (BLEND, NETWORK, "taste_network", "two_output_trees", "l1_logit", "monotone_trees")
"""Order of preference among candidates that later offers cannot tell apart."""

FEW_OFFERS: Final = 30_000
"""Most offers with which a blend is a candidate, and with which earlier offers judge the candidates beside later ones.

With more, one family is as good and easier to explain, and later offers alone can tell the candidates apart.
"""

_ROWS = 30_000  # of earlier offers from which challengers learn while they are judged


@dataclass(frozen=True)
class Candidate:
    """A family fitted on earlier offers, with the seconds that this took and its size on disk."""

    family: str
    label: str
    model: DemandModel
    seconds: float
    size_bytes: int


@dataclass(frozen=True)
class Verdict:
    """Name of the chosen family, why in one sentence, and one line per candidate for the Models page.

    ``parts`` are the families that the chosen one is made of.
    """

    family: str
    reason: str
    parts: tuple[str, ...]
    leaderboard: list[dict[str, Any]] = field(default_factory=list)


Settings = Mapping[str, Mapping[str, Any]]


def candidate_families(name: str, *, quick: bool = False) -> tuple[str, ...]:
    """Families that run: the named one alone; for the automatic choice all, in a quick training the network alone.

    Raises
    ------
    ConfigError
        If there is no family of that name.
    """
    if name != AUTO:
        return (family(name).name,)
    return (NETWORK,) if quick else tuple(FAMILIES)


def uncontested(name: str, chosen: str, *, quick: bool) -> str:
    """Why a family stands without competitors, in one sentence.

    Parameters
    ----------
    name
        What was asked for: a family, or the automatic choice.
    chosen
        The family that was trained.
    """
    label = family(chosen).label
    if name != AUTO:
        return f"{label} was named for this training, so that no other kind of model competed."
    if quick:
        return f"A quick training takes the {label.lower()} without a contest; in a full one the kinds compete."
    return f"Only the {label.lower()} can use an instrument, so that no other kind of model competed."


def fit_candidates(
    names: Sequence[str],
    learn: LearningRows,
    held_out: LearningRows,
    *,
    settings: Settings,
    quick: bool,
    random_state: int,
    progress: Progress | None = None,
) -> list[Candidate]:
    """Fit each family on earlier offers; later ones only say how long it learns.

    The first family learns from all of these rows, the others from a part of them where there are many
    (:func:`telling_rows`), which is enough to tell them apart and keeps a training short.

    Parameters
    ----------
    settings
        In place of the defaults, by family.
    """
    progress = progress or SilentProgress()
    few = telling_rows(learn, _ROWS)
    # The first family is the one that takes long; the others share the rest of the time.
    ends = np.append([0.0], np.linspace(0.6, 1.0, len(names))) if len(names) > 1 else np.array([0.0, 1.0])
    found = []
    for k, name in enumerate(names):
        kind, part = family(name), SubProgress(progress, float(ends[k]), float(ends[k + 1]))
        part.stage("Behavior model", 0.0, f"{kind.label}: learning from earlier offers")
        started = time.monotonic()
        model = kind.new(settings.get(name), random_state=random_state, quick=quick)
        model.choose_epochs(learn if k == 0 else few, held_out, part)
        found.append(Candidate(name, kind.label, model, time.monotonic() - started, _size(model)))
    return found


def blended(candidates: Sequence[Candidate], parts: Sequence[str], *, quick: bool, random_state: int) -> Candidate:
    """Candidate that averages some of the others."""
    chosen = [candidate for candidate in candidates if candidate.family in parts]
    model = BlendedModel.of([c.model for c in chosen], quick=quick, random_state=random_state)
    label = "Blend of " + " and ".join(c.label for c in chosen)
    return Candidate(BLEND, label, model, sum(c.seconds for c in chosen), sum(c.size_bytes for c in chosen))


def chosen_model(candidates: Sequence[Candidate], verdict: Verdict, *, quick: bool, random_state: int) -> DemandModel:
    """Model of the chosen candidate, as fitted on earlier offers."""
    if verdict.family == BLEND:
        return blended(candidates, verdict.parts, quick=quick, random_state=random_state).model
    return next(candidate.model for candidate in candidates if candidate.family == verdict.family)


def in_order_of_preference(candidates: Sequence[Candidate], *, few: bool = False) -> list[Candidate]:
    """Candidates, the preferred one first; families without a place in the order stand behind those with one.

    Where offers are ``few`` the taste network stands first: the deep one has more to learn than they can teach, and a
    blend takes in families that predict as well and price worse.
    """
    place = {name: k for k, name in enumerate(PREFERRED)}
    if few:
        place["taste_network"] = -1
    return sorted(candidates, key=lambda candidate: place.get(candidate.family, len(place)))


def refit(
    chosen: DemandModel,
    rows: LearningRows,
    *,
    settings: Settings,
    quick: bool,
    random_state: int,
    progress: Progress | None = None,
) -> DemandModel:
    """Fit the chosen family on all rows for as long as it chose on earlier ones."""
    progress = progress or SilentProgress()
    parts = chosen.parts_ if isinstance(chosen, BlendedModel) else [chosen]
    fitted: list[DemandModel] = []
    for k, part in enumerate(parts):
        own = SubProgress(progress, k / len(parts), (k + 1) / len(parts))
        new = family(part.family).new(settings.get(part.family), random_state=random_state, quick=quick)
        most = getattr(new.config, "max_rows", rows.batch.n) if sells_rarely(rows.y, rows.weight) else rows.batch.n
        fitted.append(new.fit(telling_rows(rows, most), part.epochs_, own))
    if isinstance(chosen, BlendedModel):
        return BlendedModel.of(fitted, quick=quick, random_state=random_state)
    return fitted[0]


def telling_rows(rows: LearningRows, limit: int, among: Ints | None = None) -> LearningRows:
    """At most about ``limit`` rows: those of a share of the customers, or where few offers sell all purchases.

    The refusals of a random sample are then weighted up to stand for all: a few hundred purchases tell a model more
    than a hundred times as many refusals, and a share of the customers would lose most of them. ``among`` are the
    places of the rows to choose from, in order; default: all.
    """
    if among is None and rows.batch.n <= limit:
        return rows
    among = np.arange(rows.batch.n) if among is None else among
    if len(among) <= limit:
        return rows.take(among)
    y, weight = rows.y[among], rows.weight[among]
    if not sells_rarely(y, weight) or y.sum() > limit // 2:
        return rows.take(among[of_few_customers(rows.customer_id[among], limit)])
    index, scaled = thinned_refusals(y, weight, limit)
    return rows.reweighted(among[index], scaled)


def _size(model: DemandModel) -> int:
    """Bytes on disk."""
    with tempfile.TemporaryDirectory() as folder:
        save_demand_model(model, Path(folder))
        return sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())


def checked_family(name: str) -> str:
    """Return a family's name, or the automatic choice's.

    Raises
    ------
    ConfigError
        If there is none of that name.
    """
    if not isinstance(name, str) or (name != AUTO and name not in FAMILIES):
        raise ConfigError(
            f"There is no family of models named {name!r}.", fix=f"Choose {AUTO} or one of {', '.join(FAMILIES)}."
        )
    return name
