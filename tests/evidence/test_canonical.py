import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.canonical import canonical
from evidence.errors import CanonicalError
from evidence.strict_json import (
    INT_LIMIT,
    MAX_BYTES,
    MAX_DEPTH,
    canonical_form,
    parse,
    parse_canonical,
)

NAMES = st.text(st.characters(max_codepoint=127), max_size=8)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = st.none() | st.booleans() | st.integers(1 - INT_LIMIT, INT_LIMIT - 1) | TEXTS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4)
)


def nested(levels: int) -> Any:
    value: Any = 0
    for _ in range(levels):
        value = [value]
    return value


@given(VALUES)
def test_both_writers_give_the_same_bytes_and_the_strict_reader_gives_the_value_back(value):
    written = canonical([value])
    assert written == canonical_form([value])
    assert parse_canonical(written) == [value]


@given(st.dictionaries(NAMES, SCALARS, min_size=2))
def test_the_order_of_members_does_not_matter(members):
    turned = dict(reversed(members.items()))
    assert canonical(turned) == canonical(members)


@given(VALUES)
def test_any_other_spelling_is_refused(value):
    spelled = json.dumps([value], indent=1).encode()
    with pytest.raises(CanonicalError, match="not in canonical form"):
        parse_canonical(spelled)


@pytest.mark.parametrize(
    "value",
    [
        1.5,
        float("nan"),
        INT_LIMIT,
        -INT_LIMIT,
        {"\N{LATIN SMALL LETTER E WITH ACUTE}": 1},
        {1: 2},
        b"bytes",
        {"set": {1}},
        "\ud800",
        nested(MAX_DEPTH),
    ],
    ids=repr,
)
def test_both_writers_refuse_what_has_no_one_form(value):
    for write in (canonical, canonical_form):
        with pytest.raises(CanonicalError):
            write([value])


def test_depth_counts_from_where_the_value_will_stand():
    for write in (canonical, canonical_form):
        assert write([nested(MAX_DEPTH - 3)], depth=2)
        with pytest.raises(CanonicalError):
            write([nested(MAX_DEPTH - 2)], depth=2)


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"a":1}',
        b'{"a":{"b":1,"b":2}}',
        b"[1.0]",
        b"[1e3]",
        b"[NaN]",
        b"[Infinity]",
        b"[9007199254740992]",
        b"[" + b"9" * 5000 + b"]",
        b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
        b"[" * 100_000,
        b'{"\xc3\xa9":1}',
        b"\xff",
        b"\xef\xbb\xbf{}",
        b"{} {}",
        b"",
        b" " * (MAX_BYTES + 1),
    ],
    ids=lambda text: repr(text[:24]),
)
def test_the_strict_reader_refuses_what_has_no_one_meaning(text):
    with pytest.raises(CanonicalError):
        parse(text)


def test_brackets_within_strings_are_not_depth():
    text = json.dumps(['["' * 500, "\\"]).encode()
    assert parse(text) == ['["' * 500, "\\"]
