"""Who is in front of the page, and what they may do: the login where one is set up, else a self-declared name.

A login is set up in ``.streamlit/secrets.toml``: section ``[auth]`` is Streamlit's own, section ``[pricing]`` says who
has which role. ``roles.toml`` in the workspace may say the same and goes before it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import streamlit as st

from pricing_core.errors import ConfigError, MissingDependencyError, reason
from pricing_core.store.workspace import Workspace
from pricing_core.trust import access
from pricing_core.trust.access import Actor, RoleSource, self_declared

from .state import PageState, current_workspace
from .words import markdown

ROLES_FILE: Final = "roles.toml"
NAME_KEY: Final = "declared_name"
_FIELD: Final = "declared_name_field"
_SETTINGS: Final = {"role_claim", "default_role", "roles", "groups"}


def actor(page: PageState) -> Actor:
    """Return the person who uses the page: verified by the login, else under the name typed into the sidebar."""
    return person(page.ws)


def person(ws: Workspace) -> Actor:
    """Return the person of this session; roles come from the secrets and from the workspace."""
    if not login_configured():
        return self_declared(str(st.session_state.get(NAME_KEY) or ""))
    return role_source(ws.root, _secret("pricing")).actor(_claims())


def allowed(page: PageState, action: str) -> bool:
    """Whether the person may do something; what they may not is shown switched off."""
    return access.can(actor(page), action)


def may(ws: Workspace, action: str) -> bool:
    """Whether the person of this session may do something."""
    return access.can(person(ws), action)


def require(ws: Workspace, action: str) -> None:
    """Raise a sentence that a page shows if the person may not do something."""
    access.require(person(ws), action)


def button(page: PageState, action: str, label: str, *, place: Any = st, **options: Any) -> bool:
    """Show a button that only those who may can press; a press that the page did not offer is refused."""
    return _guarded(page, action, place.button, label, options)


def form_button(page: PageState, action: str, label: str, *, place: Any = st, **options: Any) -> bool:
    """Show the button of a form that only those who may can press."""
    return _guarded(page, action, place.form_submit_button, label, options)


def _guarded(page: PageState, action: str, widget: Any, label: str, options: dict[str, Any]) -> bool:
    who = actor(page)
    if not access.can(who, action):
        options |= {"disabled": True, "help": access.refusal(who, action)}
    pressed = bool(widget(label, **options))
    if pressed:
        access.require(who, action)  # a browser can be made to send a press of a button that is switched off
    return pressed


def gate() -> None:
    """Let nobody see a page who has not logged in, where a login is set up; must run before anything is shown."""
    if not login_configured():
        return
    if find_spec("authlib") is None:
        raise MissingDependencyError(
            "A login is set up, but the package that does it is missing.", fix="Run: pip install 'streamlit[auth]'"
        )
    if not _claims().get("is_logged_in"):
        st.info("Log in to see prices.", icon=":material/lock:")
        for provider, label in providers().items():
            if st.button(label, type="primary", icon=":material/login:", key=f"login_{provider or 'default'}"):
                st.login(provider)
        st.stop()
    try:
        person(current_workspace())
    except Exception:
        st.button("Log out", icon=":material/logout:", on_click=st.logout, key="log_out")
        raise


def who(page: PageState) -> None:
    """Show in the sidebar who is logged in and as what, or ask for a name."""
    if not login_configured():
        st.text_input(
            "Your name (self-declared)", st.session_state.get(NAME_KEY, ""), key=_FIELD, on_change=_remember_name,
            max_chars=access.LONGEST_NAME, placeholder="Shown with what you change",
            help="Nobody logs in here, so nobody checks the name. It is written beside your changes, marked as "
            "self-declared.",
        )  # fmt: skip
        return
    someone = actor(page)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f":material/person: **{markdown(someone.name)}** · {someone.role}", width="stretch")
        st.button("Log out", type="tertiary", icon=":material/logout:", on_click=st.logout, key="log_out")
    if someone.role == "viewer":
        st.caption("A viewer looks and downloads; buttons that change something are switched off.")


def _remember_name() -> None:
    """Keep the name over page changes, which a widget's own value does not survive."""
    st.session_state[NAME_KEY] = st.session_state[_FIELD]


def login_configured() -> bool:
    """Whether the secrets set up Streamlit's login."""
    return bool(_secret("auth"))


def providers() -> dict[str | None, str]:
    """Providers that one can log in with: the name that Streamlit knows, and the words on the button."""
    auth = _secret("auth")
    named = [str(key) for key, value in auth.items() if isinstance(value, Mapping) and "client_id" in value]
    return {name: f"Log in with {name.replace('_', ' ').title()}" for name in named} or {None: "Log in"}


def role_source(workspace: Path, secrets: Mapping[str, Any]) -> RoleSource:
    """Read who has which role; entries of the workspace's ``roles.toml`` go before those of the secrets.

    Raises
    ------
    ConfigError
        If a setting is unknown or a role does not exist.
    """
    merged: dict[str, Any] = {}
    for place, settings in (("[pricing] in the secrets", secrets), (ROLES_FILE, _roles_file(workspace))):
        unknown = sorted(set(settings) - _SETTINGS)
        if unknown:
            raise ConfigError(
                f"{place} has the unknown setting {', '.join(unknown)}; known are {', '.join(sorted(_SETTINGS))}."
            )
        for key, value in settings.items():
            merged[key] = {**merged.get(key, {}), **value} if isinstance(value, Mapping) else value
    return RoleSource(
        claim=str(merged.get("role_claim", RoleSource.claim)),
        people=merged.get("roles", {}),
        groups=merged.get("groups", {}),
        default=merged.get("default_role"),
    )


def _roles_file(workspace: Path) -> dict[str, Any]:
    path = workspace / ROLES_FILE
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{ROLES_FILE} in the workspace cannot be read: {reason(error, of=ROLES_FILE)}.", fix="Correct it."
        ) from error


def _claims() -> Mapping[str, Any]:
    return st.user.to_dict()


def _secret(section: str) -> Mapping[str, Any]:
    if not st.secrets.load_if_toml_exists() or section not in st.secrets:
        return {}
    return dict(st.secrets[section])
