"""A rotation waits for its consumers, cuts only for abuse or a person's word, and is re-entered."""

import asyncio
import json
from datetime import timedelta

from sqlalchemy import update

from playbooks.case import freezing, schema, store
from playbooks.case.play import body_of
from playbooks.case.rehearsing import rehearse
from playbooks.desk.cli.open import open_by_hand
from playbooks.respond.plays import find
from playbooks.wiring.rotation_terms import Credential, Rotation
from tests.actions.aws.rotating import NAME, USER, hold, keys, text_of, who
from tests.playbooks.rotation.leaking import in_vault, key_of_ci
from tests.playbooks.scene import apart

CI = "ci-key"


def declared(s, **more):
    place = f"{s.world.account}/{s.world.region}"
    one = Credential(
        kind="access_key",
        target=f"{s.world.account}/aws-global/user/{USER}",
        stored=f"{place}/secret/{NAME}",
        consumers=("the CI runner",),
    )
    return Rotation(credentials={CI: one, **more})


def opened(s, target=f"user/{USER}", **where):
    s.person("alice"), s.person("bob")
    aim = {"account": s.world.account, "region": "", "id": target} | where
    return open_by_hand(s.parts, s.store, "rotate-credentials", aim, "leaked", "alice")


def enter(s, incident):
    return s.enter(incident, body_of(find("rotate-credentials")))


def pass_time(s, **time):
    s.world.tick(timedelta(**time).total_seconds())


def consume(s, held=None):
    """Use the key that the secret holds now, as a consumer that reads it each time does."""
    return who(s.world, held or text_of(s.world))


@apart
def test_the_old_key_goes_once_it_is_seen_to_be_left(s):
    held = hold(s.world)
    s.set(rotation=declared(s))
    consume(s)
    incident = opened(s)
    assert enter(s, incident).state == "Waiting"
    assert keys(s.world)[held.key] == "Active"
    assert text_of(s.world)["aws_access_key_id"] != held.key
    for _ in range(5):  # five quarters of an hour, with the consumer at work
        consume(s)
        pass_time(s, minutes=16)
        ending = enter(s, incident)
    assert keys(s.world)[held.key] == "Inactive"
    assert ending.state == "Completed"
    consume(s)
    pass_time(s, hours=24)
    assert enter(s, incident).state == "Waiting"
    asked = s.asked(incident)
    assert asked.scopes[0]["action"] == "delete_access_key"
    s.say(asked)
    assert enter(s, incident).state == "Completed"
    assert keys(s.world) == {text_of(s.world)["aws_access_key_id"]: "Active"}
    assert s.now(incident).status == "done"


@apart
def test_while_the_old_key_is_used_it_stays_however_long(s):
    held = hold(s.world)
    old = text_of(s.world)
    s.set(rotation=declared(s))
    incident = opened(s)
    for _ in range(8):
        consume(s, old)  # never picks the new one up
        assert enter(s, incident).state == "Waiting"
        pass_time(s, hours=5)
    assert keys(s.world)[held.key] == "Active"
    assert "still works" in " ".join(s.case(incident).residual)
    assert USER in who(s.world, old)


@apart
def test_a_persons_word_lets_it_go_and_a_no_does_not(s):
    held = hold(s.world)
    s.set(rotation=declared(s))
    incident = opened(s)
    enter(s, incident)
    first = s.asked(incident)
    assert first.about["read by"] == ["the CI runner"]
    assert held.key in " ".join(first.about["use"])
    s.say(first, yes=False)
    assert enter(s, incident).state == "Waiting"
    assert keys(s.world)[held.key] == "Active"
    s.say(s.asked(incident))
    enter(s, incident)
    assert keys(s.world)[held.key] == "Inactive"


@apart
def test_abuse_that_is_recorded_cuts_at_once_and_says_what_breaks(s):
    held = hold(s.world)
    old = text_of(s.world)
    s.set(rotation=declared(s))
    consume(s, old)
    incident = opened(s)
    alert = {"finding_info": {"types": ["UnauthorizedAccess:IAMUser/MaliciousIPCaller.Custom"]}}
    table = schema.incidents
    s.store.commit(
        lambda conn: conn.execute(
            update(table).where(table.c.id == incident.id).values(alert=alert)
        )
    )
    enter(s, incident)
    assert keys(s.world)[held.key] == "Inactive"
    told = s.store.read(lambda conn: store.kept(conn, incident.id, f"tell/old key of {CI} goes"))
    assert told["facts"]["breaks"] == ["the CI runner"]
    assert "UnauthorizedAccess" in told["facts"]["why"]
    assert USER in consume(s)


