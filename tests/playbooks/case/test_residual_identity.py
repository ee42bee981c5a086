"""A principal is contained by what was done to itself, and by nothing that was done to others."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.case.residual_identity import RACE, residual, status
from tests.playbooks.case.test_residual import intent

OWN, OTHER = "1/aws-global/user/ci", "1/aws-global/user/backdoor"
ROLE = "1/aws-global/role/deployer"
ACTS = (
    "deny_principal",
    "deactivate_access_keys",
    "deny_role_sessions",
    "close_trust_policy",
    "latch_principal",
)


def on(target: str, action: str, phase: str = "done", verdict: str = "verified") -> Any:
    made = intent(action, phase, verdict)
    object.__setattr__(made, "step", f"{action}/{target}")
    return made


steps = st.lists(
    st.builds(
        on,
        st.sampled_from([OWN, OTHER]),
        st.sampled_from(ACTS),
        st.sampled_from(["intended", "done", "undone"]),
        st.sampled_from(["verified", "unverified"]),
    ),
    max_size=6,
)
lefts = st.dictionaries(
    st.sampled_from([f"{act}/{who}" for act in ACTS for who in (OWN, OTHER)]),
    st.sampled_from([{"kind": "needless", "error": ""}, {"kind": "failed", "error": "x"}]),
    max_size=3,
)


@given(steps, lefts)
def test_what_is_done_or_left_on_others_changes_nothing(done: list[Any], left: Any) -> None:
    mine = [i for i in done if OTHER not in i.step]
    own = {step: why for step, why in left.items() if OTHER not in step}
    assert status(done, left, OWN) == status(mine, own, OWN)
    assert residual(done, left, OWN) == residual(mine, own, OWN)


@given(steps, lefts)
def test_contained_is_said_only_of_what_was_read_back(done: list[Any], left: Any) -> None:
    good = {i.action for i in done if OWN in i.step and i.verdict == "verified"}
    good &= {i.action for i in done if OWN in i.step and i.phase == "done"}
    if status(done, left, OWN).startswith("contained"):
        assert good & {"deny_principal", "deny_role_sessions"}


@pytest.mark.parametrize("latched", [True, False])
def test_a_principal_that_no_latch_bound_is_said_to_be_exposed(latched: bool) -> None:
    done = [on(OWN, "deny_principal"), on(OWN, "deactivate_access_keys")]
    done += [on("9/aws-global/latch/p-1", "latch_principal")] if latched else []
    assert status(done, {}, OWN) == ("contained" if latched else "contained, race-exposed")
    assert (RACE in residual(done, {}, OWN)) is not latched


def test_a_role_needs_its_sessions_denied_and_its_trust_closed() -> None:
    denied, closed = on(ROLE, "deny_role_sessions"), on(ROLE, "close_trust_policy")
    assert status([denied], {}, ROLE) == "partial"
    assert status([closed], {}, ROLE) == "partial"
    assert status([denied, closed], {}, ROLE).startswith("contained")
    # Keys of somebody else, of whom nothing was left to do, make it no user.
    left = {f"deactivate_access_keys/{OTHER}#AKIA": {"kind": "needless", "error": ""}}
    assert status([denied, closed], left, ROLE).startswith("contained")
