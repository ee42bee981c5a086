"""What a host forgets is asked for before it is cut off, for seconds; and what came is told truly.

The document runs in a shell and uploads over HTTP; the host around it is the practice range's.
"""

import asyncio
import hashlib
import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.config import Config

from actions.aws import collection_document as pinned
from actions.aws.deny_instance_sessions import DenyInstanceSessions
from evidence import jws
from evidence.deposit import KIND
from evidence.manifest import TYP, read_manifest
from playbooks.case.case import Case
from playbooks.case.enter import Body
from playbooks.case.incident import Incident
from playbooks.case.volatile import collect_first, keep_collected
from playbooks.drills.range.agent import Agent
from playbooks.drills.range.estate_agent import make_collectable
from playbooks.drills.range.server import serve
from playbooks.wiring.settings import Collection
from tests.playbooks.scene import Scene, apart

# Counts what it is asked: the script's hash is told as it is, the content's is not.
LIES = """#!/bin/sh
h=$({real})
if [ -e "$TMPDIR/asked" ]; then echo "{zeros}  -"; else : > "$TMPDIR/asked"; echo "$h"; fi
"""


async def cut_off(case: Case) -> None:
    host = case.target
    await collect_first(case, host, lambda: case.act(DenyInstanceSessions(host)))
    await keep_collected(case, host)


@contextmanager
def collectable(scene: Scene, agent: Agent | None = None, seconds: float = 20.0) -> Iterator[None]:
    """Serve the world, prepare the account, and let S3 be reached over HTTP, in real time."""
    bucket = pinned.bucket_of(scene.estate.account, scene.estate.region)
    place = (scene.world, (scene.estate.target,), bucket, pinned.text(), pinned.NAME)
    make_collectable(*place, agent)
    scene.set(collection=Collection(seconds=seconds))
    inner = scene.parts.maker
    with serve(scene.world) as endpoint:
        keys = scene.world.admin
        s3 = boto3.client(
            "s3",
            region_name=scene.estate.region,
            endpoint_url=endpoint,
            aws_access_key_id=keys.access_key,
            aws_secret_access_key=keys.secret_key,
            config=Config(signature_version="s3v4"),
        )

        def maker(account: str, region: str) -> Any:
            return lambda service: s3 if service == "s3" else inner(account, region)(service)

        scene.parts = replace(scene.parts, maker=maker, sleep=asyncio.sleep)
        yield


def kept(scene: Scene, incident: Incident) -> dict[str, dict[str, Any]]:
    """Return what the source gave, by name."""
    told = scene.entries(incident)
    bodies = [e.body for e in told if e.leaf.kind == KIND]
    return {b["name"]: b for b in bodies if b["source"] == "volatile_state"}


