"""One exception type per situation; the message says what is wrong, where, and how to fix it.

Pages and the command line show ``str(error)`` and nothing else, so a message is written for the
person who has to act on it.
"""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Final

_FOLDERS: Final = re.compile(r"(?<![\w.\\/])(?:[A-Za-z]:)?(?:[\\/][^\\/\s'\":]+)*[\\/](?=[^\\/\s'\":])")


class PricingError(Exception):
    """Base of every error that a user can act on.

    Parameters
    ----------
    message
        What is wrong and where (file, column, row numbers), in one or two sentences.
    fix
        What to do about it; appended to the message.
    """

    def __init__(self, message: str, *, fix: str | None = None) -> None:
        self.message = message
        self.fix = fix
        super().__init__(f"{message} {fix}" if fix else message)


class FileReadError(PricingError):
    """A file cannot be read as a table (missing, empty, wrong format, unknown encoding)."""


class MappingError(PricingError):
    """A required field has no column, or the mapping names a column that is not there."""


class DataError(PricingError):
    """The table was read, but its content blocks what was asked (no usable rows, no purchases …)."""


class ConfigError(PricingError):
    """A setting is outside what is allowed; the message names the value received."""


class WorkspaceError(PricingError):
    """The workspace folder cannot be used, or does not hold what was asked for."""


class NoDatasetError(WorkspaceError):
    """The workspace holds no data set yet."""


class NoModelError(WorkspaceError):
    """The workspace holds no trained model yet."""


class ModelError(PricingError):
    """A model cannot be fitted, saved or loaded."""


class PriceListError(PricingError):
    """The state or the content of a price list does not allow what was asked."""


class ConflictError(PricingError):
    """Somebody else changed the same thing in the meantime; the message says who, what and when."""


class JobError(PricingError):
    """A background job cannot be started, or ended without a result."""


class JobCancelled(PricingError):
    """The user asked for the job to stop; raised inside the worker at the next checkpoint."""


class AccessError(PricingError):
    """The person may not do what was asked, or has no role here; the message says who may."""


class MissingDependencyError(PricingError):
    """An optional package is not installed; the message carries the install command."""


def reason(error: BaseException, *, of: str = "") -> str:
    """What a library says went wrong, for a page: files by their names, without the folders that they lie in.

    Parameters
    ----------
    of
        File that the sentence has named already.
    """
    if isinstance(error, OSError) and error.filename is not None:
        name, words = PurePath(str(error.filename)).name, error.strerror or "unreadable"
        return words if name == of else f"{name}: {words}"
    return _FOLDERS.sub("", str(error)).rstrip(".")
