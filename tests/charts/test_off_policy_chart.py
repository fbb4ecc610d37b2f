"""What past offers say, in words and figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pricing_core.charts.off_policy import past_value_data, past_value_figure, sweep_figure
from pricing_core.evaluate.logged_offers import LoggedOffers
from pricing_core.evaluate.policy_value import PolicyValueConfig, policy_value


def logged(shift: float, n: int = 3_000) -> LoggedOffers:
    """Prices around 10 with a spread of 10%; demand 0.9 − 0.4 x, so that cheaper earns less at a cost of zero."""
    rng = np.random.default_rng(0)
    x = rng.normal(1.0, 0.1, n)
    chance = np.clip(0.9 - 0.4 * x, 0, 1)
    target = np.full(n, 10.0 * (1 + shift))
    density = np.exp(-0.5 * ((x - 1) / 0.1) ** 2) / np.sqrt(2 * np.pi) / 0.1
    return LoggedOffers(
        10 * x, target, np.zeros(n), np.full(n, 10.0), (rng.random(n) < chance).astype(float), density, chance,
        np.clip(0.9 - 0.04 * target, 0, 1),
    )  # fmt: skip


def test_a_loss_that_past_offers_show_is_named() -> None:
    data = past_value_data(policy_value(logged(-0.15, 40_000)), currency="USD")
    assert data.finding.startswith("Past offers point to a loss: −")
    assert data.estimates["headline"].sum() == 1
    assert len(data.sweep) == 4 * len(PolicyValueConfig().sweep)


def test_too_thin_evidence_gives_the_reason_and_a_gray_headline() -> None:
    data = past_value_data(policy_value(logged(0.45)), currency="USD")
    assert not data.reliable and "past data cannot say" in data.finding
    colors = past_value_figure(data).data[0].marker.color
    assert set(colors) == {"#7A8896"}


def test_figures_draw_every_estimate_and_every_width() -> None:
    data = past_value_data(policy_value(logged(0.0)), currency="USD")
    dots = past_value_figure(data, currency="USD").data[0]
    assert list(dots.y)[::-1] == data.estimates["name"].tolist()
    lines = sweep_figure(data, currency="USD").data
    assert len(lines) == 4 and all(len(line.x) == 4 for line in lines)


def test_an_answer_that_hangs_on_the_width_says_so() -> None:
    found = policy_value(logged(-0.05))
    assert "hangs on" not in past_value_data(found).finding
    shaken = found.sweep.assign(self_normalized_doubly_robust=found.high + 1.0)
    assert past_value_data(replace(found, sweep=shaken)).finding.endswith("which past prices count as near")
