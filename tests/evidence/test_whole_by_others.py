"""A bundle with all that one can hold, before other people's tools."""

import base64
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from evidence import bag
from evidence.note import unverified_checkpoint
from tests.evidence.forgery import sha256
from tests.evidence.test_bundle_by_others import bagit

OPENSSL = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="needs openssl: apt-get install openssl"
)


def run(command: list, folder: Path, **more: object) -> str:
    """Return what a command said; it must find nothing wrong."""
    done = subprocess.run(
        list(map(str, command)), cwd=folder, capture_output=True, text=True, check=False, **more
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="apt-get install coreutils")
@pytest.mark.parametrize("listing", [bag.MANIFEST, bag.TAG_MANIFEST])
def test_sha256sum(made, listing):
    said = run(["sha256sum", "--strict", "-c", listing], made.bundle)
    assert said.count(": OK\n") == len((made.bundle / listing).read_text().splitlines())


def test_bagit(made):
    assert bagit.Bag(str(made.bundle)).validate()


@OPENSSL
def test_the_guide_verbatim(made, tmp_path):
    """Every block of VERIFY.md that is a script, as it stands, with the auditor's trust.json."""
    trust = tmp_path / "trust.json"
    trust.write_text(json.dumps(made.trust, indent=2))
    (script,) = re.findall(r"```sh\n(.*?)```", (made.bundle / bag.GUIDE).read_text(), re.DOTALL)
    said = run(["sh", "-c", script], made.bundle, env={"PATH": "/usr/bin:/bin", "TRUST": trust})
    assert all(line.endswith("OK") for line in said.splitlines())
    tokens = list((made.bundle / bag.TIME).glob("*.tsr"))
    manifests = list((made.bundle / bag.MANIFESTS).iterdir())
    named = [path.relative_to(made.bundle).as_posix() for path in (*tokens, *manifests)]
    for name in (*named, bag.EXPORT, "checkpoint signature", "cosignature of w.example"):
        assert f"{name}: OK" in said


@OPENSSL
def test_openssl_pkeyutl_on_the_checkpoint(made, tmp_path):
    note = (made.bundle / bag.CHECKPOINT).read_text()
    text, _, lines = note.partition("\n\n")
    origin = unverified_checkpoint(note).origin
    line = next(line for line in lines.splitlines() if line.split(" ")[1] == origin)
    key = base64.b64decode(made.trust["log_vkey"].split("+", 2)[2])[1:]
    # RFC 8410: the prefix of an Ed25519 key in DER.
    (tmp_path / "key").write_bytes(bytes.fromhex("302a300506032b6570032100") + key)
    (tmp_path / "signature").write_bytes(base64.b64decode(line.split(" ")[2])[4:])
    command = "openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey key -sigfile signature -in"
    for content, good in ((f"{text}\n", True), (f"{text}\n\n", False)):
        (tmp_path / "text").write_text(content)
        done = subprocess.run(
            [*command.split(), "text"], cwd=tmp_path, capture_output=True, check=False
        )
        assert (done.returncode == 0) is good


@OPENSSL
def test_openssl_ts_on_every_token(made, tmp_path):
    roots = [one["root"] for one in made.trust["timestamp_authorities"]]
    (tmp_path / "roots.pem").write_text("".join(roots))
    tokens = sorted((made.bundle / bag.TIME).glob("*.tsr"))
    assert tokens
    for token in tokens:
        text = token.with_name(f"{token.name.partition('-')[0]}.txt")
        files = ["-data", text, "-in", token, "-CAfile", tmp_path / "roots.pem"]
        assert "Verification: OK" in run(["openssl", "ts", "-verify", *files], tmp_path)


def test_joserfc_on_every_token_of_the_manifest_key(made):
    joserfc_jws = pytest.importorskip("joserfc.jws", reason="pip install joserfc")
    from joserfc.errors import BadSignatureError
    from joserfc.jwk import ECKey

    key = ECKey.import_key(made.trust["manifest_keys"][0])
    names = [made.bundle / bag.EXPORT, *sorted((made.bundle / bag.MANIFESTS).iterdir())]
    for path in names:
        token = path.read_text()
        read = joserfc_jws.deserialize_compact(token, key, algorithms=["ES256"])
        assert json.loads(read.payload)["schema"].startswith("urn:stanch:")
        head, payload, signature = token.split(".")
        other = "A" if signature[0] != "A" else "B"
        with pytest.raises(BadSignatureError):
            joserfc_jws.deserialize_compact(
                f"{head}.{payload}.{other}{signature[1:]}", key, algorithms=["ES256"]
            )


def test_joserfc_on_what_people_signed_about_custody(made):
    joserfc_jws = pytest.importorskip("joserfc.jws", reason="pip install joserfc")
    from joserfc.jwk import ECKey

    seen = 0
    for told in json.loads((made.bundle / bag.TIMELINE).read_bytes()):
        body = told["body"]
        for one in body.get("signatures", ()):
            key = ECKey.import_key(made.trust["people"][one["name"]])
            read = joserfc_jws.deserialize_compact(one["token"], key, algorithms=["ES256"])
            assert json.loads(read.payload) == body["statement"]
            seen += 1
    assert seen == 5


def statements(made) -> list[dict]:
    return [json.loads(line) for line in (made.bundle / bag.STATEMENTS).read_bytes().splitlines()]


def test_securesystemslib_on_every_envelope(made):
    dsse = pytest.importorskip("securesystemslib.dsse", reason="pip install securesystemslib")
    from cryptography.hazmat.primitives import serialization
    from securesystemslib.signer import SSlibKey

    kid, key = made.chamber.signer.kid, made.chamber.signer.key.public_key()
    pem = key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    known = SSlibKey(kid, "ecdsa", "ecdsa-sha2-nistp256", {"public": pem.decode()})
    told = [dsse.Envelope.from_dict(one) for one in statements(made)]
    assert len(told) == len(list((made.bundle / bag.MANIFESTS).iterdir()))
    for envelope in told:
        assert list(envelope.verify([known], 1)) == [kid]


def test_in_toto_takes_every_statement(made):
    """Statement v1 by in-toto's own parser, and its subjects are the files that they name."""
    pytest.importorskip("in_toto_attestation", reason="pip install in-toto-attestation")
    from google.protobuf.json_format import ParseDict
    from in_toto_attestation.v1.statement import Statement
    from in_toto_attestation.v1.statement_pb2 import Statement as Form

    for one in statements(made):
        form = ParseDict(json.loads(base64.b64decode(one["payload"])), Form())
        Statement.copy_from_pb(form).validate()
        (subject,) = form.subject
        assert sha256(made.bundle / subject.name) == subject.digest["sha256"]


def test_case_validate(made):
    validator = Path(sys.executable).with_name("case_validate")
    if not validator.exists():
        pytest.skip("needs case_validate: pip install case-utils")
    said = run([validator, "--built-version", "case-1.4.0", made.bundle / bag.CASE], made.bundle)
    assert "Conforms: True" in said
