"""Automatic choice among families: chance does not choose, a blend answers for its parts, the run says why."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from pricing_core.errors import ConfigError
from pricing_core.evaluate.families import (
    FamilyAnswer,
    FamilyChoice,
    FamilyScore,
    JudgedOffers,
    blend_of,
    choose_family,
    leaderboard,
    score_families,
    value_families,
)
from pricing_core.evaluate.family_values import (
    FORECAST,
    LEAST_EFFECTIVE,
    PAST_OFFERS,
    UNKNOWN,
    FamilyValues,
    JudgedPrices,
)
from pricing_core.evaluate.logged_offers import LoggedOffers
from pricing_core.features import EncodedBatch
from pricing_core.models.blend import BlendedModel
from pricing_core.models.choice import (
    AUTO,
    PREFERRED,
    Candidate,
    blended,
    candidate_families,
    checked_family,
    fit_candidates,
    in_order_of_preference,
    refit,
    telling_rows,
    uncontested,
)
from pricing_core.models.demand_model import FAMILIES, label_of, load_demand_model, save_demand_model
from pricing_core.models.learning_rows import LearningRows, drawn_rows, sells_rarely
from pricing_core.response.price_response import PriceResponse
from pricing_core.workflows.choosing import verdict_on

N = 600
OWN = {"settings": {"l1_logit": {"members": 2, "steps": 6}, "bayes": {"members": 2}}, "quick": False, "random_state": 0}


def score(name: str, value: float, slope: float, loss: float) -> FamilyScore:
    """A line whose losses scatter about its figure."""
    losses = loss + _centered(np.random.default_rng(0 if name == "first" else 1))
    figures = (value, value - 1, value + 1, PAST_OFFERS, slope, slope - 0.2, slope + 0.2, loss, 0.7, 0.8)
    return FamilyScore(name, name, *figures, losses)


def values_of(scores: list[FamilyScore], noise: float = 1.0) -> FamilyValues:
    """Rows behind the values of the lines; they share most of their noise, and one more family judges them."""
    rng = np.random.default_rng(5)
    shared, prices = rng.normal(0, 1, N), []
    for each in scores:
        rows = each.policy_value + shared - shared.mean() + noise * _centered(rng)
        prices.append(JudgedPrices((each.family,), np.tile(rows, (3, 1)), np.zeros((3, N)), True))
    return FamilyValues(prices, ["first", "second", "judge"], np.ones((3, N)), np.arange(N))


def choice(scores: list[FamilyScore], noise: float = 1.0) -> FamilyChoice:
    return choose_family(scores, values_of(scores, noise))


def _centered(rng: np.random.Generator) -> np.ndarray:
    draw = rng.normal(0, 0.2, N)
    return np.asarray(draw - draw.mean())


def test_value_decides_where_it_is_larger_than_its_error() -> None:
    found = choice([score("first", 1.0, 1.0, 0.4), score("second", 1.5, 0.5, 0.9)])
    assert found.family == "second"
    assert "value" in found.reason and "log loss" not in found.reason


def test_a_lead_of_less_than_two_errors_in_value_outweighs_no_sure_lead_in_log_loss() -> None:
    error = 0.2 * 2**0.5 / N**0.5  # of the difference between the values of two lines
    closer, luckier = score("first", 1.0, 1.0, 0.40), score("second", 1 + 1.5 * error, 1.0, 0.50)
    assert choice([luckier, closer]).family == "first"
    assert choice([luckier, replace(closer, policy_value=1 - 2.5 * error)]).family == "second"


def test_noise_does_not_choose() -> None:
    found = choice([score("first", 1.0, 1.0, 0.4), score("second", 1.0 + 1e-6, 1.01, 0.4 - 1e-6)])
    assert found.family == "first"
    assert "cannot tell" in found.reason


def test_slope_then_loss_decide_where_value_cannot() -> None:
    by_slope = [score("first", 1.0, 0.4, 0.1), score("second", 1.0, 1.0, 0.9)]
    assert choice(by_slope).family == "second"
    by_loss = [score("first", 1.0, 1.0, 0.9), score("second", 1.0, 1.0, 0.1)]
    found = choice(by_loss)
    assert found.family == "second" and "log loss" in found.reason


def test_the_reason_says_what_each_figure_did() -> None:
    worse, best, likely = score("worse", 0.5, 1.0, 0.1), score("best", 1.0, 1.0, 0.9), score("likely", 1.0, 1.0, 0.2)
    found = choice([worse, best, likely])
    assert found.family == "likely" and found.reason == (
        "likely was chosen among 3: the prices' value on later offers ruled out worse, and could not tell the other 2 "
        "apart (within about two standard errors); log loss decided among these."
    )
    alike = choice([best, likely]).reason
    assert "value on later offers could not tell the 2 apart (within about two standard errors); log loss" in alike
    assert "first of these in the order of preference" in choice([worse, best, replace(best, family="twin")]).reason


def test_unknown_value_leaves_the_word_to_the_other_figures() -> None:
    scores = [score("first", float("nan"), 1.0, 0.9), score("second", 9.0, 1.0, 0.1)]
    assert choice(scores).family == "second"
    assert "only" in choice(scores[:1]).reason


def test_families() -> None:
    assert candidate_families("l1_logit") == ("l1_logit",)
    assert candidate_families(AUTO) == tuple(FAMILIES)
    assert candidate_families(AUTO, quick=True) == ("network",)
    assert checked_family(AUTO) == AUTO
    assert set(PREFERRED) - {"blend"} <= set(FAMILIES)
    with pytest.raises(ConfigError, match="no family"):
        checked_family("crystal_ball")


def offers(answers_of: np.ndarray, seed: int = 0) -> JudgedOffers:
    """Offers at random prices whose chance falls with the price and rises with the answer's first column."""
    rng = np.random.default_rng(seed)
    n = len(answers_of)
    price = rng.uniform(0.5, 1.5, n)
    bought = (rng.random(n) < expit(1 + answers_of - 2 * price)).astype(float)
    one = np.ones(n)
    return JudgedOffers(
        price, 0 * one, one, one, 0.5 * one, 1.5 * one, bought, one, np.arange(n).astype(str).astype(object), one
    )


