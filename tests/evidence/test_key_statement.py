"""A statement about a key holds as it was signed, and in no other way."""

import copy
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence import key_signing
from evidence.errors import KeyStatementError, NoteError
from evidence.key_history import LOG, MANIFEST
from evidence.key_statement import note_text, read_revocation, read_rotation
from evidence.keys import ManifestKey, thumbprint
from evidence.note import parse_checkpoint, signer_of, vkey
from tests.evidence.custodians import KEYS

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
OLD, NEW, THIRD = (
    signer_of("log.example/v1", Ed25519PrivateKey.from_private_bytes(bytes([n + 1] * 32)))
    for n in range(3)
)
A, B, C = (
    ManifestKey(thumbprint(key.public_key()), key)
    for key in (ec.derive_private_key(n + 2, ec.SECP256R1()) for n in range(3))
)


def revocation(*signers: str) -> dict[str, Any]:
    said = key_signing.revocation(
        MANIFEST, key_signing.jwk_of(A), 7, bytes(32), ("witnesses", AT), AT, "stolen"
    )
    return {
        "statement": dict(said),
        "signatures": [key_signing.sign(said, name, KEYS[name]) for name in signers],
    }


BODIES = {
    "log": (read_rotation, key_signing.rotate_log(OLD, NEW, AT, "yearly")),
    "manifest": (read_rotation, key_signing.rotate_manifest(A, B, AT, "yearly")),
    "wrap": (read_rotation, key_signing.rotate_wrap("wrap:1", "wrap:2", A, AT, "yearly")),
    "revoke": (read_revocation, revocation("alice", "bob")),
}


@pytest.mark.parametrize("name", BODIES)
def test_what_was_signed_is_read(name):
    read, body = BODIES[name]
    found = read(json.loads(json.dumps(body)))
    assert getattr(found, "statement", found) == body["statement"]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value in a body."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    found = [path] if path else []
    if isinstance(value, dict | list):
        for key, one in inner:
            found += places(one, (*path, key)) if isinstance(one, dict | list) else [(*path, key)]
    return found


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@pytest.mark.parametrize("name", BODIES)
@settings(max_examples=40)
@given(data=st.data())
def test_whatever_is_changed_in_it_is_refused(name, data):
    read, body = BODIES[name]
    path = data.draw(st.sampled_from(places(body)))
    changed: Any = copy.deepcopy(body)
    inside = changed
    for step in path[:-1]:
        inside = inside[step]
    before = inside[path[-1]]
    value = data.draw(JSON)
    if data.draw(st.booleans()):
        inside[path[-1]] = value
        # A wrapping key's signature is compared by who reads it, with the key that made it.
        same = value == before or (name == "wrap" and path[0] == "signatures")
        # What a JWK is for may be said or not.
        same |= path[-1] in ("alg", "use", "kid") and path[0] == "signatures"
    else:
        del inside[path[-1]]
        same = path[-1] in ("alg", "use", "kid") and path[0] == "signatures"
    try:
        read(changed)
    except KeyStatementError:
        return
    assert same or name == "wrap", (path, value)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (lambda: key_signing.rotate_log(OLD, OLD, AT, "x"), "cannot follow itself"),
        (
            lambda: (
                key_signing.rotate_log(OLD, NEW, AT, "x")
                | {"signatures": key_signing.rotate_log(OLD, THIRD, AT, "x")["signatures"]}
            ),
            "does not fit|no signature",
        ),
        (
            lambda: (
                key_signing.rotate_log(OLD, NEW, AT, "x")
                | {"signatures": key_signing.rotate_log(OLD, NEW, AT, "x")["signatures"][1:]}
            ),
            "no signature of a trusted key",
        ),
        (
            lambda: (
                key_signing.rotate_manifest(A, B, AT, "x")
                | {"signatures": key_signing.rotate_manifest(C, B, AT, "x")["signatures"]}
            ),
            "not trusted",
        ),
        (
            lambda: (
                key_signing.rotate_manifest(A, B, AT, "x")
                | {"signatures": key_signing.rotate_manifest(A, B, AT, "x")["signatures"][:1]}
            ),
            "both keys must sign",
        ),
    ],
    ids=["itself", "another", "new-alone", "stranger", "old-alone"],
)
def test_a_key_follows_only_where_both_signed_that_very_statement(body, why):
    with pytest.raises(KeyStatementError, match=why):
        read_rotation(body())


@pytest.mark.parametrize(
    ("signers", "why"),
    [
        ((), "two people must sign"),
        (("alice",), "two people"),
        (("alice", "alice"), "signed twice"),
    ],
    ids=["nobody", "one", "one-twice"],
)
def test_a_key_is_revoked_by_two_people(signers, why):
    with pytest.raises(KeyStatementError, match=why):
        read_revocation(revocation(*signers))


def test_one_key_under_two_names_is_one_person():
    said = revocation("alice")
    said["signatures"].append(key_signing.sign(said["statement"], "bob", KEYS["alice"]))
    with pytest.raises(KeyStatementError, match="signed twice"):
        read_revocation(said)


def test_a_log_key_s_statement_is_never_a_head():
    with pytest.raises(NoteError):
        parse_checkpoint(note_text(BODIES["log"][1]["statement"]))


def test_a_wrapping_key_is_not_revoked():
    said = revocation("alice", "bob")
    said["statement"]["role"] = "wrap"
    with pytest.raises(KeyStatementError, match="rotate it"):
        read_revocation(said)


def test_the_statement_names_both_keys():
    said = BODIES["log"][1]["statement"]
    assert (said["role"], said["old"], said["new"]) == (LOG, vkey(OLD.verifier), vkey(NEW.verifier))
