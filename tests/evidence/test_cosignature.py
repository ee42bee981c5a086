"""Cosignatures: what a witness says of a checkpoint, and that nothing of it can be changed."""

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import mldsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from evidence import cosignature
from evidence.cosignature import (
    Cosigner,
    cosign,
    cosigned,
    cosigner_vkey,
    cosigning_key,
    parse_cosigner,
)
from evidence.errors import NoteError
from evidence.note import (
    Checkpoint,
    checkpoint_text,
    open_checkpoint,
    parse_vkey,
    sign_note,
    signer_of,
    vkey,
)

LOG = signer_of("log.example/one", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
KEY = Ed25519PrivateKey.from_private_bytes(bytes([7] * 32))
ONE = cosigning_key("witness.example/one", KEY)
TWO = cosigning_key("witness.example/two", Ed25519PrivateKey.from_private_bytes(bytes([8] * 32)))
QUANTUM = cosigning_key(
    "witness.example/pq", mldsa.MLDSA44PrivateKey.from_seed_bytes(bytes([9] * 32))
)
HEAD = Checkpoint("log.example/one", 42, hashlib.sha256(b"root").digest())
TEXT = checkpoint_text(HEAD)
NOTE = sign_note(TEXT, LOG)
AT = 1_679_315_147


def test_the_signed_message_is_the_one_of_the_specification():
    line = cosign(TEXT, ONE, AT)
    name, encoded = line.removeprefix("\N{EM DASH} ").split()
    raw = base64.b64decode(encoded)
    assert name == "witness.example/one"
    assert raw[:4] == hashlib.sha256(name.encode() + b"\n\x04" + ONE.cosigner.public).digest()[:4]
    assert int.from_bytes(raw[4:12]) == AT
    message = f"cosignature/v1\ntime {AT}\n{TEXT}".encode()
    Ed25519PublicKey.from_public_bytes(ONE.cosigner.public).verify(raw[12:], message)


@given(st.lists(st.sampled_from([ONE, TWO, QUANTUM]), max_size=5), st.integers(0, 2**63 - 1))
def test_everyone_who_cosigned_is_found_with_the_earliest_time(keys, at):
    lines = [cosign(TEXT, key, max(at - n, 0)) for n, key in enumerate(keys)]
    found = cosigned(NOTE + "".join(lines), [ONE.cosigner, TWO.cosigner, QUANTUM.cosigner])
    assert found.keys() == {key.cosigner for key in keys}
    for key in keys:
        times = [max(at - n, 0) for n, other in enumerate(keys) if other is key]
        assert found[key.cosigner] == min(times)


def test_the_log_s_own_check_passes_over_cosignatures_and_theirs_over_the_log():
    both = NOTE + cosign(TEXT, ONE, AT) + cosign(TEXT, TWO, AT)
    assert open_checkpoint(both, LOG.verifier) == HEAD
    assert cosigned(both, [TWO.cosigner]) == {TWO.cosigner: AT}
    assert cosigned(NOTE, [ONE.cosigner]) == {}


CHANGED = [(ONE, at) for at in range(4, 76)] + [(QUANTUM, at) for at in range(4, 2432, 101)]


@pytest.mark.parametrize(("key", "at"), CHANGED)
def test_every_changed_byte_is_caught(key, at):
    name, encoded = cosign(TEXT, key, AT).removeprefix("\N{EM DASH} ").split()
    raw = bytearray(base64.b64decode(encoded))
    raw[at] ^= 0x80
    line = f"\N{EM DASH} {name} {base64.b64encode(raw).decode()}\n"
    with pytest.raises(NoteError, match=r"does not fit|no time that exists"):
        cosigned(NOTE + line, [key.cosigner])


def test_the_quantum_message_is_the_one_of_the_specification():
    raw = base64.b64decode(cosign(TEXT, QUANTUM, AT).split()[2])
    name, public = QUANTUM.cosigner.name.encode(), QUANTUM.cosigner.public
    assert raw[:4] == hashlib.sha256(name + b"\n\x06" + public).digest()[:4]
    assert (len(raw), int.from_bytes(raw[4:12])) == (4 + 8 + 2420, AT)
    origin = HEAD.origin.encode()
    message = b"subtree/v1\n\x00" + bytes([len(name)]) + name + AT.to_bytes(8)
    message += bytes([len(origin)]) + origin + bytes(8) + (42).to_bytes(8) + HEAD.root
    mldsa.MLDSA44PublicKey.from_public_bytes(public).verify(raw[12:], message)


def test_a_quantum_cosignature_is_bound_to_its_name():
    other = Cosigner("witness.example/else", QUANTUM.cosigner.public)
    line = cosign(TEXT, QUANTUM, AT)
    raw = other.key_id + base64.b64decode(line.split()[2])[4:]
    renamed = f"\N{EM DASH} {other.name} {base64.b64encode(raw).decode()}\n"
    with pytest.raises(NoteError, match="does not fit"):
        cosigned(NOTE + renamed, [other])


def test_where_an_algorithm_is_unknown_its_lines_are_passed_over(monkeypatch):
    both = NOTE + cosign(TEXT, QUANTUM, AT) + cosign(TEXT, ONE, AT)
    monkeypatch.setattr(cosignature, "mldsa", None)
    assert cosigned(both, [QUANTUM.cosigner, ONE.cosigner]) == {ONE.cosigner: AT}


def test_a_cosignature_of_another_head_does_not_fit():
    other = checkpoint_text(Checkpoint(HEAD.origin, 43, HEAD.root))
    with pytest.raises(NoteError, match="does not fit"):
        cosigned(NOTE + cosign(other, ONE, AT), [ONE.cosigner])


@pytest.mark.parametrize("cut", [1, 8, 63, 71])
def test_a_shortened_cosignature_is_refused(cut):
    name, encoded = cosign(TEXT, ONE, AT).removeprefix("\N{EM DASH} ").split()
    line = f"\N{EM DASH} {name} {base64.b64encode(base64.b64decode(encoded)[:-cut]).decode()}\n"
    with pytest.raises(NoteError):
        cosigned(NOTE + line, [ONE.cosigner])


def test_a_plain_signature_of_the_same_key_is_no_cosignature():
    plain = signer_of(ONE.cosigner.name, KEY)
    note = NOTE + sign_note(TEXT, plain).rpartition("\n\n")[2]
    assert cosigned(note, [ONE.cosigner]) == {}


@pytest.mark.parametrize("at", [-1, 2**63])
def test_no_time_that_does_not_exist_is_signed(at):
    with pytest.raises(NoteError, match="2\\^63"):
        cosign(TEXT, ONE, at)


def test_a_vkey_comes_back_and_is_told_from_a_log_s():
    assert parse_cosigner(cosigner_vkey(ONE.cosigner)) == ONE.cosigner
    assert parse_cosigner(cosigner_vkey(QUANTUM.cosigner)) == QUANTUM.cosigner
    with pytest.raises(NoteError, match="not of type 0x04"):
        parse_cosigner(vkey(LOG.verifier))
    with pytest.raises(NoteError, match="not of type Ed25519"):
        parse_vkey(cosigner_vkey(ONE.cosigner))


def test_a_vkey_whose_id_does_not_fit_is_refused():
    name, key_id, key = cosigner_vkey(ONE.cosigner).split("+", 2)
    with pytest.raises(NoteError, match="does not belong"):
        parse_cosigner(f"{name}+{int(key_id, 16) ^ 1:08x}+{key}")


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\tb", "a\x01b"])
def test_a_name_that_cannot_stand_in_a_line_is_refused(name):
    with pytest.raises(NoteError, match="key name"):
        Cosigner(name, bytes(32))
