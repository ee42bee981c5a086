"""What is said of an incident: severity, exposure and status follow from the record alone."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.journal import Intent, Plan
from playbooks.case.residual import FLOWS, residual, status
from playbooks.case.severity import RESPONSE, Severity, from_finding

ISOLATED, DENIED = "isolate_instance", "deny_instance_sessions"


def intent(action: str, phase: str = "done", verdict: str = "verified", **plan: Any) -> Intent:
    made = Plan({}, {"k": 1}, plan.get("unseen", {}), (), ())
    return Intent(f"{action}/1/2/i", action, {}, made, phase, "m", {}, verdict)  # type: ignore[arg-type]


phases = st.sampled_from(["intended", "done", "undoing", "undone"])
verdicts = st.sampled_from(["verified", "unverified"])
intents = st.lists(
    st.builds(intent, st.sampled_from([ISOLATED, DENIED, "tag_incident"]), phases, verdicts),
    max_size=4,
    unique_by=lambda i: i.action,
)


@given(intents)
def test_contained_means_cut_off_and_denied_and_both_seen(steps: list[Intent]) -> None:
    good = {i.action for i in steps if i.phase == "done" and i.verdict == "verified"}
    assert status(steps).startswith("contained") == ({ISOLATED, DENIED} <= good)


@given(intents)
def test_a_contained_host_has_its_tracked_flows_first(steps: list[Intent]) -> None:
    said = residual(steps)
    if status(steps).startswith("contained"):
        assert said[0] == FLOWS[0]
        assert said[: len(FLOWS)] == FLOWS
    else:
        assert said[0] != FLOWS[0] or any(i.verdict != "verified" for i in steps)


@given(intents)
def test_whatever_is_not_in_effect_or_not_seen_is_said(steps: list[Intent]) -> None:
    said = residual(steps)
    for one in steps:
        told = any(one.step in text for text in said)
        assert told == (one.phase != "done" or one.verdict != "verified")


@given(intents)
def test_credentials_that_work_and_a_host_on_the_network_are_said(steps: list[Intent]) -> None:
    done = {i.action for i in steps if i.phase == "done"}
    said = residual(steps)
    assert any("credentials" in text for text in said) == (DENIED not in done)
    assert any("on the network" in text for text in said) == (ISOLATED not in done)


@pytest.mark.parametrize(
    ("kind", "contained"), [("needless", True), ("unfit", False), ("failed", False)]
)
def test_only_a_host_without_credentials_needs_no_denial(kind: str, contained: bool) -> None:
    left = {f"{DENIED}/1/2/i": {"kind": kind, "error": "why it was not"}}
    steps = [intent(ISOLATED)]
    assert status(steps, left).startswith("contained") is contained
    assert any("why it was not" in text for text in residual(steps, left)) is not contained


@given(intents)
def test_a_host_that_is_terminated_has_no_flows_and_its_sessions_are_still_said(
    steps: list[Intent],
) -> None:
    ended = [*steps, intent("terminate_instance")]
    denied = any(i.action == DENIED and i.phase == "done" for i in steps)
    said = residual(ended)
    assert not {*FLOWS, "the host is still on the network"} & set(said)
    assert any("credentials" in text for text in said) is not denied
    seen = any(i.action == DENIED and i.phase == "done" and i.verdict == "verified" for i in steps)
    assert (status(ended) == "contained, host terminated") is seen


@pytest.mark.parametrize(("phase", "verdict"), [("intended", "verified"), ("done", "unverified")])
def test_a_termination_that_nobody_saw_closes_nothing(phase: str, verdict: str) -> None:
    steps = [intent(ISOLATED), intent(DENIED)]
    unsure = [*steps, intent("terminate_instance", phase, verdict)]
    assert residual(unsure)[: len(FLOWS)] == FLOWS
    assert status(unsure) == status(steps)


def test_what_could_not_be_read_is_named() -> None:
    said = residual([intent(ISOLATED, "done", "unverified", unseen={"eni-9": "denied"})])
    assert any("eni-9 could not be read" in text for text in said)


@given(st.floats(1.0, 10.0), st.floats(1.0, 10.0))
def test_a_worse_finding_is_never_answered_more_slowly(one: float, other: float) -> None:
    low, high = (RESPONSE[from_finding(x)] for x in sorted((one, other)))
    assert high.contain <= low.contain
    assert high.acknowledge <= low.acknowledge


@pytest.mark.parametrize(
    ("from_", "to", "severity"),
    [(1.0, 3.9, "P3"), (4.0, 6.9, "P2"), (7.0, 8.9, "P1"), (9.0, 10.0, "P0")],
)
def test_the_bands_are_guarddutys(from_: float, to: float, severity: str) -> None:
    assert from_finding(from_) is from_finding(to) is Severity(severity)