def answer(name: str, taste: np.ndarray, judged: JudgedOffers) -> FamilyAnswer:
    response = PriceResponse(judged.reference_price, (1 + taste)[:, None], np.full((len(taste), 1), 2.0))
    return FamilyAnswer(name, name, response, response.probability(judged.price), (name,))


def prices_of(name: str, target: np.ndarray, judged: JudgedOffers, wrong: tuple[float, ...]) -> JudgedPrices:
    """Prices judged by forecasts that see each price as this much lower than it is."""
    logged = LoggedOffers(
        judged.price, target, judged.unit_cost, judged.reference_price, judged.purchased, judged.density,
        judged.purchased, judged.purchased, judged.customer_id, judged.weight,
    )  # fmt: skip
    return JudgedPrices.of(
        (name,), logged, [tuple(expit(1 - 2 * (p - w)) for p in (judged.price, target)) for w in wrong]
    )


def families_priced(n: int, wrong: tuple[float, ...]) -> FamilyValues:
    """One family at the price that truly earns most, one far above it, and judges that are wrong by some price."""
    judged = offers(np.zeros(n))
    prices = [prices_of(name, np.full(n, p), judged, wrong) for name, p in (("good", 0.75), ("dear", 1.3))]
    names = [f"judge {k}" for k in range(len(wrong))]
    return FamilyValues(prices, names, np.ones((len(wrong), n)), np.arange(n))


def test_a_small_sure_gap_drops_no_family_where_a_large_unsure_one_stays() -> None:
    # By little and surely behind the best; far behind, nobody knows how surely; its slope is the best by far.
    scores = [score("best", 1.0, 0.0, 0.4), score("near", 0.98, 0.9, 0.45), score("far", 0.7, 0.2, 0.3)]
    values = values_of(scores, noise=0.02)
    loud = values.prices[2].claims + 60 * _centered(np.random.default_rng(6))
    values = replace(values, prices=[*values.prices[:2], replace(values.prices[2], claims=loud)])
    gaps = [values.difference(0, k) for k in (1, 2)]
    assert gaps[0].value > 2 * gaps[0].error and gaps[1].value < gaps[1].error
    assert choose_family(scores, values).family == "near"
    # Without the one that is far behind, the sure gap counts.
    pair = replace(values, prices=values.prices[:2])
    assert choose_family(scores[:2], pair).family == "best"


def test_outcomes_correct_judges_that_are_all_wrong_and_the_difference_is_surer_than_either_value() -> None:
    values = families_priced(6_000, (0.8, 0.7))
    truth = [p * expit(1 - 2 * p) for p in (0.75, 1.3)]
    gap = values.difference(0, 1)
    assert gap.basis == PAST_OFFERS
    assert abs(gap.value - (truth[0] - truth[1])) < 3 * gap.error
    assert gap.value == pytest.approx(-values.difference(1, 0).value)
    for k in (0, 1):
        assert abs(values.value(k).value - truth[k]) < 3 * values.value(k).error
    levels = values.levels()
    assert levels[0] - levels[1] == pytest.approx(gap.value)


