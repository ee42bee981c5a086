"""What is Stanch's own is never latched, and what is protected only with a person's yes."""

import pytest

from playbooks.case.guard import Facts, Limits, Scope, decide, touched

TARGET = "444455556666/aws-global/latch/p-examplelatch"
HERE = "111122223333"


def decision(arn: str, **limits: frozenset[str]) -> str:
    scope = Scope("latch_principal", TARGET, (arn,))
    facts = Facts(
        scope=scope,
        touched=touched("444455556666", scope.keys, TARGET),
        destroys=False,
        undoes=False,
        hindrances=(),
        tags={},
        targets=frozenset(),
    )
    return decide(facts, Limits(**limits)).may


@pytest.mark.parametrize("path", ["", "team/", "a/b/"])
@pytest.mark.parametrize(
    "own",
    [
        f"{HERE}:role/stanch-responder",  # as a session of it is recognised
        f"arn:aws:iam::{HERE}:role/x/stanch-responder",
        "stanch-responder",
    ],
)
def test_its_own_role_is_never_latched_however_it_is_written(path, own):
    arn = f"arn:aws:iam::{HERE}:role/{path}stanch-responder"
    assert decision(arn, own=frozenset({own})) == "never"


def test_a_role_of_that_name_elsewhere_and_other_roles_may_be():
    own = frozenset({f"{HERE}:role/stanch-responder"})
    for arn in (
        "arn:aws:iam::777788889999:role/stanch-responder",
        f"arn:aws:iam::{HERE}:role/deploy",
        f"arn:aws:iam::{HERE}:user/alice",
    ):
        assert decision(arn, own=own) == "yes"


def test_a_protected_principal_is_asked_about():
    arn = f"arn:aws:iam::{HERE}:user/staff/alice"
    assert decision(arn, protected=frozenset({arn})) == "ask"
    assert decision(arn, protected=frozenset({"alice"})) == "ask"
    assert decision(arn, protected=frozenset({f"arn:aws:iam::{HERE}:role/alice"})) == "yes"
