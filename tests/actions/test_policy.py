"""The printed policy says exactly what the actions declare: nothing less, and nothing more."""

import json
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.action import Action
from actions.catalogue import catalogue
from actions.permission import Permission
from actions.policy import LIMIT, length, policies, policy
from tests.actions.memory_world import SetKeys

WHERE = {"account": "111122223333", "region": "eu-west-1", "partition": "aws-us-gov"}
Triple = tuple[str, str, str]

names = st.sampled_from(["ec2:DescribeInstances", "ec2:CreateTags", "iam:PassRole", "iam:GetRole"])
resources = st.sampled_from(
    ["*", "arn:{partition}:ec2:{region}:{account}:vpc/*", "arn:{partition}:iam::{account}:role/*"]
)
conditions = st.sampled_from(
    [{}, {"StringEquals": {"ec2:CreateAction": ["A", "B"]}}, {"ArnLike": {"k": "{account}"}}]
)
permissions = st.builds(Permission, names, resources, conditions)
kinds = st.lists(st.lists(permissions, max_size=6).map(tuple), max_size=5)


def made(declared: list[tuple[Permission, ...]]) -> list[type[Action[Any]]]:
    """Return a class of action for each set of permissions."""
    return [type(f"Act{i}", (SetKeys,), {"permissions": p}) for i, p in enumerate(declared)]


def declared(kinds: list[type[Action[Any]]]) -> set[Triple]:
    """Return what the actions ask for, with the open places filled."""

    def filled(text: str) -> str:
        for name, value in WHERE.items():
            text = text.replace("{" + name + "}", value)
        return text

    return {
        (p.action, filled(p.resource), filled(json.dumps(p.condition, sort_keys=True)))
        for kind in kinds
        for p in kind.permissions
    }


def allowed(document: dict[str, Any]) -> set[Triple]:
    """Return what a policy document allows, one triple for each action on each resource."""
    found = set()
    for said in document["Statement"]:
        assert said["Effect"] == "Allow"
        assert not {"NotAction", "NotResource"} & said.keys()
        on = [said["Resource"]] if said["Resource"] == "*" else said["Resource"]
        condition = json.dumps(said.get("Condition", {}), sort_keys=True)
        found |= {(a, r, condition) for a, r in product(said["Action"], on)}
    return found


@given(kinds)
def test_it_allows_what_is_declared_and_nothing_else(what: list[tuple[Permission, ...]]) -> None:
    assert allowed(policy(made(what), **WHERE)) == declared(made(what))


@given(kinds, st.randoms())
def test_it_does_not_depend_on_order(what: list[tuple[Permission, ...]], rng: Any) -> None:
    kinds = made(what)
    first = json.dumps(policy(kinds, **WHERE))
    rng.shuffle(kinds)
    assert json.dumps(policy([*kinds, *kinds], **WHERE)) == first


@given(kinds, st.integers(330, 900))
def test_it_is_split_where_one_policy_cannot_hold_it(
    what: list[tuple[Permission, ...]], limit: int
) -> None:
    documents = policies(made(what), **WHERE, limit=limit)
    assert all(length(d) <= limit for d in documents)
    assert set().union(*map(allowed, documents)) == declared(made(what))


def test_what_no_policy_can_hold_is_refused() -> None:
    (kind,) = made([tuple(Permission(f"ec2:Describe{i}") for i in range(100))])
    with pytest.raises(ValueError, match="longer than 400 characters"):
        policies([kind], **WHERE, limit=400)


def test_all_actions_together_stay_within_iams_limit() -> None:
    # What a Vault is asked for stands in that Vault's policies, not in IAM's.
    kinds = [kind for kind in catalogue().values() if ".vault." not in kind.__module__]
    documents = policies(kinds, **WHERE)
    assert kinds
    assert all(0 < length(d) <= LIMIT for d in documents)
    assert set().union(*map(allowed, documents)) == declared(kinds)
    # "{" stays open nowhere, and IAM's own variables are not touched.
    assert "{" not in "".join(r for _, r, _ in declared(kinds))


@pytest.mark.parametrize("name", catalogue())
def test_what_changes_the_world_names_its_resources(name: str) -> None:
    for p in catalogue()[name].permissions:
        reads = p.action.partition(":")[2].startswith(("Describe", "Get", "List", "Lookup"))
        assert reads or p.resource != "*", f"{p.action} may be done to anything"
        assert "*" not in p.action