def test_where_few_offers_are_near_the_others_forecast_and_disagreement_widens_the_range() -> None:
    few, one = families_priced(LEAST_EFFECTIVE, (0.8, 0.1)), families_priced(LEAST_EFFECTIVE, (0.8,))
    assert few.value(0).basis == FORECAST and one.value(0).basis == UNKNOWN
    agreed = families_priced(LEAST_EFFECTIVE, (0.8, 0.8))
    assert few.difference(0, 1).error > 2 * agreed.difference(0, 1).error
    # The judges forecast that the dear price earns more, without a doubt, and yet they do not decide.
    assert agreed.difference(1, 0).value > 0
    scores = [score("good", 1.0, 1.0, 0.4), score("dear", 2.0, 1.0, 0.4)]
    assert choose_family(scores, agreed).family == "good"


def test_nobody_judges_itself_and_weak_judges_stand_aside_where_there_are_two_better_ones() -> None:
    values = values_of([score("first", 1.0, 1.0, 0.4), score("second", 1.5, 1.0, 0.4)])
    assert values._judges(("first",)) == [1, 2] and values._judges(("first", "second")) == [2]
    two = replace(values, prices=values.prices[:2], judges=["first", "second"], losses=values.losses[:2])
    assert two.difference(1, 0).value == pytest.approx(0.5)  # outcomes correct both, who then judge both
    alone = replace(values, prices=values.prices[:1], judges=["first"], losses=values.losses[:1])
    assert alone.value(0).basis == UNKNOWN and np.isnan(alone.levels()).all()
    rng = np.random.default_rng(0)
    losses = 0.4 + np.stack([shift + 0.01 * _centered(rng) for shift in (0.3, 0.0, 0.001, 0.2)])
    strict = FamilyValues([], ["poor", "best", "near", "weak"], losses, np.arange(N))
    assert strict._judges(()) == [1, 2]
    assert strict._judges(("best",)) == [2, 3]


def test_a_family_without_competitors_says_why() -> None:
    assert uncontested("l1_logit", "l1_logit", quick=True).startswith("L1 logit was named for this training")
    assert "in a full one the kinds compete" in uncontested("auto", "network", quick=True)
    assert "instrument" in uncontested("auto", "network", quick=False)


def test_families_have_a_label_also_in_a_list_of_old_runs() -> None:
    assert (label_of("l1_logit"), label_of("blend")) == ("L1 logit", "Blend")
    assert (label_of(None), label_of(float("nan")), label_of("of_tomorrow")) == (None, None, "of_tomorrow")


def test_a_blend_takes_families_that_err_apart_and_leaves_out_one_that_only_errs() -> None:
    rng = np.random.default_rng(3)
    taste = rng.normal(0, 1, 4_000)
    judged = offers(taste)
    one, two = (taste + rng.normal(0, 0.8, len(taste)) for _ in range(2))
    answers = [answer("one", one, judged), answer("two", two, judged), answer("worse", -3 * taste, judged)]
    assert set(blend_of(answers, judged)) == {"one", "two"}


def test_the_leaderboard_has_a_line_for_each_and_marks_the_chosen_one() -> None:
    taste = np.random.default_rng(4).normal(0, 1, 12_000)
    judged = offers(taste)
    answers = [answer("blind", 0 * taste, judged), answer("seeing", taste, judged)]
    values = value_families(judged, answers)
    scores = score_families(judged, answers, values)
    chosen = choose_family(scores, values).family
    assert chosen == "seeing"
    lines = leaderboard(scores, chosen, {"seeing": 1.5}, {"seeing": 20})
    assert [line["chosen"] for line in lines] == [False, True]
    assert set(lines[0]) == {
        "family", "label", "policy_value", "policy_low", "policy_high", "policy_basis", "price_slope",
        "price_slope_low", "price_slope_high", "log_loss", "auc", "accuracy", "seconds", "size_bytes", "chosen",
    }  # fmt: skip
    assert lines[1]["log_loss"] < lines[0]["log_loss"] and lines[1]["auc"] > lines[0]["auc"]


