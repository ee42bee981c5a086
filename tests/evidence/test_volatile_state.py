"""What a host says of itself is taken as said: claims beside our hash, and in a fixed form only."""

import hashlib
import json
from io import BytesIO
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from evidence.sources.item import Item, Missed
from evidence.sources.volatile_state import CONTENT, VolatileState

SCRIPT = "5" * 64
BODY = b"=== processes\n"
HASH = hashlib.sha256(BODY).hexdigest()
GOOD = f"""stanch: script_sha256={SCRIPT}
stanch: section=processes state=acquired tool=ps
stanch: size={len(BODY)}
stanch: sha256={HASH}
stanch: upload=200
"""
SENT = VolatileState("i-1", "111122223333", "eu-west-1", "c-1", "bucket", "volatile/x", SCRIPT)


class Service:
    """Answers one operation as boto3 does; a code is raised as its error."""

    def __init__(self, given: Any) -> None:
        self.given = given
        self.asked: dict[str, Any] = {}

    def can_paginate(self, operation_name: str, /) -> bool:
        return False

    def get_paginator(self, operation_name: str, /) -> Any:
        raise AssertionError(operation_name)

    def _answer(self, **asked: Any) -> Any:
        self.asked = asked
        if isinstance(self.given, str):
            raise ClientError({"Error": {"Code": self.given, "Message": ""}}, "Operation")
        return self.given

    get_command_invocation = get_object = _answer


class Clients:
    def __init__(self, output: str = GOOD, body: bytes | str = BODY, status: str = "Success"):
        told = {"Status": status, "StandardOutputContent": output, "StandardErrorContent": "X-Amz"}
        self.ssm = Service(told)
        held = isinstance(body, bytes)
        stored = {"Body": BytesIO(body), "ContentLength": len(body), "ETag": "e"} if held else body
        self.s3 = Service(stored)


def collected(source: VolatileState, clients: Clients) -> tuple[dict[str, Any], list[Missed], Any]:
    """Return the items by name, what was missed, and the outcome; streams are read as they come."""
    items: dict[str, Any] = {}
    missed = []
    for one in source.collect(clients):
        if isinstance(one, Missed):
            missed.append(one)
            continue
        data = one.data
        while one.stream and (block := one.stream.read()):
            data += block
        items[one.name] = (one, data)
    return items, missed, json.loads(items["volatile_state.outcome"][1])


def claims(item: Item) -> dict[str, str]:
    return {c.name: c.value for c in item.claims()}


def test_all_that_was_told_and_uploaded_is_acquired() -> None:
    clients = Clients()
    items, missed, end = collected(SENT, clients)
    assert (end["state"], missed, end["findings"]) == ("acquired", [], [])
    item, data = items[CONTENT]
    assert (data, item.sensitive) == (BODY, True)
    assert claims(item)["sha256"] == HASH
    assert clients.s3.asked["ExpectedBucketOwner"] == "111122223333"


def test_a_hash_that_differs_is_a_finding_with_both() -> None:
    items, _, end = collected(SENT, Clients(GOOD.replace(HASH, "0" * 64)))
    assert end["findings"] == [{"finding": "hash_differs", "host": "0" * 64, "stanch": HASH}]
    told = claims(items[CONTENT][0])
    assert (told["sha256"], told["sha256_as_read"]) == ("0" * 64, HASH)


def test_another_script_is_a_finding() -> None:
    _, _, end = collected(SENT, Clients(GOOD.replace(SCRIPT, "6" * 64)))
    [found] = end["findings"]
    assert found == {"finding": "script_differs", "host": "6" * 64, "expected": SCRIPT}


@pytest.mark.parametrize(
    ("clients", "why", "missed"),
    [
        pytest.param({"body": "NoSuchKey"}, "the host uploaded nothing", [CONTENT], id="nothing"),
        pytest.param({"body": b""}, "what the host uploaded is empty", [], id="empty"),
        pytest.param({"output": ""}, "the host told no hash of what it uploaded", [], id="no-hash"),
    ],
)
def test_what_is_not_there_or_empty_or_not_hashed_has_failed(
    clients: dict[str, Any], why: str, missed: list[str]
) -> None:
    _, lacking, end = collected(SENT, Clients(**clients))
    assert (end["state"], end["why"][0]) == ("failed", why)
    assert [one.name for one in lacking] == missed


def test_a_missing_tool_or_an_unreported_end_makes_it_partial() -> None:
    lacks = GOOD.replace("state=acquired", "state=unsupported")
    _, _, end = collected(SENT, Clients(lacks, status="InProgress"))
    assert end["state"] == "partial"
    assert "processes is unsupported: ps" in end["why"]
    assert "the command is InProgress, as far as the agent could report" in end["why"]


def test_the_host_s_output_is_kept_by_nobody() -> None:
    """It may write an address there, or anything."""
    noise = "https://x/?X-Amz-Signature=canary\nstanch: sha256=../../canary\nstanch: canary=1\n"
    items, _, _ = collected(SENT, Clients(noise + GOOD + noise))
    told = b"".join(data for _, data in items.values())
    assert b"canary" not in told
    assert b"X-Amz" not in told


@given(st.text(max_size=300))
def test_no_output_of_a_host_stops_the_collection_or_gets_into_it(noise: str) -> None:
    items, _, end = collected(SENT, Clients(noise))
    assert end["state"] in ("failed", "acquired", "partial")
    told = json.loads(items["volatile_state.command"][1])
    assert told["told"].keys() <= {"script_sha256", "sha256", "size", "upload", "missing"}


def test_what_was_not_begun_says_why_and_asks_nothing() -> None:
    clients = Clients()
    begun = ("unsupported", "no agent"), ("failed", "given up: P0")
    for state, why in begun:
        source = VolatileState("i-1", "1" * 12, "eu-west-1", why=why, state=state)  # type: ignore[arg-type]
        items, missed, end = collected(source, clients)
        assert (list(items), missed) == (["volatile_state.outcome"], [])
        assert (end["state"], end["why"][0]) == (state, why)
    assert (clients.ssm.asked, clients.s3.asked) == ({}, {})


def test_memory_is_said_to_be_unsupported_and_never_run() -> None:
    _, _, end = collected(SENT, Clients())
    assert [why for why in end["why"] if why.startswith("memory is unsupported: ")]
    assert [why for why in end["why"] if why.startswith("contract only: ")]