@apart
def test_of_two_keys_the_idle_one_is_asked_for_and_a_no_stops_it(s):
    held = hold(s.world)
    iam = s.aws("iam")
    idle = iam.create_access_key(UserName=USER)["AccessKey"]["AccessKeyId"]
    consume(s)
    s.set(rotation=declared(s))
    incident = opened(s)
    assert enter(s, incident).state == "Waiting"
    asked = s.asked(incident)
    assert idle in " ".join(asked.scopes[0]["lost"])
    assert set(keys(s.world)) == {held.key, idle}
    s.say(asked, yes=False)
    enter(s, incident)
    assert set(keys(s.world)) == {held.key, idle}
    assert "Delete one by hand" in " ".join(s.case(incident).residual)


@apart
def test_a_dry_run_shows_the_order_and_touches_nothing(s):
    hold(s.world)
    s.set(rotation=declared(s))
    incident = opened(s)
    before = s.world.digest()
    planned = asyncio.run(rehearse(s.case(incident, body_of(find("rotate-credentials")))))
    assert s.world.digest() == before
    assert planned[0].step == f"rotation/{CI}"
    assert "read by the CI runner; leaked" in planned[0].plan.blast[0]
    actions = [p.scope.action for p in planned[1:]]
    assert actions[:3] == ["create_access_key", "move_secret_stages", "deactivate_access_keys"]


@apart
def test_what_nobody_declared_is_refused_with_what_to_write(s):
    s.world.client("iam", s.world.admin).create_user(UserName="stranger")
    s.set(rotation=declared(s))
    incident = opened(s, "user/stranger")
    ending = enter(s, incident)
    assert ending.state == "Refused"
    assert "[rotation.credentials.NAME]" in ending.says


@apart
def test_no_secret_stands_in_what_is_kept(s):
    hold(s.world)
    old = text_of(s.world)["aws_secret_access_key"]
    s.set(rotation=declared(s))
    incident = opened(s)
    enter(s, incident)
    new = text_of(s.world)["aws_secret_access_key"]
    s.say(s.asked(incident))
    enter(s, incident)
    kept = json.dumps([repr(e) for e in s.entries(incident)])
    files = [p.read_bytes() for p in s.parts.settings.home.rglob("*") if p.is_file()]
    for secret in (old, new):
        assert secret not in kept
        assert not [1 for data in files if secret.encode() in data]


@apart
def test_where_it_is_only_proposed_the_order_is_shown_and_one_yes_covers_it(s):
    held = hold(s.world)
    s.set(rotation=declared(s))
    incident = opened(s)
    table = schema.incidents
    why = {"hindrances": ["the type is not pre-approved"]}
    s.store.commit(
        lambda conn: conn.execute(update(table).where(table.c.id == incident.id).values(**why))
    )
    assert enter(s, incident).state == "Waiting"
    asked = s.asked(incident)
    assert any("read by the CI runner; leaked" in line for line in asked.about["blast"])
    assert keys(s.world) == {held.key: "Active"}
    s.say(asked)
    assert enter(s, incident).state == "Waiting"
    s.say(s.asked(incident))
    assert enter(s, incident).state == "Completed"
    assert keys(s.world)[held.key] == "Inactive"


@apart
def test_a_freeze_where_the_key_is_kept_keeps_it_from_being_made(s):
    held = hold(s.world)
    vault = in_vault(s)
    kv = vault.client(vault.root_token).secrets.kv.v2
    kv.create_or_update_secret("shop/ci", text_of(s.world))
    one = key_of_ci(s).model_copy(update={"stored": "prod/vault/secret/shop/ci"})
    s.set(rotation=Rotation(credentials={CI: one}))
    incident = opened(s)
    freezing.freeze(s.store, s.case(incident).record, "prod", "an audit")
    assert enter(s, incident).state == "Frozen"
    assert keys(s.world) == {held.key: "Active"}
