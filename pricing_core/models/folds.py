"""Two halves of the customers, the same whatever the customers are called.

Ids may be keyed pseudonyms, which differ from workspace to workspace. A customer is therefore labelled by the order
of their first logged offer, so that one seed gives one price list wherever the data were imported.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Texts = NDArray[np.object_]

N_FOLDS = 2


def customer_labels(customer_id: pd.Series, log: pd.DataFrame) -> Texts:
    """Label of each customer (n,): the place of their first offer among all customers' first offers.

    Parameters
    ----------
    customer_id
        Ids to label.
    log
        Logged offers; offers of one moment are ordered by product, then as they stand.

    Returns
    -------
    ndarray of text
        A customer without a logged offer is labelled by the id itself.
    """
    ordered = log.sort_values(["offered_at", "product_id"], kind="stable")["customer_id"].astype(str)
    place = pd.Index(ordered.unique()).get_indexer(pd.Index(customer_id.astype(str)))
    return np.where(place >= 0, place.astype(str).astype(object), customer_id.astype(str).to_numpy(dtype=object))


def customer_fold(label: Texts) -> Ints:
    """Half of the customers, 0 or 1, to which a label belongs, (n,)."""
    hashed = pd.util.hash_array(np.asarray(label, dtype=object).astype(str).astype(object), categorize=True)
    return (hashed >> np.uint64(7)).astype(np.int64) % N_FOLDS