def market(n: int, seed: int) -> LearningRows:
    """Taste and price sensitivity that are linear in three attributes, at random prices."""
    rng = np.random.default_rng(seed)
    z = rng.normal(0, 1, (n, 3)).astype(np.float32)
    x = rng.uniform(0.6, 1.4, n)
    y = (rng.random(n) < expit(2 + z[:, 0] - np.exp(0.8 + 0.3 * z[:, 1]) * x)).astype(float)
    empty = np.zeros((n, 1), dtype=np.float32)
    batch = EncodedBatch(
        z, empty, empty, np.ones(n, dtype=np.int32), np.zeros((n, 1, 8), dtype=np.float32), empty.astype(np.int32),
        empty, np.ones(n, dtype=np.float32), tuple((f"z{k}", "customer", (k,)) for k in range(3)), 1,
    )  # fmt: skip
    return LearningRows(batch, x, y, np.arange(n).astype(str).astype(object), np.ones(n), np.arange(n) * 20 // n)


@pytest.fixture(scope="module")
def rows() -> LearningRows:
    return market(3_000, 0)


@pytest.fixture(scope="module")
def candidates(rows: LearningRows) -> list[Candidate]:
    late = np.arange(3_000) >= 2_400
    return fit_candidates(("l1_logit", "bayes"), rows.take(~late), rows.take(late), **OWN)  # type: ignore[arg-type]


def test_known_truth_is_found(rows: LearningRows, candidates: list[Candidate]) -> None:
    late = rows.take(np.arange(3_000) >= 2_400)
    one = np.ones(600)
    judged = JudgedOffers(late.x, 0 * one, one, one, 0.6 * one, 1.4 * one, late.y, one / 0.8, late.customer_id, one)
    verdict = verdict_on(candidates, late, judged, few=False)
    assert verdict.family == "l1_logit" and verdict.parts == ("l1_logit",)
    assert verdict.reason.startswith("L1 logit")
    assert [line["family"] for line in verdict.leaderboard] == ["l1_logit", "bayes"]
    assert all(line["size_bytes"] > 0 and line["seconds"] > 0 for line in verdict.leaderboard)


def test_a_blend_answers_with_the_draws_of_its_parts_also_after_a_refit_and_from_disk(
    rows: LearningRows, candidates: list[Candidate], tmp_path: Path
) -> None:
    both = blended(candidates, ("l1_logit", "bayes"), quick=False, random_state=0)
    assert in_order_of_preference([*candidates, both])[0] is both
    model = refit(both.model, rows, **OWN)  # type: ignore[arg-type]
    assert isinstance(model, BlendedModel) and model.lengths_ == {c.family: c.model.epochs_ for c in candidates}
    one = np.ones(rows.batch.n)
    response = model.respond(rows.batch, one)
    parts = [part.respond(rows.batch, one) for part in model.parts_]
    assert response.draws == sum(part.draws for part in parts)
    assert len(set(response.draw_member)) == sum(len(set(part.draw_member)) for part in parts)
    mean = sum(part.draws * part.probability(rows.x) for part in parts) / response.draws
    np.testing.assert_allclose(response.probability(rows.x), mean)
    save_demand_model(model, tmp_path)
    again = load_demand_model(tmp_path)
    np.testing.assert_allclose(again.respond(rows.batch, one).intercept, response.intercept)


def test_where_few_offers_sell_all_purchases_teach_and_a_sample_of_refusals_stands_for_all(rows: LearningRows) -> None:
    assert telling_rows(rows, 3_000) is rows
    assert not sells_rarely(rows.y, rows.weight)
    some = telling_rows(rows, 1_000)  # whole customers, each offer for itself
    assert some.batch.n == 1_000 and (some.weight == 1).all()
    early = np.arange(2_500)
    for limit in (1_000, 2_500):
        chosen, alike = telling_rows(rows, limit, early), telling_rows(rows.take(early), limit)
        np.testing.assert_array_equal(chosen.x, alike.x)
        np.testing.assert_array_equal(chosen.batch.customer, alike.batch.customer)
    rare = replace(rows, y=(np.arange(3_000) % 40 == 7).astype(float), weight=np.linspace(1, 2, 3_000))
    kept = telling_rows(rare, 400)
    assert kept.batch.n == 400 and kept.y.sum() == rare.y.sum() == 75
    for sold in (0, 1):
        assert kept.weight[kept.y == sold].sum() == pytest.approx(rare.weight[rare.y == sold].sum())
    assert (np.diff(kept.customer_id.astype(int)) > 0).all()  # in the order of time
    assert telling_rows(rare, 100).weight.max() <= 2  # too many purchases for so few rows
    assert drawn_rows(rare, np.arange(3_000), 400, np.random.default_rng(0)).y.sum() == 75
    plain = drawn_rows(rows, np.arange(3_000), 400, np.random.default_rng(0))
    assert plain.batch.n == 400 and (plain.weight == 1).all()
