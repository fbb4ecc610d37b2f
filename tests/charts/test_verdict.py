"""Whether to believe a run's prices."""

from __future__ import annotations

from typing import Any

from pricing_core.charts.verdict import BAD, GOOD, UNSURE, edge_doubt, verdict

POLICY = {"reliable": True, "uplift": 0.03, "uplift_low": 0.01, "uplift_high": 0.05, "logged_value": 0.6}


def metrics(**changed: Any) -> dict[str, Any]:
    groups = {"n": [500, 500], "predicted_rate": [0.1, 0.3], "observed_rate": [0.11, 0.29],
              "observed_low": [0.08, 0.26], "observed_high": [0.14, 0.33]}  # fmt: skip
    return {
        "log_loss": 0.45, "auc": 0.74, "mean_prediction": 0.2, "base_rate": 0.2, "calibration": groups,
        "price_band_slope": [1.02, 0.9, 1.14], "baselines": {"average of the shop": {"log_loss": 0.5}},
        "policy_value": {"personalized": {**POLICY, "reliable": False}, "product": POLICY},
        "held_out_from": "2025-10-07T00:00:00+00:00", "held_out_offers": 30_600, **changed,
    }  # fmt: skip


def test_all_is_well() -> None:
    found = verdict(metrics())
    assert found.status == GOOD and [check.status for check in found.checks] == [GOOD] * 4
    assert found.sentence == (
        "You can believe these prices: on 30,600 offers since 7 Oct 2025, which it had not seen, the model ranks the "
        "buyer above the refuser in 74 of 100 pairs, and buyers reacted to price as it forecast; offers near one price "
        "per product earned more, too, while too few past offers were near personal prices to say what those earn."
    )
    personal = verdict(metrics(policy_value={"personalized": POLICY})).sentence
    assert personal.endswith("as it forecast; past offers near such prices earned more, too.")
    past = found.checks[3].finding
    assert past == "Offers near one price per product earned more than the prices then charged (+5.0%)"


def test_a_model_that_knows_nothing_or_the_contrary_deserves_no_belief() -> None:
    nothing = verdict(metrics(log_loss=0.51))
    assert nothing.status == BAD and nothing.sentence.endswith("the model knew no more than the shop's average.")
    wrong = verdict(metrics(price_band_slope=[-0.8, -1.2, -0.4]))
    assert wrong.status == BAD and wrong.sentence.endswith("but buyers bought more at higher prices.")


def test_doubts_are_named() -> None:
    weak = verdict(metrics(price_band_slope=[0.4, 0.2, 0.6]))
    assert weak.status == UNSURE
    assert weak.sentence.endswith("but buyers reacted 0.40 times as strongly to price as it forecast.")
    blind = verdict(metrics(price_band_slope=[0.4, -0.2, 1.0]))
    assert blind.sentence.endswith("but they cannot tell how strongly buyers react to price.")
    rough = verdict(metrics(price_band_slope=[0.73, 0.34, 1.12]))
    assert rough.status == UNSURE and rough.sentence.endswith(
        "but they tell only roughly how strongly buyers react to price (0.34 to 1.12 times as strongly as forecast)."
    )
    assert verdict(metrics(price_band_slope=[1.3, 0.6, 1.9])).status == GOOD
    assert verdict(metrics(price_band_slope=[1.3, 0.6, 2.1])).status == UNSURE
    assert verdict(metrics(price_band_slope=[None, None, None])).checks[1].status == UNSURE
    off = verdict(metrics(mean_prediction=0.3))
    assert off.status == UNSURE and "30.0% conversion was forecast and 20.0% came" in off.sentence
    groups = {**metrics()["calibration"], "observed_low": [0.105, 0.31], "observed_rate": [0.11, 0.33]}
    uneven = verdict(metrics(mean_prediction=0.19, calibration=groups))
    assert uneven.status == UNSURE and uneven.sentence.endswith("forecasts hold in 0 of 2 groups of offers.")
    worse = {**POLICY, "uplift": -0.06, "uplift_low": -0.09, "uplift_high": -0.02}
    lost = verdict(metrics(policy_value={"product": worse})).sentence
    assert lost.endswith("offers near one price per product earned less than the prices then charged (−10.0%).")


def test_prices_that_only_the_data_bound_are_to_be_used_with_care() -> None:
    inside = verdict(metrics(endogeneity={"share_at_top": 0.1}))
    assert inside.status == GOOD and inside.checks[4].status == GOOD
    top = verdict(metrics(endogeneity={"share_at_top": 0.97}))
    words = "for 97% of the offers the best price is the highest that the data support, so that they hardly say where"
    assert top.status == UNSURE and top.sentence.endswith(f"74 of 100 pairs, but {words} raising stops paying.")
    assert edge_doubt(metrics(endogeneity={"share_at_top": 0.97})) == (
        f"{words[0].upper()}{words[1:]} raising stops paying: test prices before you follow them."
    )
    assert edge_doubt(metrics(endogeneity={"share_at_top": 0.1})) is None and edge_doubt(metrics()) is None
    assert edge_doubt(metrics(endogeneity={"share_at_top": 0.49})) is None
    assert "For 71% of the offers" in str(edge_doubt(metrics(endogeneity={"share_at_top": 0.71})))
    both = verdict(metrics(price_band_slope=[0.4, 0.2, 0.6], endogeneity={"share_at_top": 0.97})).sentence
    assert both.endswith(f"0.40 times as strongly to price as it forecast, and {words} raising stops paying.")
    assert verdict(metrics(log_loss=0.51, endogeneity={"share_at_top": 0.97})).status == BAD
    known = metrics(endogeneity={"share_at_top": 0.2, "level_held": {"share_at_top": 0.97, "slope_shift": 1.6}})
    assert verdict(known).status == UNSURE
    assert verdict(known).sentence.endswith("would be best for 97% of the offers, so that the price level is held at "
                                            "the shop's own.")  # fmt: skip
    assert str(edge_doubt(known)).endswith("train again with its offers, and say that prices were random.")


def test_past_offers_that_say_nothing_are_no_reason_against_belief() -> None:
    silent = verdict(metrics(policy_value={}))
    assert silent.status == GOOD and silent.checks[3].status == UNSURE
    assert silent.checks[3].finding.startswith("Too few past offers")
    assert silent.sentence.endswith("; too few past offers were near personal prices to say what those earn.")
    between = verdict(metrics(policy_value={"uniform": {**POLICY, "uplift_low": -0.01}}))
    assert between.status == GOOD and "neither clearly more nor clearly less" in between.checks[3].finding
