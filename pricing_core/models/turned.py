"""A demand model whose curves are all turned about the usual price."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np

from pricing_core.models.calibration import CurveCalibration
from pricing_core.models.demand_model import DemandModel


def turned(model: DemandModel, shift: float) -> DemandModel:
    """Return the model with every price sensitivity moved by ``shift``, and the chance at the usual price kept.

    The shift is the same for all customers and counts per unit of relative price; it enters the calibration that every
    family keeps of its draws, so that saving, exported forms and explanations know it as they know the rest of it. A
    model that blends others turns each of them. The given model is left as it is.
    """
    found: Any = copy.copy(model)
    if hasattr(found, "parts_"):
        found.parts_ = [turned(part, shift) for part in found.parts_]
        return found  # type: ignore[no-any-return]
    found.calibrations_ = [_moved(each, shift) for each in found.calibrations_]
    return found  # type: ignore[no-any-return]


def _moved(calibration: CurveCalibration, shift: float) -> CurveCalibration:
    common = np.zeros(len(calibration.slope)) if calibration.common is None else calibration.common
    return replace(calibration, common=common + shift)
