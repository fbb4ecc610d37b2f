"""The way of a price list to the customers: who may take which step, and what the calendar does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pricing_core.errors import AccessError, ConfigError, PriceListError
from pricing_core.pricelist import lifecycle
from pricing_core.pricelist.lifecycle import ListState
from tests.list_cases import ANN, BEN, LEA, MAYA

NOON = datetime(2030, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def _approved(author=LEA, approver=ANN) -> ListState:
    state = lifecycle.edited(ListState(), author)
    return lifecycle.approved(lifecycle.submitted(state, author, NOON), approver, NOON)


def test_a_list_goes_from_draft_to_live_in_steps() -> None:
    draft = lifecycle.edited(ListState(), LEA)
    assert (draft.status, draft.authors) == ("Draft", ("lea@shop.example",))
    review = lifecycle.submitted(draft, LEA, NOON)
    assert (review.status, review.submitted_by, review.submitted_at) == (
        "Ready for review", "lea@shop.example", "2030-03-01T12:00:00.000+00:00",
    )  # fmt: skip
    approved = lifecycle.approved(review, ANN, NOON)
    assert (approved.status, approved.approved_by) == ("Approved", "ann@shop.example")
    scheduled = lifecycle.scheduled(approved, ANN, NOON + DAY, None, NOON)
    assert (scheduled.status, scheduled.effective_from) == ("Scheduled", "2030-03-02T12:00:00.000+00:00")


@pytest.mark.parametrize(
    ("status", "step", "message"),
    [
        ("Draft", "approve", "The price list is a draft and cannot be approved. That takes a list that is ready for"),
        ("Draft", "schedule", "The price list is a draft and cannot be scheduled. That takes a list that is approved."),
        (
            "Draft",
            "reject",
            "is a draft and cannot be rejected. That takes a list that is ready for review or",
        ),
        ("Ready for review", "submit", "The price list is ready for review and cannot be submitted."),
        ("Ready for review", "schedule", "ready for review and cannot be scheduled"),
        ("Approved", "approve", "approved and cannot be approved"),
        ("Active", "reject", "active and cannot be rejected"),
        ("Active", "edit", "The price list is active: its prices have been charged and stay as they were"),
        ("Superseded", "edit", "superseded: its prices have been charged"),
        ("Expired", "submit", "expired and cannot be submitted"),
    ],
)
def test_a_step_that_is_not_next_is_refused(status: str, step: str, message: str) -> None:
    state = ListState(status=status)
    steps = {
        "submit": lambda: lifecycle.submitted(state, ANN, NOON),
        "approve": lambda: lifecycle.approved(state, ANN, NOON),
        "reject": lambda: lifecycle.rejected(state, ANN, "too high"),
        "schedule": lambda: lifecycle.scheduled(state, ANN, NOON, None, NOON),
        "edit": lambda: lifecycle.edited(state, ANN),
    }
    with pytest.raises(PriceListError, match=message):
        steps[step]()


def test_verified_people_do_not_approve_their_own_work_and_self_declared_ones_are_marked() -> None:
    state = lifecycle.submitted(lifecycle.edited(lifecycle.edited(ListState(), ANN), LEA), LEA, NOON)
    with pytest.raises(AccessError, match=r"ann@shop\.example made the latest changes and cannot approve them"):
        lifecycle.approved(state, ANN, NOON)
    assert lifecycle.approved(state, BEN, NOON).approved_by == "ben@shop.example"
    with pytest.raises(AccessError, match=r"lea@shop\.example is logged in as an analyst, who may not approve"):
        lifecycle.approved(state, LEA, NOON)
    own = lifecycle.submitted(lifecycle.edited(ListState(), MAYA), MAYA, NOON)
    assert lifecycle.approved(own, MAYA, NOON).approved_by == "Maya (self-declared)"
    assert lifecycle.edited(own, LEA).author_labels == ("Maya (self-declared)", "lea@shop.example")


@pytest.mark.parametrize("status", ["Ready for review", "Approved", "Scheduled"])
def test_an_edit_or_a_rejection_takes_the_approval_away(status: str) -> None:
    state = replace(_approved(), status=status, released_at="2030-03-01T12:00:00.000+00:00")
    for changed in (lifecycle.edited(state, BEN), lifecycle.rejected(state, BEN, " too high ")):
        assert (changed.status, changed.approved_by, changed.submitted_by, changed.released_at) == (
            "Draft", None, None, None,
        )  # fmt: skip
    assert lifecycle.edited(state, BEN).authors == ("lea@shop.example", "ben@shop.example")
    assert lifecycle.rejected(state, BEN, " too high ").rejection == "ben@shop.example: too high"
    with pytest.raises(PriceListError, match="A rejection needs a reason"):
        lifecycle.rejected(state, BEN, "  ")


def test_the_calendar_makes_lists_active_superseded_and_expired() -> None:
    first = lifecycle.scheduled(_approved(), ANN, NOON, NOON + 10 * DAY, NOON - DAY)
    second = lifecycle.scheduled(_approved(), ANN, NOON + 5 * DAY, NOON + 7 * DAY, NOON)
    states = {"p0001": first, "p0002": second, "p0003": ListState()}

    def at(when: datetime) -> list[str]:
        return [state.status for state in lifecycle.statuses_at(states, when).values()]

    assert at(NOON - timedelta(seconds=1)) == ["Scheduled", "Scheduled", "Draft"]
    assert at(NOON) == ["Active", "Scheduled", "Draft"]
    assert at(NOON + 5 * DAY) == ["Superseded", "Active", "Draft"]
    assert at(NOON + 7 * DAY) == ["Superseded", "Expired", "Draft"]
    assert at(NOON + 30 * DAY) == ["Superseded", "Expired", "Draft"]  # the first never comes back
    later = lifecycle.statuses_at(states, NOON + 30 * DAY)
    assert later["p0001"].ended_at == lifecycle.text(NOON + 5 * DAY)
    assert later["p0002"].ended_at == lifecycle.text(NOON + 7 * DAY)


def test_a_list_that_ended_before_the_next_one_expired_instead_of_being_superseded() -> None:
    first = lifecycle.scheduled(_approved(), ANN, NOON, NOON + 2 * DAY, NOON)
    second = lifecycle.scheduled(_approved(), ANN, NOON + 5 * DAY, None, NOON)
    found = lifecycle.statuses_at({"a": first, "b": second}, NOON + 6 * DAY)
    assert (found["a"].status, found["a"].ended_at) == ("Expired", lifecycle.text(NOON + 2 * DAY))
    assert found["b"].status == "Active"


def test_a_start_that_has_passed_is_now_and_an_end_before_it_is_refused() -> None:
    state = lifecycle.scheduled(_approved(), ANN, NOON - 9 * DAY, None, NOON)
    assert state.effective_from == lifecycle.text(NOON)
    with pytest.raises(PriceListError, match=r"would end .* before they start"):
        lifecycle.scheduled(_approved(), ANN, NOON - 9 * DAY, NOON - DAY, NOON)
    with pytest.raises(ConfigError, match="would end"):
        ListState(effective_from="2030-03-02", effective_to="2030-03-01")


def test_a_state_survives_json_and_times_are_read_as_utc() -> None:
    state = lifecycle.edited(ListState(was_price="list_price"), LEA).with_file("decisions", "d.parquet")
    assert ListState.from_dict({**state.to_dict(), "a later field": 1}) == state
    assert state.with_file("decisions", None).files == () and state.file("other") is None
    assert lifecycle.moment("2030-03-01") == datetime(2030, 3, 1, tzinfo=UTC)
    assert lifecycle.text(lifecycle.moment("2030-03-01T14:00+02:00")) == "2030-03-01T12:00:00.000+00:00"
    with pytest.raises(ConfigError, match="'soon' is no time"):
        lifecycle.moment("soon")
    for wrong in ({"status": "Live"}, {"was_price": "rrp"}):
        with pytest.raises(ConfigError, match="is one of"):
            ListState(**wrong)
