"""What a strategy's prices would do, which rules stop them, which rows are held, and the job that makes the list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pricing_core.simulate.scenario import Scenario

if TYPE_CHECKING:
    pass

BASE = Scenario()
