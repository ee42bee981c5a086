"""For an incident, a campaign is over what its principal could reach, as it is right now."""

import json

import pytest

from evidence import ledger
from playbooks.errors import UnknownIncidentError
from playbooks.review.errors import InventoryError
from playbooks.review.incident_scope import start_for_incident
from tests.playbooks.review.staff import allow, decide, hire, rows_of, trust
from tests.playbooks.scene import Scene, apart


def site(scene: Scene) -> str:
    """Let alice assume a role that may assume another; return alice's key."""
    iam = scene.aws("iam")
    hire(iam)
    account = scene.estate.account
    for name, whom in (("near", "user/alice"), ("far", "role/near")):
        principal = {"AWS": f"arn:aws:iam::{account}:{whom}"}
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(principal))
        iam.put_role_policy(
            RoleName=name, PolicyName="p", PolicyDocument=json.dumps(allow(f"s3:Get{name}"))
        )
    return f"{account}/aws-global/user/alice"


@apart
def test_only_what_can_be_reached_is_listed_with_the_way_there(scene: Scene) -> None:
    alice = site(scene)
    incident = scene.take()
    scene.world.calls.clear()
    review = start_for_incident(scene.parts, scene.store, incident.id, alice, "erin")
    called = {c.operation for c in scene.world.calls}
    assert "GetAccessKeyLastUsed" in called
    assert not any("CredentialReport" in c for c in called), "it is hours old"
    rows = rows_of(scene, review)
    names = {name.partition(" ")[0] for name in rows}
    assert names == {"user/alice", "role/near", "role/far", "group/ops"}
    (key,) = [n.rpartition("/")[2] for n in rows if "user/alice key/" in n]
    assert key.startswith("AKIA")
    assert "no MFA" in rows["user/alice console"].flags
    assert rows["role/far inline/p"].owner == ""
    assert (review.scope["incident"], review.scope["principal"]) == (incident.id, alice)
    entries = scene.store.read(lambda conn: list(ledger.entries(conn, review.id)))
    (kept,) = [e.body for e in entries if e.body.get("name") == "reach.json"]
    with scene.parts.locker.open(kept["stored_sha256"]) as file:
        told = {one["principal"].rpartition("/")[2]: one for one in json.load(file)}
    assert told["far"]["way"] == [
        f"{alice} -> {alice.replace('user/alice', 'role/near')}: assumes it",
        f"{alice.replace('user/alice', 'role/near')} -> "
        f"{alice.replace('user/alice', 'role/far')}: assumes it",
    ]
    assert told["far"]["may"] == {"s3:Getfar": ["*"]}


@apart
def test_a_key_is_decided_by_its_id(scene: Scene) -> None:
    alice = site(scene)
    review = start_for_incident(scene.parts, scene.store, scene.take().id, alice, "erin")
    (name,) = [n for n in rows_of(scene, review) if "user/alice key/" in n]
    assert decide(scene, review, "frank", (name, "revoke")) == 1


@apart
def test_who_is_not_there_and_no_incident_are_said_to_be_wrong(scene: Scene) -> None:
    account = scene.estate.account
    nobody = f"{account}/aws-global/user/nobody"
    with pytest.raises(UnknownIncidentError):
        start_for_incident(scene.parts, scene.store, "INC-0099", nobody, "erin")
    incident = scene.take().id
    with pytest.raises(InventoryError, match="there is no"):
        start_for_incident(scene.parts, scene.store, incident, nobody, "erin")
