"""A redacted copy lacks what the map names and nothing else, and the map has one meaning."""

import io
import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.errors import RedactionError
from evidence.manifest_values import Origin
from evidence.redaction import pointers, ranges
from evidence.redaction.map import Range, map_bytes, read_map
from evidence.strict_json import canonical_form

ORIGIN = Origin("ab" * 16, "cd" * 32)
WHY = {"basis": "GDPR art. 17", "reason": "a bystander"}


def cut(start: int, size: int, length: str = "kept", **more: Any) -> dict[str, Any]:
    return {"start": str(start), "size": str(size), "length": length} | WHY | more


@st.composite
def cuts(draw: st.DrawFn, size: int) -> list[Range]:
    """Ranges within content of a size, in order, some side by side."""
    marks = sorted(draw(st.sets(st.integers(0, size), min_size=2, max_size=12)))
    pairs = [pair for pair in pairwise(marks) if draw(st.booleans())]
    pairs = pairs or [(marks[0], marks[1])]
    return [Range(start, end - start, draw(st.booleans())) for start, end in pairs]


@st.composite
def redactions(draw: st.DrawFn) -> tuple[bytes, list[Range], list[bytes]]:
    """Content, ranges of it, and the content in blocks of any size."""
    content = draw(st.binary(min_size=1, max_size=200))
    blocks, rest = [], content
    while rest:
        size = draw(st.integers(1, len(rest)))
        blocks, rest = [*blocks, rest[:size]], rest[size:]
    return content, draw(cuts(len(content))), blocks


def by_hand(content: bytes, taken: list[Range]) -> bytes:
    for one in reversed(taken):
        put = ranges.MARK if one.hidden else ranges.FILL * one.size
        content = content[: one.start] + put + content[one.end :]
    return content


@given(redactions())
def test_a_copy_lacks_the_ranges_and_nothing_else(
    case: tuple[bytes, list[Range], list[bytes]],
) -> None:
    content, taken, blocks = case
    copy = b"".join(ranges.redacted(blocks, taken))
    assert copy == by_hand(content, taken)
    assert len(copy) == ranges.copy_size(len(content), taken)
    assert ranges.filled(io.BytesIO(copy).read, taken) is None
    assert ranges.unlike(ranges.redacted(blocks, taken), io.BytesIO(copy).read) is None


@given(redactions(), st.data())
def test_what_was_taken_out_makes_no_difference_to_the_copy(
    case: tuple[bytes, list[Range], list[bytes]], data: st.DataObject
) -> None:
    content, taken, _ = case
    other = bytearray(content)
    for one in taken:
        other[one.start : one.end] = data.draw(st.binary(min_size=one.size, max_size=one.size))
    assert b"".join(ranges.redacted([bytes(other)], taken)) == b"".join(
        ranges.redacted([content], taken)
    )


@given(redactions(), st.data())
def test_any_byte_of_a_copy_that_is_changed_is_found(
    case: tuple[bytes, list[Range], list[bytes]], data: st.DataObject
) -> None:
    content, taken, blocks = case
    copy = bytearray(by_hand(content, taken))
    what = data.draw(st.sampled_from(["flip", "drop", "add"]))
    at = data.draw(st.integers(0, len(copy) - 1))
    if what == "flip":
        copy[at] ^= data.draw(st.integers(1, 255))
    elif what == "drop":
        del copy[at]
    else:
        copy.append(0)
    if bytes(copy) != by_hand(content, taken):
        assert ranges.unlike(ranges.redacted(blocks, taken), io.BytesIO(copy).read) is not None


@given(redactions(), st.data())
def test_a_byte_within_a_range_is_found_without_the_original(
    case: tuple[bytes, list[Range], list[bytes]], data: st.DataObject
) -> None:
    content, taken, _ = case
    copy = bytearray(by_hand(content, taken))
    one = data.draw(st.sampled_from(taken))
    before = len(by_hand(content[: one.start], [r for r in taken if r.end <= one.start]))
    length = len(ranges.MARK) if one.hidden else one.size
    copy[before + data.draw(st.integers(0, length - 1))] ^= data.draw(st.integers(1, 255))
    assert "redaction" in str(ranges.filled(io.BytesIO(copy).read, taken))


def test_a_range_beyond_the_content_makes_no_copy() -> None:
    with pytest.raises(RedactionError, match="within the content"):
        list(ranges.redacted([b"abc"], [Range(2, 2, hidden=False)]))
    with pytest.raises(RedactionError, match="within the content"):
        ranges.copy_size(3, [Range(4, 1, hidden=True)])


_LEAVES = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text()
_NAMES = st.text("ab/~0", max_size=3)
DOCUMENTS = st.recursive(
    _LEAVES,
    lambda deeper: st.lists(deeper, max_size=3) | st.dictionaries(_NAMES, deeper, max_size=3),
    max_leaves=12,
)


def places(value: Any, above: str = "") -> list[str]:
    found = [above]
    if isinstance(value, list):
        for number, one in enumerate(value):
            found += places(one, f"{above}/{number}")
    if isinstance(value, dict):
        for name, one in value.items():
            found += places(one, f"{above}/" + name.replace("~", "~0").replace("/", "~1"))
    return found


