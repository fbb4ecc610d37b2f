"""A real OpenID provider, the app with its login set up, and two people in a real browser."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from .conftest import Server, free_port, running_app

SECOND = 1_000
ROLES = '"paul@shop.example" = "approver"'

for package, command in (("oidc_provider_mock", "requirements/dev.txt"), ("authlib", "requirements/dev.txt")):
    if find_spec(package) is None:
        pytest.skip(f"{package} is not installed: pip install -r {command}", allow_module_level=True)

USERS = (
    {"sub": "ann", "email": "ann@shop.example", "shop_role": ["staff", "analyst"]},
    {"sub": "paul", "email": "paul@shop.example"},
    {"sub": "eve", "email": "eve@elsewhere.example"},
)


@pytest.fixture
def provider() -> Iterator[str]:
    """Address of an OpenID provider that knows an analyst by claim, an approver by name, and a stranger."""
    url = f"http://localhost:{(port := free_port())}"
    users = [part for user in USERS for part in ("--user-claims", json.dumps(user))]
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port), *users]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            try:
                with urllib.request.urlopen(f"{url}/.well-known/openid-configuration", timeout=1):
                    break
            except OSError:
                assert process.poll() is None, "the provider ended"
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def guarded(provider: str, tmp_path: Path, prepared_shop: Path) -> Iterator[Server]:
    """The app with the login set up in its secrets."""
    port = free_port()
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(
        f"""
[auth]
redirect_uri = "http://localhost:{port}/oauth2callback"
cookie_secret = "{os.urandom(24).hex()}"
client_id = "workbench"
client_secret = "not a secret in a test"
server_metadata_url = "{provider}/.well-known/openid-configuration"

[pricing]
role_claim = "shop_role"

[pricing.roles]
{ROLES}
"""
    )
    with running_app(tmp_path, prepared_shop, port=port, secrets=secrets) as server:
        yield server


def log_in(page: Page, url: str, subject: str) -> None:
    page.goto(f"{url}/price_list")
    page.get_by_role("button", name="Log in", exact=True).click()
    page.locator("input[name=sub]").fill(subject)
    page.get_by_role("button", name="Authorize", exact=True).click()
    page.wait_for_url(f"{url}/**")


@pytest.mark.extra
@pytest.mark.flaky(reruns=1)
def test_an_analyst_submits_an_approver_approves_and_a_stranger_stays_outside(
    guarded: Server, browser_page: Page
) -> None:
    expect.set_options(timeout=60 * SECOND)
    page = browser_page
    page.goto(f"{guarded.url}/price_list")
    expect(page.get_by_text("Log in to see prices.")).to_be_visible()
    expect(page.get_by_text("Raise")).to_have_count(0)

    log_in(page, guarded.url, "ann")
    sidebar = page.get_by_test_id("stSidebar")
    expect(sidebar.get_by_text(re.compile("ann@.?shop.example · analyst"))).to_be_visible()
    page.goto(f"{guarded.url}/price_list")
    page.get_by_role("button", name="Submit for review").click()
    expect(page.get_by_text("Ready for review").first).to_be_visible()
    approve = page.get_by_role("button", name="Approve", exact=True)
    expect(approve).to_be_disabled()

    other = page.context.browser.new_context(viewport={"width": 1440, "height": 1000})
    second = other.new_page()
    log_in(second, guarded.url, "paul")
    expect(second.get_by_test_id("stSidebar").get_by_text(re.compile("paul@.?shop.example · approver"))).to_be_visible()
    second.goto(f"{guarded.url}/price_list")
    second.get_by_role("button", name="Approve", exact=True).click()
    said = re.compile("submitted by ann@.?shop.example .*; approved by paul@.?shop.example")
    expect(second.get_by_text(said)).to_be_visible()

    third = page.context.browser.new_context().new_page()
    log_in(third, guarded.url, "eve")
    expect(third.get_by_text("is logged in, but has no role here.")).to_be_visible()
    expect(third.get_by_role("button", name="Log out")).to_be_visible()
    expect(third.get_by_text("Raise")).to_have_count(0)
