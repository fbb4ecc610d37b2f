"""Strategies by name: those that come with the product, and those that a shop adds in files of its workspace."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, Final

from pricing_core.errors import ConfigError
from pricing_core.optimize.contract import Strategy

FOLDER: Final = "strategies"
"""Folder of a workspace that holds the shop's own strategies."""
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_LONGEST_LABEL: Final = 60

_BUILT_IN_MODULES: Final = tuple(f"pricing_core.optimize.{name}" for name in ("built_in", "segments", "markdown"))

_built_in: dict[str, Strategy] = {}
_own: Mapping[str, Strategy] = MappingProxyType({})
_last: tuple[Any, LoadedStrategies] | None = None


@dataclass(frozen=True)
class LoadedStrategies:
    """Names that were loaded from a folder, and one sentence for each file that was left out."""

    names: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def register(strategy: Strategy) -> Strategy:
    """Add a strategy that comes with the product; a later one of the same name replaces it."""
    problem = _problem(strategy)
    if problem:
        raise ConfigError(f"The strategy {strategy!r} cannot be used: {problem}.")
    _built_in[strategy.name] = strategy
    return strategy


def strategies() -> dict[str, Strategy]:
    """Every strategy by name: the product's own first, in the order of pages, then those of the shop."""
    for module in _BUILT_IN_MODULES:
        importlib.import_module(module)
    own = _own
    ordered = sorted(_built_in.values(), key=lambda strategy: getattr(strategy, "place", len(_built_in)))
    return {strategy.name: strategy for strategy in ordered} | dict(own)


def find(name: str) -> Strategy:
    """Return the strategy of a name.

    Raises
    ------
    ConfigError
        Naming the strategies there are.
    """
    there = strategies()
    if name not in there:
        raise ConfigError(f"There is no strategy {name!r}.", fix=f"Strategies are {', '.join(there)}.")
    return there[name]


def labels() -> dict[str, str]:
    """Name → words on screen, of every strategy."""
    return {name: strategy.label for name, strategy in strategies().items()}


def is_personal(name: str) -> bool:
    """Whether prices of the strategy depend on who the customer is; False for a name that is not known."""
    strategy = strategies().get(name)
    return bool(strategy is not None and strategy.personal)


def is_shared(name: str) -> bool:
    """Whether rows share prices that were chosen for them together, so that other customers must judge them."""
    strategy = strategies().get(name)
    return strategy is not None and bool(getattr(strategy, "shared", not strategy.personal))


def coupled_level(name: str) -> str | None:
    """Level at which rules that tie prices together may move this strategy's prices: row, product, or None."""
    return getattr(strategies().get(name), "coupled", None)


def is_own(name: str) -> bool:
    """Whether the strategy comes from a file of the shop."""
    return name in _own


def load_strategies(folder: Path) -> LoadedStrategies:
    """Load the shop's own strategies from the ``.py`` files of a folder, in the order of their names.

    What an earlier call loaded is replaced. A file that cannot be read, fails, or defines no strategy is left out;
    a name that is taken already, too. Files whose name starts with ``_`` or ``.`` are not looked at.

    Files that have not changed since the last call are not run again.

    Returns
    -------
    LoadedStrategies
        Never raises because of a file.
    """
    global _own, _last
    paths = _files(folder)
    stamp = [(str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in paths]
    if _last is not None and _last[0] == stamp:
        return _last[1]
    loaded = _load(paths)
    _own, _last = MappingProxyType(loaded[0]), (stamp, LoadedStrategies(tuple(loaded[0]), tuple(loaded[1])))
    return _last[1]


def _load(paths: list[Path]) -> tuple[dict[str, Strategy], list[str]]:
    found: dict[str, Strategy] = {}
    problems: list[str] = []
    for path in paths:
        try:
            loaded = _from_file(path)
        except Exception as error:  # a file of the shop may fail in any way
            problems.append(f"The strategy file {path.name} was left out: {_reason(error)}.")
            continue
        for strategy in loaded:
            problem = _problem(strategy) or _taken(strategy.name, found)
            if problem:
                problems.append(f"The strategy file {path.name} was left out: {problem}.")
            else:
                found[strategy.name] = strategy
    return found, problems


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(p for p in Path(folder).glob("*.py") if p.is_file() and not p.name.startswith(("_", ".")))
    except OSError:
        return []


def _from_file(path: Path) -> list[Any]:
    module = _run(path)
    classes = [
        value
        for value in vars(module).values()
        if inspect.isclass(value) and value.__module__ == module.__name__ and callable(getattr(value, "propose", None))
    ]
    if not classes:
        raise ValueError("it defines no class with a method propose")
    return [each() for each in classes]


def _run(path: Path) -> ModuleType:
    source = path.read_text(encoding="utf-8")
    ast.parse(source, path.name)  # a syntax error then names the file without its folder
    name = f"shop_strategy_{path.stem}"
    spec = importlib.util.spec_from_loader(name, loader=None)
    if spec is None:
        raise ValueError("it cannot be imported")
    module = importlib.util.module_from_spec(spec)
    module.__file__ = str(path)
    sys.modules[name] = module  # dataclasses look their module up
    try:
        exec(compile(source, path.name, "exec"), module.__dict__)
    except SystemExit as error:
        raise ValueError("it ends the program") from error
    finally:
        sys.modules.pop(name, None)
    return module


def _reason(error: Exception) -> str:
    if isinstance(error, SyntaxError):
        return f"line {error.lineno} is not valid Python ({error.msg})"
    if isinstance(error, UnicodeDecodeError):
        return "it is not a text file in UTF-8"
    if isinstance(error, OSError):
        return f"it cannot be read ({error.strerror or type(error).__name__})"
    text = " ".join(str(error).split()).rstrip(".")
    return text if type(error) is ValueError and text else f"{type(error).__name__}: {text}" if text else repr(error)


def _problem(strategy: Any) -> str:
    """Say what keeps a strategy from being used; empty if nothing does."""
    kind = type(strategy).__name__
    name, label = getattr(strategy, "name", None), getattr(strategy, "label", None)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return f"{kind}.name is {name!r}; it must be lower-case letters, digits and underscores, such as 'weekend'"
    if not isinstance(label, str) or not label.strip() or len(label) > _LONGEST_LABEL:
        return f"{kind}.label is {label!r}; it must be a text of at most {_LONGEST_LABEL} characters"
    if not isinstance(getattr(strategy, "personal", None), bool):
        return f"{kind}.personal is {getattr(strategy, 'personal', None)!r}; it must be True or False"
    if not callable(getattr(strategy, "propose", None)):
        return f"{kind} has no method propose"
    level = getattr(strategy, "coupled", None)
    return "" if level in (None, "row", "product") else f"{kind}.coupled is {level!r}; it must be 'row' or 'product'"


def _taken(name: str, found: Mapping[str, Strategy]) -> str:
    if name in strategies() and name not in _own:
        return f"the name {name!r} belongs to a strategy of the product; choose another"
    return f"the name {name!r} is used by an earlier file; choose another" if name in found else ""
