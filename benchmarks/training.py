"""Time and memory of training on the demo shop's 204,000 offers, beside a plain grid search with LightGBM.

``python benchmarks/training.py [--seeds N] [--quick]``. Each training is a process of its own: from the stored data set
to the run in the workspace, with the import of TensorFlow, evaluation and explanation. ``--quick`` leaves the full
training out.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from benchmarks.tables import mean_and_error, print_table, run_measured

PARTS = {
    "full": "this product, full training",
    "quick": "this product, quick training",
    "grid": "LightGBM classifier, grid of 18 with 3 time-ordered folds",
}
TARGETS = {"full": "300", "quick": "60", "grid": ""}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--part", choices=("import", *PARTS), help=argparse.SUPPRESS)
    parser.add_argument("--workspace", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        work(options.part, options.workspace, options.seed)
        return
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        script = [sys.executable, str(Path(__file__).resolve()), "--workspace", folder, "--part"]
        run_measured([*script, "import"])
        for part in ("quick", "grid") if options.quick else PARTS:
            runs = [run_measured([*script, part, "--seed", str(seed)]) for seed in range(options.seeds)]
            rows.append(
                [
                    PARTS[part],
                    mean_and_error([run.wall for run in runs]),
                    TARGETS[part],
                    mean_and_error([run.cpu for run in runs]),
                    f"{max(run.peak_mb for run in runs):,.0f}",
                ]
            )
    columns = ("training on 204,000 offers", "seconds", "target", "processor seconds", "peak memory, MB")
    print_table(f"Training, {os.cpu_count()} cores", columns, rows)


def work(part: str, folder: Path, seed: int) -> None:
    """Do one part in this process."""
    from pricing_core import workflows
    from pricing_core.store.workspace import Workspace

    ws = Workspace.open(folder)
    if part == "import":
        workflows.import_sample(ws, "demo_shop")
    elif part == "grid":
        grid_search(ws)
    else:
        workflows.train(ws, config=workflows.TrainingConfig(seed=seed, quick=part == "quick"))


def grid_search(ws) -> None:  # type: ignore[no-untyped-def]
    """What a data scientist would do with the joined tables: a classifier tuned by cross-validation over time."""
    import lightgbm as lgb
    from sklearn.metrics import log_loss
    from sklearn.model_selection import TimeSeriesSplit

    from pricing_core.store import datasets

    dataset = datasets.load_dataset(ws)
    offers = dataset.offers.sort_values("offered_at")
    frame = offers.merge(dataset.customers, on="customer_id").merge(dataset.products, on="product_id")
    for column in frame.columns:
        if frame[column].dtype.kind not in "biuf":
            frame[column] = frame[column].astype("category").cat.codes
    y = frame.pop("purchased").to_numpy()
    scores = {}
    for leaves, rate, trees in itertools.product((15, 31, 63), (0.03, 0.05, 0.1), (150, 300)):
        losses = []
        for learn, judge in TimeSeriesSplit(3).split(frame):
            model = lgb.LGBMClassifier(
                num_leaves=leaves, learning_rate=rate, n_estimators=trees, num_threads=2, verbosity=-1
            ).fit(frame.iloc[learn], y[learn])
            losses.append(log_loss(y[judge], model.predict_proba(frame.iloc[judge])[:, 1]))
        scores[leaves, rate, trees] = sum(losses)
    leaves, rate, trees = min(scores, key=scores.__getitem__)
    lgb.LGBMClassifier(num_leaves=leaves, learning_rate=rate, n_estimators=trees, verbosity=-1).fit(frame, y)


if __name__ == "__main__":
    main()
