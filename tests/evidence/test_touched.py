"""What an identity wrote or deleted in S3 is read out of log files, however they are cut."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.sources.touched import MOST, WRITES, Touches


def record(event: str, key: str, **changes: Any) -> dict[str, Any]:
    return {
        "eventSource": "s3.amazonaws.com",
        "eventName": event,
        "userIdentity": {"type": "IAMUser", "userName": "thief", "accessKeyId": "AKIATHIEF"},
        "requestParameters": {"bucketName": "shop", "key": key},
    } | changes


def found(content: bytes, actors: frozenset[str], size: int = 1 << 20) -> list[tuple[str, str]]:
    touches = Touches(actors)
    for at in range(0, len(content), size):
        touches.take(content[at : at + size])
    return touches.found()


THIEF = frozenset({"thief"})
SESSION = {"sessionContext": {"sessionIssuer": {"userName": "thief"}}, "type": "AssumedRole"}


@given(st.sampled_from(sorted(WRITES)), st.integers(1, 500))
def test_each_object_that_was_written_or_deleted_is_found_once(event: str, size: int) -> None:
    rows = [
        record(event, "a"),
        record(event, "a"),
        record(event, "b/c", userIdentity=SESSION),
        record(event, "refused", errorCode="AccessDenied"),
        record(event, "another's", userIdentity={"userName": "alice"}),
        record("GetObject", "read"),
        record(event, "elsewhere", eventSource="ec2.amazonaws.com"),
    ]
    content = json.dumps({"Records": rows}).encode()
    assert found(content, THIEF, size) == [("shop/a", event), ("shop/b/c", event)]
    assert found(content, frozenset({"AKIATHIEF"}), size) == [("shop/a", event)]
    assert found(content, frozenset(), size) == []


@given(
    st.recursive(
        st.none() | st.text() | st.integers(),
        lambda s: (
            st.lists(s)
            | st.dictionaries(
                st.sampled_from(["Records", "userIdentity", "sessionContext", "eventName", "key"]),
                s,
            )
        ),
    )
)
def test_what_is_no_log_says_nothing_and_breaks_nothing(value: Any) -> None:
    assert found(json.dumps(value).encode(), THIEF) == []
    assert found(json.dumps({"Records": value}).encode(), THIEF) == []


@pytest.mark.parametrize("content", [b"", b"\xff", b"[" * 100_000, b"{}"])
def test_hostile_content_says_nothing(content: bytes) -> None:
    assert found(content, THIEF) == []


def test_a_file_that_unpacks_to_much_is_not_held() -> None:
    touches = Touches(THIEF)
    piece = b" " * (1 << 20)
    for _ in range((MOST >> 20) + 4):
        touches.take(piece)
    assert touches.over
    assert touches.found() == []
