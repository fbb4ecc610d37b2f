"""Log loss of behavior networks on rows, before calibration."""

from __future__ import annotations

import numpy as np

from pricing_core.models.learning_rows import LearningRows
from pricing_core.models.serving import ServingNetwork


def network_log_loss(networks: list[ServingNetwork], rows: LearningRows) -> float:
    """Log loss of the average probability of all draws at the logged price, before calibration."""
    total = np.zeros(rows.batch.n)
    for network in networks:
        intercept, sensitivity = network.curves(rows.batch)
        logit = intercept - sensitivity * rows.x[:, None]
        if rows.residual is not None:
            logit = logit + np.repeat(network.weights["control"], 2) * rows.residual[:, None]
        total += (1 / (1 + np.exp(-logit))).mean(axis=1)
    p = np.clip(total / len(networks), 1e-7, 1 - 1e-7)
    return float(-np.average(rows.y * np.log(p) + (1 - rows.y) * np.log(1 - p), weights=rows.weight))
