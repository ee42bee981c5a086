"""Rotation while somebody works: a process of its own calls every 100 ms, and no call fails."""

import asyncio
import json
import logging
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData, select, update

from playbooks.case import schema, store
from playbooks.case.answering import answer, sign
from playbooks.case.case import Case
from playbooks.case.enter import Ending
from playbooks.case.incident import Incident, Question
from playbooks.case.play import body_of
from playbooks.case.store import Store
from playbooks.drills.range.server import serve
from playbooks.drills.range.vault import server as vault_server
from playbooks.drills.range.vault.world import VaultWorld
from playbooks.respond.opening import open_by_hand
from playbooks.respond.plays import find
from playbooks.wiring import people
from playbooks.wiring.logins import logins
from playbooks.wiring.parts import Parts
from playbooks.wiring.rotation_terms import Credential, Rotation
from playbooks.wiring.vault_terms import VaultLogin
from playbooks.wiring.vaults import Vaults
from tests.actions.aws.rotating import NAME, USER, Held, hold, keys, text_of
from tests.deployment import Deployment, deployed, go
from tests.sample import each_of_the_day
from tests.stories.test_drill import lies_in

PATIENCE = 60.0


class Consumer:
    """The process that uses the credential, and what it says of each call."""

    def __init__(self, out: Path, environment: dict[str, str], *arguments: str) -> None:
        self.out = out
        with out.open("wb") as written, out.with_suffix(".log").open("wb") as log:
            self.child = subprocess.Popen(
                [sys.executable, "-m", "playbooks.drills.consumer", *arguments],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=written,
                stderr=log,
                text=True,
            )

    @property
    def calls(self) -> list[str]:
        """Return what was said of each call that is over."""
        return self.out.read_text().rpartition("\n")[0].splitlines()

    def tell(self) -> None:
        self.child.stdin.write("changed\n")
        self.child.stdin.flush()

    def more(self, count: int, said: str = "") -> None:
        """Wait for so many further calls of which that is said."""
        before, end = len(self.calls), time.monotonic() + PATIENCE
        while len([c for c in self.calls[before:] if said in c]) < count:
            assert time.monotonic() < end, self.out.with_suffix(".log").read_text()
            assert self.child.poll() is None, self.out.with_suffix(".log").read_text()
            time.sleep(0.05)

    def stop(self) -> None:
        if not self.child.stdin.closed:
            self.child.stdin.close()
        self.child.wait(30)

    def end(self) -> Counter[str]:
        """End it and return how many calls there were, by key and whether they failed."""
        self.stop()
        return Counter(" ".join(c.split()[:2]) for c in self.calls)


@dataclass
class Story:
    """A deployment whose AWS, and Vault, are reached over HTTP, and the consumer in it."""

    made: Deployment
    parts: Parts
    held: Held
    consumer: Consumer
    vault: VaultWorld | None
    incident: Incident
    folder: Path

    @property
    def store(self) -> Store:
        return Store(self.parts.engine)

    @property
    def now(self) -> Incident:
        return self.store.read(lambda conn: store.incident(conn, self.incident.id))

    def enter(self) -> Ending:
        body = body_of(find("rotate-credentials"))
        return asyncio.run(go(self.parts, self.now, body))

    def pass_time(self, **time: float) -> None:
        self.made.world.tick(timedelta(**time).total_seconds())

    def asked(self) -> Question:
        every = self.store.read(lambda conn: store.questions(conn, self.incident.id))
        (one,) = [q for q in every if q.state == "open"]
        return one

    def say_yes(self) -> None:
        question = self.asked()
        _, key = people.who(self.parts.settings, self.folder / "bob.key")
        token = sign(question, True, "because", "bob", key, self.parts.now())
        case = Case(self.parts, self.store, self.now, body_of(find("rotate-credentials")))
        answer(self.store, case.record, question.id, token, people.known(self.parts.settings))

    def current(self) -> dict[str, Any]:
        """Return the credential that consumers read now."""
        if self.vault:
            kv = self.vault.client(self.vault.root_token).secrets.kv.v2
            return kv.read_secret_version(NAME, raise_on_deleted_version=True)["data"]["data"]
        return text_of(self.made.world)


@contextmanager
def story(folder: Path, how: str, *, in_vault: bool = False) -> Iterator[Story]:
    with ExitStack() as stack:
        made = deployed(folder)
        world = made.world
        held = hold(world)
        environment = dict(os.environ) | reading(world)
        # From here on a key is shown at once and opens AWS some seconds later.
        world.delay(3.0, 6.0)
        endpoint = stack.enter_context(serve(world))
        vault, url, into = None, "", held.secret.key
        if in_vault:
            vault = VaultWorld(seed=3, aws=world)
            url, into = stack.enter_context(vault_server.serve(vault)), f"prod/vault/secret/{NAME}"
            root = vault.client(vault.root_token)
            root.secrets.kv.v2.create_or_update_secret(NAME, text_of(world))
            root.sys.create_or_update_acl_policy(
                "reads", f'path "secret/data/{NAME}" {{ capabilities = ["read"] }}'
            )
            environment["VAULT_TOKEN"] = root.auth.token.create(policies=["reads"])["auth"][
                "client_token"
            ]
            stack.enter_context(pytest.MonkeyPatch.context()).setenv("OUR_VAULT", vault.root_token)
        consumer = Consumer(folder / "calls", environment, how, NAME, endpoint, url)
        stack.callback(consumer.stop)
        parts = over_http(made, endpoint, into, folder, url)
        aim = {"account": world.account, "region": "", "id": f"user/{USER}"}
        consumer.more(5, "ok")
        opened = open_by_hand(
            parts, Store(parts.engine), "rotate-credentials", aim, "leaked", "alice"
        )
        yield Story(made, parts, held, consumer, vault, opened, folder)


