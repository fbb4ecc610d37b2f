"""Who may do what on the pages: viewers look, analysts work, a login without a role stays outside."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.components import access, job_panel
from pages.components.state import PageState
from pricing_core import jobs
from pricing_core.errors import AccessError, ConfigError
from pricing_core.store.workspace import Workspace

from .conftest import OpenPage

AUTH = {"client_id": "workbench", "client_secret": "s", "cookie_secret": "c", "redirect_uri": "http://localhost"}
LogIn = Callable[..., None]


@pytest.fixture
def log_in(monkeypatch: pytest.MonkeyPatch) -> LogIn:
    """Set up a login, and say who is logged in; nobody without an address."""

    def run(email: str | None = None, **claims: object) -> None:
        roles = {"vera@shop.example": "viewer", "ann@shop.example": "analyst", "paul@shop.example": "approver"}
        sections = {"auth": AUTH, "pricing": {"roles": roles}}
        monkeypatch.setattr(access, "_secret", lambda name: sections.get(name, {}))
        monkeypatch.setattr(access, "_claims", lambda: {"is_logged_in": email is not None, "email": email, **claims})
        monkeypatch.setattr(access, "find_spec", lambda name: object())

    return run


def labels(page: AppTest) -> dict[str, bool]:
    return {button.label: button.disabled for button in page.button}


def test_nobody_sees_a_page_before_logging_in(ws: Workspace, imported: str, open_page: OpenPage, log_in: LogIn) -> None:
    log_in()
    page = open_page("data")
    assert labels(page) == {"Log in": False}
    assert [info.value for info in page.info] == ["Log in to see prices."]
    assert not page.metric and not page.tabs and not page.sidebar.caption


def test_a_login_without_a_role_stays_outside_and_can_log_out(
    ws: Workspace, imported: str, open_page: OpenPage, log_in: LogIn
) -> None:
    log_in("eve@elsewhere.example")
    page = open_page("data", errors=True)
    assert len(page.error) == 1
    assert "is logged in, but has no role here. Ask whoever runs the app for one of the roles" in page.error[0].value
    assert labels(page) == {"Log out": False}
    assert not page.tabs


def test_a_viewer_sees_everything_and_can_press_nothing_that_changes_something(
    ws: Workspace, imported: str, open_page: OpenPage, log_in: LogIn
) -> None:
    log_in("vera@shop.example")
    page = open_page("models")
    assert page.button(key="log_out").disabled is False
    assert labels(page)["Train"] is True
    assert any("viewer" in caption.value for caption in page.sidebar.caption)
    page = open_page("data")
    changing = {label: off for label, off in labels(page).items() if label not in ("Log out", "Make the file")}
    assert changing and all(changing.values()), changing


def test_a_press_that_the_page_did_not_offer_is_refused(ws: Workspace, log_in: LogIn) -> None:
    log_in("vera@shop.example")
    page = PageState(ws, None, None, None, None)
    asked: dict[str, Any] = {}

    class Forged:
        """A browser that was made to send the press of a button that is switched off."""

        def button(self, label: str, **options: Any) -> bool:
            asked.update(options)
            return True

    with pytest.raises(AccessError, match="is logged in as a viewer, who may not train models"):
        access.button(page, "train", "Train", place=Forged())
    assert asked["disabled"] is True and "may not train models" in asked["help"]
    with pytest.raises(AccessError, match="who may not train models"):
        job_panel.start(ws, "train", {})
    with pytest.raises(AccessError, match="who may not change prices and settings"):
        job_panel.start(ws, "price_list", {})
    assert jobs.list_jobs(ws) == []


def test_an_analyst_can_train(ws: Workspace, imported: str, open_page: OpenPage, log_in: LogIn) -> None:
    log_in("ann@shop.example")
    page = open_page("models")
    next(button for button in page.button if button.label == "Train").click().run()
    assert [job.kind for job in jobs.list_jobs(ws)] == ["train"]
    jobs.cancel(ws, jobs.list_jobs(ws)[0].id)


def test_without_a_login_the_typed_name_is_shown_as_self_declared(ws: Workspace, open_page: OpenPage) -> None:
    page = open_page("today")
    field = page.sidebar.text_input[0]
    assert field.label == "Your name (self-declared)"
    field.set_value("Kim").run()
    page.switch_page("pages/data.py").run()
    assert page.sidebar.text_input[0].value == "Kim"


def test_roles_in_the_workspace_go_before_those_in_the_secrets(tmp_path: Path) -> None:
    (tmp_path / access.ROLES_FILE).write_text('default_role = "viewer"\n[roles]\n"ann@shop.example" = "approver"\n')
    secrets = {"role_claim": "groups", "roles": {"ann@shop.example": "analyst", "b": "viewer"}}
    source = access.role_source(tmp_path, secrets)
    assert source.people == {"ann@shop.example": "approver", "b": "viewer"}
    assert (source.claim, source.default) == ("groups", "viewer")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[people]\na = 'viewer'\n", r"roles\.toml has the unknown setting people; known are default_role"),
        ("[roles]\na = 'admin'\n", "received 'admin'"),
        ("[roles", r"roles\.toml in the workspace cannot be read"),
    ],
)
def test_a_wrong_list_of_roles_says_what_is_wrong(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / access.ROLES_FILE).write_text(content)
    with pytest.raises(ConfigError, match=message):
        access.role_source(tmp_path, {})


def test_named_providers_have_a_button_each(monkeypatch: pytest.MonkeyPatch) -> None:
    sections = {"auth": {"redirect_uri": "x", "google": {"client_id": "1"}, "our_directory": {"client_id": "2"}}}
    monkeypatch.setattr(access, "_secret", lambda name: sections.get(name, {}))
    assert access.providers() == {"google": "Log in with Google", "our_directory": "Log in with Our Directory"}
