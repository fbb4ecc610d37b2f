"""Settings that users write: names, types and ranges, checked before any data are read."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from pricing_core.errors import ConfigError
from pricing_core.models.demand_model import FAMILIES
from pricing_core.models.pricing_model import PricingConfig
from pricing_core.models.settings_check import checked_settings
from pricing_core.models.training import TrainingConfig

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"settings": {"lerning_rate": 0.1}}, "it has none named 'lerning_rate'. Did you mean learning_rate? It has"),
    ({"settings": {"learning_rate": "fast"}}, "learning_rate is 'fast'; it must be a number."),
    ({"settings": {"learning_rate": -1}}, "learning_rate is -1.0; it must be above 0 and at most 1."),
    ({"settings": {"learning_rate": float("nan")}}, "learning_rate is nan; it must be a number."),
    ({"settings": {"batch_size": 1.5}}, "batch_size is 1.5; it must be a whole number."),
    ({"settings": {"batch_size": True}}, "batch_size is true; it must be a whole number."),
    ({"settings": {"batch_size": 0}}, "batch_size is 0; it must be at least 1."),
    ({"settings": {"max_epochs": 10**400}}, "max_epochs is a huge number; it must be a whole number."),
    ({"settings": {"random_state": 3}}, "random_state follows from the seed. Give the training's seed instead."),
    ({"settings": [1, 2]}, "Deep behavior model cannot take these settings: they are a list and must be a table"),
    ({"settings": "fast"}, "they are 'fast' and must be a table of names and values. It has members, max_epochs,"),
    ({"pricing_settings": None}, "they are empty and must be a table of names and values."),
    ({"family": "l1_logit", "settings": {"depth": [1]}}, "depth is a list; it must be a number."),
    ({"family": "monotone_trees", "settings": {"constraint": 1}}, "constraint is 1; it must be a text."),
    ({"pricing_settings": {"n_leaves": 1}}, "n_leaves is 1; it must be at least 2."),
    ({"pricing_settings": {"leaves": 9}}, "Pricing model cannot take these settings: it has none named 'leaves'."),
    ({"seed": -3}, "The seed is -3; it must be a whole number from 0 to 2,147,483,647."),
    ({"seed": 1.5}, "The seed is 1.5; it must be a whole number from 0 to 2,147,483,647."),
]  # fmt: skip


@pytest.mark.parametrize(("given", "message"), WRONG)
def test_a_training_refuses_settings_that_it_cannot_use(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        TrainingConfig(**given)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_values_take_the_type_of_their_setting() -> None:
    behavior = TrainingConfig(settings={"batch_size": 512.0, "weight_decay": 0}).behavior()
    assert (behavior.batch_size, behavior.weight_decay) == (512, 0.0)
    assert (type(behavior.batch_size), type(behavior.weight_decay)) == (int, float)
    assert checked_settings(PricingConfig, {"n_trees": np.int64(7)}, "Pricing model") == {"n_trees": 7}


@pytest.mark.parametrize("name", list(FAMILIES))
def test_every_setting_of_every_family_has_a_type_and_takes_its_own_default(name: str) -> None:
    default = FAMILIES[name].config()
    own = {key: getattr(default, key) for key in (each.name for each in fields(default)) if key != "random_state"}
    assert FAMILIES[name].config(own) == default
    for key in own:
        with pytest.raises(ConfigError, match=f"{key} is a table; it must be"):
            FAMILIES[name].config({key: {}})