def reading(world: Any) -> dict[str, str]:
    """Return the environment of whoever may read the secret, and nothing else."""
    iam = world.client("iam", world.admin)
    iam.create_user(UserName="runner")
    may = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [may]})
    iam.put_user_policy(UserName="runner", PolicyName="read", PolicyDocument=document)
    key = iam.create_access_key(UserName="runner")["AccessKey"]
    return {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        "AWS_DEFAULT_REGION": world.region,
    }


def over_http(made: Deployment, endpoint: str, into: str, folder: Path, url: str) -> Parts:
    one = Credential(
        kind="access_key",
        target=f"{made.world.account}/aws-global/user/{USER}",
        stored=into,
        consumers=("the runner",),
    )
    known = {name: people.make(folder / f"{name}.key") for name in ("alice", "bob")}
    settings = made.settings.model_copy(
        update={
            "rotation": Rotation(credentials={"ci": one}),
            "people": known,
            "aws_endpoint": endpoint,
            "vaults": {"prod": VaultLogin(url=url, token="env:OUR_VAULT")} if url else {},
        }
    )
    made.settings = settings
    return replace(
        made.parts(),
        maker=made.over_http(endpoint),
        logins=partial(logins, settings),
        vaults=Vaults(settings, made.now).client,
    )


def through(here: Story) -> None:
    """Enter until the old key is off, with the consumer at work and time passing."""
    for _ in range(6):
        here.pass_time(minutes=16)
        here.consumer.more(3)
        here.enter()
        if keys(here.made.world).get(here.held.key) != "Active":
            return


@pytest.mark.parametrize(
    ("how", "in_vault"),
    each_of_the_day([("each", False), ("told", False), ("each", True)], nth=1),
)
def test_no_call_fails_through_the_whole_rotation(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    how: str,
    in_vault: bool,
) -> None:
    caplog.set_level(logging.DEBUG, "stanch")
    with story(tmp_path, how, in_vault=in_vault) as here:
        secrets = [here.current()["aws_secret_access_key"]]
        assert here.enter().state == "Waiting"
        new = here.current()["aws_access_key_id"]
        secrets.append(here.current()["aws_secret_access_key"])
        assert new != here.held.key
        if how == "told":
            here.consumer.more(3, here.held.key)
            here.consumer.tell()
        here.consumer.more(5, f"{new} ok")
        through(here)
        assert keys(here.made.world) == {here.held.key: "Inactive", new: "Active"}
        here.consumer.more(5, f"{new} ok")
        here.pass_time(hours=24)
        here.enter()
        here.say_yes()
        assert here.enter().state == "Completed"
        assert keys(here.made.world) == {new: "Active"}
        here.consumer.more(5, f"{new} ok")
        calls = here.consumer.end()
        assert set(calls) == {f"{here.held.key} ok", f"{new} ok"}, calls
        assert here.now.status == "done"
        places = nowhere(here, secrets, caplog.text)
    with capsys.disabled():
        print(f"\n{how}{', Vault' if in_vault else ''}: {sum(calls.values())} calls, 0 failed; ")
        print(f"{len(secrets)} secrets in none of {places} places")


def test_whoever_never_picks_the_new_key_up_keeps_working(tmp_path: Path) -> None:
    with story(tmp_path, "once") as here:
        here.enter()
        for _ in range(4):
            here.pass_time(hours=7)
            here.consumer.more(3)
            assert here.enter().state == "Waiting"
        assert keys(here.made.world)[here.held.key] == "Active"
        assert here.asked().about["read by"] == ["the runner"]
        assert set(here.consumer.end()) == {f"{here.held.key} ok"}


def test_abuse_that_is_recorded_cuts_and_says_what_breaks(tmp_path: Path) -> None:
    with story(tmp_path, "once") as here:
        alert = {"finding_info": {"types": ["CredentialAccess:IAMUser/AnomalousBehavior"]}}
        table = schema.incidents
        change = update(table).where(table.c.id == here.incident.id).values(alert=alert)
        here.store.commit(lambda conn: conn.execute(change))
        here.enter()
        assert keys(here.made.world)[here.held.key] == "Inactive"
        here.pass_time(minutes=1)
        here.consumer.more(3, "failed")
        told = here.store.read(
            lambda conn: store.kept(conn, here.incident.id, "tell/old key of ci goes")
        )
        assert told["facts"]["breaks"] == ["the runner"]
        assert set(here.consumer.end()) == {f"{here.held.key} ok", f"{here.held.key} failed"}


def nowhere(here: Story, secrets: list[str], log: str) -> int:
    """Fail where one of the secrets lies in what is kept; return how many places were looked at."""
    tables = MetaData()
    tables.reflect(here.parts.engine)
    rows = []
    for table in tables.sorted_tables:
        rows += here.store.read(lambda conn, one=table: list(map(str, conn.execute(select(one)))))
    files = [p for p in here.parts.settings.home.rglob("*") if p.is_file()]
    places = {str(p): p.read_bytes() for p in files} | {"the database": "\n".join(rows).encode()}
    places["the log"] = log.encode()
    assert b"create_access_key" in places["the database"]
    assert b"rotated" in places["the log"]
    for secret in secrets:
        assert [name for name, data in places.items() if lies_in(secret, data)] == []
    return len(places)