@given(DOCUMENTS, st.data())
def test_a_copy_of_json_lacks_the_values_and_nothing_else(
    document: Any, data: st.DataObject
) -> None:
    wanted = data.draw(st.sets(st.sampled_from(places(document)), min_size=1, max_size=4))
    chosen = sorted(p for p in wanted if not any(p.startswith(f"{o}/") for o in wanted))
    content = json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")
    copy = pointers.redacted(content, chosen)
    assert pointers.filled(copy, chosen) is None
    found = json.loads(copy)
    kept = [p for p in places(document) if not any(f"{p}/".startswith(f"{c}/") for c in chosen)]
    assert {*kept, *chosen} == set(places(found))
    for one in kept:
        before, after = at(document, one), at(found, one)
        if not isinstance(before, list | dict):
            assert (type(before), before) == (type(after), after)
    assert all(at(found, one) == pointers.GONE for one in chosen)
    # Another value in its place makes the same copy, and is found when it stands in one.
    other = put(document, chosen[0], {"x": [1]})
    assert pointers.redacted(json.dumps(other).encode(), chosen) == copy
    assert pointers.filled(canonical_form(put(found, chosen[0], 7)), chosen) is not None


def at(value: Any, pointer: str) -> Any:
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        value = value[int(name)] if isinstance(value, list) else value[name]
    return value


def put(value: Any, pointer: str, new: Any) -> Any:
    if not pointer:
        return new
    made = json.loads(json.dumps(value))
    above, _, token = pointer.rpartition("/")
    holder, name = at(made, above), token.replace("~1", "/").replace("~0", "~")
    holder[int(name) if isinstance(holder, list) else name] = new
    return made


@pytest.mark.parametrize(
    "content",
    [b'{"a": 1.5}', b'{"a": 1, "a": 2}', '{"ä": 1}'.encode(), b"\xff", b"{", b'{"a": 1e400}'],
    ids=["fraction", "twice", "name", "bytes", "torn", "exponent"],
)
def test_json_without_one_form_is_redacted_by_its_bytes(content: bytes) -> None:
    with pytest.raises(RedactionError, match="by ranges of bytes"):
        pointers.redacted(content, ["/a"])


@pytest.mark.parametrize("pointer", ["/b", "/a/0/x", "/list/3", "/list/01", "/list/-"])
def test_a_pointer_that_names_nothing_is_refused(pointer: str) -> None:
    with pytest.raises(RedactionError, match="there is no"):
        pointers.redacted(b'{"a": "text", "list": [1, 2, 3]}', [pointer])


REFUSED = {
    "overlap": ("bytes", [cut(0, 5), cut(4, 2)], "overlaps"),
    "unsorted": ("bytes", [cut(9, 1), cut(0, 1)], "sort them"),
    "empty range": ("bytes", [cut(0, 0)], "size is 0"),
    "no redaction": ("bytes", [], "one redaction at least"),
    "negative": ("bytes", [cut(-1, 3)], "decimal"),
    "number": ("bytes", [cut(0, 1) | {"start": 0}], "decimal"),
    "length": ("bytes", [cut(0, 1, "both")], "length is neither"),
    "no basis": ("bytes", [cut(0, 1, basis="")], "basis is no printable"),
    "line in reason": ("bytes", [cut(0, 1, reason="a\nb")], "reason is no printable"),
    "foreign": ("bytes", [cut(0, 1, more=1)], "exactly"),
    "form": ("text", [cut(0, 1)], "no form known"),
    "no pointer": ("json", [{"pointer": "a"} | WHY], "no JSON pointer"),
    "escape": ("json", [{"pointer": "/a~2"} | WHY], "no JSON pointer"),
    "nested": ("json", [{"pointer": p} | WHY for p in ("/a", "/a-b", "/a/c")], "lies within"),
    "twice": ("json", [{"pointer": p} | WHY for p in ("/a", "/a")], "stands twice"),
    "pointers unsorted": ("json", [{"pointer": p} | WHY for p in ("/b", "/a")], "not sorted"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_map_that_has_not_one_meaning_is_refused(name: str) -> None:
    form, taken, why = REFUSED[name]
    with pytest.raises(RedactionError, match=why):
        map_bytes(form, ORIGIN, taken)


def test_a_map_reads_back_as_it_was_written() -> None:
    found = read_map(map_bytes("bytes", ORIGIN, [cut(0, 5), cut(5, 2, "hidden")]))
    assert found.ranges == (Range(0, 5, hidden=False), Range(5, 2, hidden=True))
    assert found.original == ORIGIN
    found = read_map(map_bytes("json", ORIGIN, [{"pointer": "/a/0"} | WHY]))
    assert (found.form, found.pointers) == ("json", ("/a/0",))
    with pytest.raises(RedactionError, match="canonical"):
        read_map(b" " + map_bytes("json", ORIGIN, [{"pointer": ""} | WHY]))
    with pytest.raises(RedactionError, match="names no original"):
        map_bytes("bytes", replace(ORIGIN, artifact_id="x"), [cut(0, 1)])
