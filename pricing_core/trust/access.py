"""Who may do what: three roles, and the one place that decides.

A *viewer* looks and takes files away. An *analyst* also imports, trains, edits and submits. An *approver* does
everything, and alone lets prices go live. Where nobody logs in, nothing can be checked: every action is allowed and
every name is shown as self-declared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pricing_core.errors import AccessError, ConfigError

ROLES: Final = ("viewer", "analyst", "approver")
ACTIONS: Final = (
    "view", "export", "import", "train", "edit", "submit", "approve", "reject", "activate", "rollback",
)  # fmt: skip
UNNAMED: Final = "unnamed user"
LONGEST_NAME: Final = 120

_VIEWER: Final = frozenset(("view", "export"))
_ANALYST: Final = _VIEWER | {"import", "train", "edit", "submit"}
_ALLOWED: Final[dict[str, frozenset[str]]] = {
    "viewer": _VIEWER, "analyst": _ANALYST, "approver": frozenset(ACTIONS),
}  # fmt: skip
_WORDS: Final[dict[str, str]] = {
    "view": "look at the pages", "export": "download files", "import": "import or change data",
    "train": "train models", "edit": "change prices and settings", "submit": "submit price lists for review",
    "approve": "approve price lists", "reject": "reject price lists", "activate": "put price lists live",
    "rollback": "roll price lists back",
}  # fmt: skip


@dataclass(frozen=True)
class Actor:
    """A person in front of the product.

    Parameters
    ----------
    name
        Name or e-mail address, as shown and as written into the audit log.
    role
        One of :data:`ROLES`; it counts only where ``verified``.
    verified
        Whether a login vouches for the name; otherwise the person typed it.
    """

    name: str
    role: str
    verified: bool

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise ConfigError(f"A role is one of {', '.join(ROLES)}; received {self.role!r}.")
        if not self.name.strip() or len(self.name) > LONGEST_NAME or not self.name.isprintable():
            raise ConfigError(
                f"A name has 1 to {LONGEST_NAME} printable characters; received {self.name[:LONGEST_NAME]!r}."
            )

    @property
    def label(self) -> str:
        """Name as shown to others: a name that nobody vouches for says so."""
        return self.name if self.verified else f"{self.name} (self-declared)"


def self_declared(name: str) -> Actor:
    """Person without a login; what cannot be shown of the name is left out, and an empty name is :data:`UNNAMED`."""
    shown = " ".join("".join(c if c.isprintable() else " " for c in name).split())[:LONGEST_NAME].strip()
    return Actor(shown or UNNAMED, "approver", verified=False)


def can(actor: Actor, action: str) -> bool:
    """Whether a person may do something (one of :data:`ACTIONS`); without a login everything is allowed."""
    if action not in ACTIONS:
        raise ConfigError(f"An action is one of {', '.join(ACTIONS)}; received {action!r}.")
    return not actor.verified or action in _ALLOWED[actor.role]


def roles_for(action: str) -> tuple[str, ...]:
    """Roles that may do something, the most modest first."""
    return tuple(role for role in ROLES if action in _ALLOWED[role])


def require(actor: Actor, action: str) -> None:
    """Do nothing if the person may, and raise otherwise.

    Raises
    ------
    AccessError
        Names the person, the role, what was asked for, and who may do it.
    """
    if not can(actor, action):
        raise AccessError(refusal(actor, action), fix=f"Ask somebody who is {_either(roles_for(action))}.")


def refusal(actor: Actor, action: str) -> str:
    """Why a person may not do something, in one sentence."""
    return f"{actor.name} is logged in as {_with_article(actor.role)}, who may not {_WORDS[action]}."


def require_other_person(author: str, actor: Actor) -> None:
    """Four eyes: whoever made a change does not approve it, where a login vouches for the names.

    Raises
    ------
    AccessError
        If a verified person would approve their own work.
    """
    if actor.verified and _same(author, actor.name):
        raise AccessError(
            f"{actor.name} made the latest changes and cannot approve them.",
            fix="Ask another approver to look at the price list.",
        )


@dataclass(frozen=True)
class RoleSource:
    """Where the roles of logged-in people come from.

    Parameters
    ----------
    claim
        Name of the claim of the identity token that carries a role, or a list of groups.
    people
        E-mail address (or the token's ``sub``) to role; the list of the shop itself, which goes before the claim.
    groups
        Value of the claim to role, for providers whose groups have names of their own. A value that is a role by
        name needs no entry.
    default
        Role of everybody else who can log in; None keeps them out.
    """

    claim: str = "pricing_role"
    people: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    default: str | None = None

    def __post_init__(self) -> None:
        named = [*self.people.values(), *self.groups.values(), *([self.default] if self.default else [])]
        wrong = [repr(role) for role in named if role not in ROLES]
        if wrong:
            raise ConfigError(f"A role is one of {', '.join(ROLES)}; received {', '.join(sorted(set(wrong)))}.")

    def actor(self, claims: Mapping[str, Any]) -> Actor:
        """Person that the claims of a login describe.

        Raises
        ------
        AccessError
            If the login is in order but gives no role here.
        """
        name = person_name(claims)
        role = self._from_list(claims) or self._from_claim(claims) or self.default
        if role is None:
            raise AccessError(
                f"{name} is logged in, but has no role here.",
                fix=f"Ask whoever runs the app for one of the roles {', '.join(ROLES)}.",
            )
        return Actor(name, role, verified=True)

    def _from_list(self, claims: Mapping[str, Any]) -> str | None:
        listed = {_folded(key): role for key, role in self.people.items()}
        proven = [claims.get("sub"), _proven_address(claims)]
        return next((listed[_folded(str(key))] for key in proven if key and _folded(str(key)) in listed), None)

    def _from_claim(self, claims: Mapping[str, Any]) -> str | None:
        value = claims.get(self.claim)
        values = [value] if isinstance(value, str) else list(value) if isinstance(value, Iterable) else []
        found = {self.groups.get(str(v), str(v)) for v in values}
        return next((role for role in reversed(ROLES) if role in found), None)


def person_name(claims: Mapping[str, Any]) -> str:
    """Name to show for a login: the e-mail address, else the name, else the subject."""
    for value in (_proven_address(claims), *(claims.get(key) for key in ("preferred_username", "name", "sub"))):
        name = self_declared(str(value or "")).name
        if name != UNNAMED:
            return name
    raise AccessError("The login carries no name.", fix="Let the provider send the claim email or name.")


def _proven_address(claims: Mapping[str, Any]) -> Any:
    """E-mail address, unless the provider itself calls it unverified: that would prove nothing."""
    return None if claims.get("email_verified") is False else claims.get("email")


def _with_article(role: str) -> str:
    return f"{'an' if role[0] in 'aeiou' else 'a'} {role}"


def _either(roles: Iterable[str]) -> str:
    return " or ".join(_with_article(role) for role in roles)


def _same(one: str, other: str) -> bool:
    return _folded(one) == _folded(other)


def _folded(text: str) -> str:
    return text.strip().casefold()
