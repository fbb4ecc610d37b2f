"""Roles: who may do what, where roles come from, and what a login without a role hears."""

from __future__ import annotations

import pytest

from pricing_core.errors import AccessError, ConfigError
from pricing_core.trust.access import (
    ACTIONS,
    Actor,
    RoleSource,
    can,
    require,
    require_other_person,
    self_declared,
)

MAY = {
    "viewer": {"view", "export"},
    "analyst": {"view", "export", "import", "train", "edit", "submit"},
    "approver": {"view", "export", "import", "train", "edit", "submit", "approve", "reject", "activate", "rollback"},
}


@pytest.mark.parametrize("role", MAY)
def test_a_verified_person_may_do_what_the_role_says_and_nothing_else(role: str) -> None:
    person = Actor("kim@shop.example", role, verified=True)
    assert {action for action in ACTIONS if can(person, action)} == MAY[role]


def test_without_a_login_everything_is_allowed_and_the_name_says_so() -> None:
    person = self_declared(" Kim \n Li ")
    assert all(can(person, action) for action in ACTIONS)
    assert (person.name, person.label, person.verified) == ("Kim Li", "Kim Li (self-declared)", False)
    assert self_declared("").label == "unnamed user (self-declared)"
    assert Actor("Kim", "viewer", verified=True).label == "Kim"


def test_hostile_names_lose_what_cannot_be_shown() -> None:
    assert self_declared("Kim\u202egpj\x00\x1b[31m").name == "Kim gpj [31m"
    assert len(self_declared("x" * 5_000).name) == 120


def test_a_refusal_names_the_person_the_role_and_who_may() -> None:
    with pytest.raises(AccessError) as refused:
        require(Actor("kim@shop.example", "analyst", verified=True), "approve")
    assert str(refused.value) == (
        "kim@shop.example is logged in as an analyst, who may not approve price lists. Ask somebody who is an approver."
    )
    with pytest.raises(AccessError, match="Ask somebody who is an analyst or an approver"):
        require(Actor("kim@shop.example", "viewer", verified=True), "train")
    with pytest.raises(ConfigError, match="received 'fly'"):
        can(self_declared("Kim"), "fly")


def test_nobody_approves_their_own_changes_where_names_are_verified() -> None:
    with pytest.raises(AccessError, match=r"made the latest changes and cannot approve them\. Ask another approver"):
        require_other_person("KIM@shop.example", Actor("kim@shop.example", "approver", verified=True))
    require_other_person("kim@shop.example", Actor("lee@shop.example", "approver", verified=True))
    require_other_person("kim", self_declared("kim"))


SOURCE = RoleSource(
    claim="groups", people={"Kim@Shop.example": "approver", "id-7": "viewer"}, groups={"pricing-team": "analyst"}
)


@pytest.mark.parametrize(
    ("claims", "role"),
    [
        ({"email": "kim@shop.example"}, "approver"),
        ({"email": "kim@shop.example", "groups": ["viewer"]}, "approver"),
        ({"sub": "id-7", "email": "lee@shop.example", "groups": "approver"}, "viewer"),
        ({"email": "lee@shop.example", "groups": "analyst"}, "analyst"),
        ({"email": "lee@shop.example", "groups": ["staff", "pricing-team", "viewer"]}, "analyst"),
        ({"email": "lee@shop.example", "groups": ["approver", "viewer"]}, "approver"),
    ],
)
def test_the_role_comes_from_the_list_first_and_then_from_the_claim(claims: dict[str, object], role: str) -> None:
    person = SOURCE.actor(claims)
    assert (person.role, person.verified) == (role, True)


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "lee@shop.example"},
        {"email": "lee@shop.example", "groups": ["Approvers", "admin"]},
        {"email": "lee@shop.example", "groups": 3},
        {"sub": "1", "email": "kim@shop.example", "email_verified": False},
    ],
)
def test_a_login_without_a_role_is_kept_out_unless_there_is_a_default(claims: dict[str, object]) -> None:
    with pytest.raises(AccessError, match="is logged in, but has no role here"):
        SOURCE.actor(claims)
    assert RoleSource(default="viewer").actor(claims).role == "viewer"


def test_a_role_that_does_not_exist_is_refused_when_the_settings_are_read() -> None:
    with pytest.raises(ConfigError, match="viewer, analyst, approver; received 'admin'"):
        RoleSource(people={"kim@shop.example": "admin"})
    with pytest.raises(ConfigError, match="received 'owner'"):
        RoleSource(default="owner")
