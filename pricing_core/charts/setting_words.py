"""Settings of models in plain words, with what more of each does."""

from __future__ import annotations

from typing import Final

_WORDS: Final = {
    "learning_rate": ("learning rate", "how far each step of the learning goes: small is slow, large is restless"),
    "weight_decay": ("weight decay", "pull of all weights towards 0: more makes forecasts more alike"),
    "batch_size": ("offers per step", "offers that each step of the learning looks at"),
    "units": ("hidden units", "width of the network: more can tell finer differences and needs more offers"),
    "n_trees": ("most trees", "more can tell finer differences and take longer"),
    "n_leaves": ("leaves per tree", "groups into which one tree divides the offers"),
    "shrinkage": ("shrinkage", "how many offers a leaf needs to be believed: more makes forecasts more alike"),
    "depth": ("range of penalties", "powers of ten between the strictest and the loosest model that are tried"),
    "max_products": (
        "products of their own",
        "products with a reaction of their own; others are known by their attributes",
    ),
    "members": ("members", "models of one kind that answer together: more are steadier and take longer"),
    "smoothing": ("smoothing", "offers that the shop's average counts for: more makes forecasts more alike"),
    "n_features": ("features used", "those that tell most about who buys"),
}


def setting_words(name: str) -> str:
    """Return the name of a setting in words: ``n_leaves`` → ``leaves per tree``."""
    return _WORDS[name][0] if name in _WORDS else str(name).replace("_", " ")


def setting_help(name: str) -> str | None:
    """Return what a setting does, in a sentence; None for one that has no description."""
    if name not in _WORDS:
        return None
    text = _WORDS[name][1]
    return f"{text[:1].upper()}{text[1:]}. In files: {name}."