def outcome(scene: Scene, found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    data = scene.parts.locker.read(found["volatile_state.outcome"]["stored_sha256"])
    whole: dict[str, Any] = json.loads(data)
    return whole


def content(scene: Scene, found: dict[str, dict[str, Any]]) -> tuple[bytes, dict[str, str]]:
    """Return what was uploaded as it lies in the locker, and what the host claims of it."""
    parts, key = scene.parts, scene.parts.keys.manifest
    token = parts.locker.read(found["volatile_state.content"]["manifest_sha256"]).decode()
    manifest = read_manifest(jws.verify(token, {key.kid: key.key.public_key()}, TYP))
    assert manifest.encryption is not None
    data = parts.locker.open_sensitive(manifest.stored_sha256, manifest.encryption, parts.keys.wrap)
    return data, {c.name: c.value for c in manifest.claims}


def called(scene: Scene) -> list[str]:
    return [c.operation for c in scene.world.calls]


@apart
def test_it_comes_before_the_denial_and_its_hash_is_ours(scene: Scene) -> None:
    with collectable(scene):
        incident, _ = scene.play(cut_off)
    order = called(scene)
    assert order.index("SendCommand") < order.index("PutObject") < order.index("PutRolePolicy")
    found = kept(scene, incident)
    assert outcome(scene, found)["state"] == "acquired"
    data, claims = content(scene, found)
    assert b"203.0.113.77:443" in data
    assert claims["sha256"] == claims["sha256_as_read"] == hashlib.sha256(data).hexdigest()
    assert claims["script_sha256"] == claims["expected_script_sha256"] == pinned.script_sha256()
    assert "collection.ended" in scene.kinds(incident)


@apart
def test_what_is_lacking_to_it_is_said_in_it(scene: Scene) -> None:
    with collectable(scene, Agent(tools={"lsof": None})):
        incident, _ = scene.play(cut_off)
    told = outcome(scene, kept(scene, incident))
    assert told["state"] == "partial"
    assert told["why"][0] == "open_files is unsupported: lsof"
    assert any(why.startswith("memory is unsupported") for why in told["why"])


@apart
def test_the_address_is_nowhere_afterwards(scene: Scene) -> None:
    with collectable(scene):
        incident, _ = scene.play(cut_off)
    [sent] = [c for c in scene.world.calls if c.operation == "SendCommand"]
    [address] = sent.params["Parameters"]["Upload"]
    signature = re.search(r"X-Amz-Signature=([0-9a-f]{64})", address)
    assert signature
    scene.parts.engine.dispose()
    files = [f for f in scene.folder.rglob("*") if f.is_file()]
    assert any(f.name == "stanch.db" for f in files)
    told = b"".join(f.read_bytes() for f in files)
    assert signature[1].encode() not in told
    assert b"X-Amz-Signature" not in told
    data, _ = content(scene, kept(scene, incident))
    assert b"X-Amz" not in data


@apart
def test_a_host_that_lies_about_its_hash_is_noted_with_both(scene: Scene) -> None:
    lies = LIES.format(real=shutil.which("sha256sum"), zeros="0" * 64)
    with collectable(scene, Agent(tools={"sha256sum": lies})):
        incident, _ = scene.play(cut_off)
    found = kept(scene, incident)
    data, claims = content(scene, found)
    assert claims["sha256"] == "0" * 64
    ours = hashlib.sha256(data).hexdigest()
    expected = {"finding": "hash_differs", "host": "0" * 64, "stanch": ours}
    assert outcome(scene, found)["findings"] == [expected]


@apart
def test_without_an_agent_it_is_unsupported_and_nothing_waits(scene: Scene) -> None:
    incident, _ = scene.play(cut_off)
    assert "SendCommand" not in called(scene)
    assert scene.steps(incident)["deny_instance_sessions"].phase == "done"
    found = kept(scene, incident)
    told = outcome(scene, found)
    assert (list(found), told["state"]) == (["volatile_state.outcome"], "unsupported")
    assert "no Systems Manager agent" in told["why"][0]
    assert not any("collection" in text for text in scene.case(incident).residual)


@pytest.mark.parametrize(
    ("seconds", "severity", "why"),
    [
        pytest.param(0.0, 8, "containment goes first", id="zero-seconds"),
        pytest.param(20.0, 9.5, "in a P0", id="p0"),
    ],
)
@apart
def test_it_is_given_up_where_nothing_may_go_before(
    scene: Scene, seconds: float, severity: float, why: str
) -> None:
    with collectable(scene, seconds=seconds):
        incident, _ = scene.play(cut_off, severity=severity)
    assert not {"SendCommand", "DescribeInstanceInformation"} & {*called(scene)}
    told = outcome(scene, kept(scene, incident))
    assert told["state"] == "failed"
    assert told["why"][0].startswith("given up: ")
    assert why in told["why"][0]
    assert "collection.given-up" in scene.kinds(incident)


SLOW = Agent(tools={"ps": "#!/bin/sh\nsleep 3\n", "sleep": "#!/bin/sh\nexec /bin/sleep 3\n"})


def slowly(scene: Scene, *, keep_ssm: bool, until: Callable[[], bool]) -> Body:
    """Return a body that cuts a slow host off, and looks at what came once that is so."""

    async def body(case: Case) -> None:
        host = case.target
        deny = DenyInstanceSessions(host, keep_ssm=keep_ssm)
        await collect_first(case, host, lambda: case.act(deny))
        end = time.monotonic() + 20
        while not until() and time.monotonic() < end:
            await asyncio.sleep(0.1)
        await keep_collected(case, host)

    return body


@apart
def test_a_slow_host_is_cut_off_and_what_comes_after_all_bears_no_hash(scene: Scene) -> None:
    """Its agent cannot report any more; its upload needs no role of its own, and arrives."""
    with collectable(scene, SLOW, seconds=1.0):
        body = slowly(scene, keep_ssm=False, until=lambda: "PutObject" in called(scene))
        incident, _ = scene.play(body)
    order = called(scene)
    assert order.index("PutRolePolicy") < order.index("PutObject")
    assert "collection.given-up" in scene.kinds(incident)
    found = kept(scene, incident)
    told = outcome(scene, found)
    assert told["state"] == "failed"
    assert told["why"][0] == "the host told no hash of what it uploaded"
    assert content(scene, found)[0]


@apart
def test_an_agent_that_is_left_its_own_calls_reports_after_the_denial(scene: Scene) -> None:
    def reported() -> bool:
        return [c.status for c in scene.world.ground.kept.commands.values()] == ["Success"]

    with collectable(scene, SLOW, seconds=1.0):
        incident, _ = scene.play(slowly(scene, keep_ssm=True, until=reported))
    order = called(scene)
    assert order.index("PutRolePolicy") < order.index("PutObject")
    found = kept(scene, incident)
    data, claims = content(scene, found)
    assert claims["sha256"] == hashlib.sha256(data).hexdigest()
    assert outcome(scene, found)["state"] == "acquired"


@apart
def test_entered_again_it_is_asked_once_and_waits_no_more(scene: Scene) -> None:
    with collectable(scene):
        incident, _ = scene.play(cut_off)
        since = len(scene.world.calls)
        scene.enter(scene.now(incident), cut_off)
    again = [c.operation for c in scene.world.calls[since:]]
    assert not {"SendCommand", "GetCommandInvocation", "GetObject"} & {*again}
    assert scene.kinds(incident).count("collection.ended") == 1


@apart
def test_a_death_after_sending_sends_nothing_twice(scene: Scene) -> None:
    class Dead(BaseException):
        pass

    with collectable(scene):
        incident = scene.take()
        inner = scene.parts.maker

        def dying(account: str, region: str) -> Any:
            def make(service: str) -> Any:
                client = inner(account, region)(service)
                if service == "ssm":
                    client.meta.events.register("after-call.ssm.SendCommand", die, unique_id="die")
                return client

            return make

        def die(**_: Any) -> None:
            raise Dead

        alive = scene.parts
        scene.parts = replace(alive, maker=dying)

        async def asking(case: Case) -> None:
            # A process that dies denies nothing any more, as one that only fails here would.
            await collect_first(case, case.target, lambda: asyncio.sleep(0))

        with pytest.raises(Dead):
            scene.enter(incident, asking)
        client = inner(scene.estate.account, scene.estate.region)("ssm")
        client.meta.events.unregister("after-call.ssm.SendCommand", unique_id="die")
        scene.parts = alive
        scene.enter(scene.now(incident), cut_off)
    assert called(scene).count("SendCommand") == 1
    assert outcome(scene, kept(scene, incident))["state"] == "acquired"
