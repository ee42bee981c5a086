import base64
import hashlib
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from evidence.errors import NoteError
from evidence.note import (
    Checkpoint,
    NoteVerifier,
    checkpoint_text,
    open_checkpoint,
    open_note,
    parse_checkpoint,
    parse_vkey,
    sign_note,
    signer_of,
    unverified_checkpoint,
    vkey,
)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNER = signer_of("log.example/one", KEY)
OTHER = signer_of("log.example/two", Ed25519PrivateKey.from_private_bytes(bytes(32)))
HEAD = Checkpoint("log.example/one", 42, hashlib.sha256(b"root").digest())
NOTE = sign_note(checkpoint_text(HEAD), SIGNER)


def test_a_checkpoint_comes_back_as_it_was_signed():
    assert open_checkpoint(NOTE, SIGNER.verifier) == HEAD == unverified_checkpoint(NOTE)


@given(st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"])))
def test_any_text_comes_back(line):
    text = f"{line}\n"
    assert open_note(sign_note(text, SIGNER), [SIGNER.verifier]) == text


def test_signatures_of_unknown_keys_are_ignored():
    both = NOTE + sign_note(checkpoint_text(HEAD), OTHER).rpartition("\n\n")[2]
    assert open_checkpoint(both, SIGNER.verifier) == HEAD
    assert open_note(both, [OTHER.verifier]) == checkpoint_text(HEAD)


def test_one_wrong_signature_of_a_known_key_spoils_the_note():
    wrong = sign_note(checkpoint_text(HEAD).replace("42", "43"), SIGNER).rpartition("\n\n")[2]
    with pytest.raises(NoteError, match="does not fit"):
        open_note(NOTE + wrong, [SIGNER.verifier])


def test_every_changed_character_is_caught():
    for at in range(len(NOTE)):
        for new in ("x", "\n", "+"):
            changed = NOTE[:at] + new + NOTE[at + 1 :]
            if changed == NOTE:
                continue
            with pytest.raises(NoteError):
                open_checkpoint(changed, SIGNER.verifier)


def test_a_checkpoint_of_another_log_is_refused_though_signed_by_the_key():
    foreign = sign_note(checkpoint_text(Checkpoint("log.example/two", 1, HEAD.root)), SIGNER)
    with pytest.raises(NoteError, match=r"expected 'log\.example/one'"):
        open_checkpoint(foreign, SIGNER.verifier)


def test_the_text_form_of_a_key_comes_back_and_names_the_key():
    text = vkey(SIGNER.verifier)
    assert parse_vkey(text) == SIGNER.verifier
    name, key_id, encoded = text.split("+", 2)
    raw = b"\x01" + KEY.public_key().public_bytes_raw()
    # C2SP signed-note: SHA-256(name, newline, type, key), first four bytes.
    assert key_id == hashlib.sha256(name.encode() + b"\n" + raw).hexdigest()[:8]
    assert base64.b64decode(encoded) == raw


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name+00000000",
        vkey(SIGNER.verifier).replace("one", "two"),
        "n+00000000+" + base64.b64encode(b"\x02" + bytes(32)).decode(),
        "n+00000000+" + base64.b64encode(b"\x01" + bytes(31)).decode(),
        "n+00000000+***",
        vkey(SIGNER.verifier) + "=",
    ],
)
def test_a_malformed_key_is_refused(text):
    with pytest.raises(NoteError):
        parse_vkey(text)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b"])
def test_a_key_name_has_no_spaces_and_no_plus(name):
    with pytest.raises(NoteError):
        NoteVerifier(name, bytes(32))


@pytest.mark.parametrize("text", ["no newline", "tab\there\n", "\x00\n"])
def test_text_that_no_note_may_hold_is_not_signed(text):
    with pytest.raises(NoteError):
        sign_note(text, SIGNER)


@pytest.mark.parametrize(
    "text",
    [
        "origin\n1\n",
        "origin\n01\nAAAA\n",
        "origin\n-1\nAAAA\n",
        "origin\n1\nAAAA\n",
        "origin\n1\n!\n",
        "\n1\nAAAA\n",
        "origin\n\u0661\n" + base64.b64encode(bytes(32)).decode() + "\n",
        "origin\n" + "9" * 20 + "\n" + base64.b64encode(bytes(32)).decode() + "\n",
    ],
)
def test_a_malformed_checkpoint_is_refused(text):
    with pytest.raises(NoteError):
        parse_checkpoint(text)


@pytest.mark.parametrize(
    "note",
    [
        "text\n",
        "text\n\n",
        "text\n\nno dash\n",
        "text\n\n\u2014 name\n",
        "text\n\n\u2014 name AAAA\n",
        "text\n\n\u2014 name !!!!\n",
        "text\n\n" + "\u2014 name AAAAAAAA\n" * 101,
        "x" * 70_000,
        "text\n\n\u2014 name AAAAAAAA\n",
    ],
    ids=range(9),
)
def test_a_malformed_or_unknown_note_is_refused(note):
    with pytest.raises(NoteError):
        open_note(note, [SIGNER.verifier])


def test_extension_lines_are_ignored():
    assert parse_checkpoint(checkpoint_text(HEAD) + "extension\n") == HEAD


def test_stock_openssl_agrees(tmp_path):
    text, _, line = NOTE.rpartition("\n\n")
    (tmp_path / "text").write_text(text + "\n")
    (tmp_path / "sig").write_bytes(base64.b64decode(line.split()[2])[4:])
    pem = KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (tmp_path / "key").write_bytes(pem)
    command = "openssl pkeyutl -verify -rawin -pubin -inkey key -sigfile sig -in text".split()
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
