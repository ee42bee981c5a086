"""A log that changes its key under the eyes of a witness: it follows over the head of both."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from evidence import bag
from evidence.note import checkpoint_text, sign_note, unverified_checkpoint, vkey
from evidence.verify import verify_bundle
from playbooks.desk.cli.init import make
from playbooks.wiring.settings import load
from tests.evidence.forgery import rebag, restate
from tests.playbooks.case.test_witnessing import Home, witnessed
from tests.playbooks.desk.console import stanch


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("STANCH_CONFIG", str(tmp_path / "stanch.toml"))
    made = Home(tmp_path, {})
    made.write()
    make(load())
    return made


def rotate() -> None:
    ran = stanch("key", "rotate", "log", "--reason", "as each year")
    assert ran.status == 0, ran.err
    assert "witnesses have theirs know the new log key" in ran.out


def know(home: Home, *keys: str) -> None:
    """Have the witness know these keys of the log from its next start on."""
    path = home.folder / "witness-auditor" / "witness.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"logs": keys}))


def test_a_witness_follows_from_one_log_key_to_the_other(home: Home, caplog: Any) -> None:
    with witnessed(home, "auditor"), caplog.at_level(logging.WARNING, "stanch.witness"):
        home.anchored({"n": 1})
        old = home.parts.keys.log
        rotate()
        both, _ = home.kept()[-1]
        assert (
            json.loads((home.folder / "home/keys/trust.json").read_text())["key_history"][0][
                "valid_until"
            ]
            == both
        )
        # It does not know the new key, and so nothing that only that one signed.
        home.anchored({"n": 2})
        assert home.kept()[-1][0] == both
        assert "witness auditor" in caplog.text
        verdict = home.verdict("unseen")
        assert (verdict.problems, verdict.witnessed) == ((), False)
    new = home.parts.keys.log
    know(home, vkey(old.verifier), vkey(new.verifier))
    with witnessed(home, "auditor"):
        home.anchored({"n": 3})
        assert home.kept()[-1][0] > both
        verdict = home.verdict("seen")
    assert (verdict.problems, verdict.witnessed) == ((), True)


def test_what_the_old_log_key_signs_later_no_verifier_takes_whoever_cosigns_it(home: Home) -> None:
    with witnessed(home, "auditor"):
        home.anchored({"n": 1})
        old = home.parts.keys.log
        rotate()
        home.anchored({"n": 2})
    new = home.parts.keys.log
    know(home, vkey(old.verifier), vkey(new.verifier))
    with witnessed(home, "auditor"):
        home.anchored({"n": 3})
        verdict = home.verdict("bundle")
        assert (verdict.problems, verdict.witnessed) == ((), True)
    # The same head, as who has the old key would have signed it; the cosignature is a true one.
    bundle = home.folder / "bundle"
    note = (bundle / bag.CHECKPOINT).read_text()
    head = unverified_checkpoint(note)
    lines = note.partition("\n\n")[2].splitlines(keepends=True)
    cosigned = [line for line in lines if "auditor.example" in line]
    assert cosigned
    forged = sign_note(checkpoint_text(head), old.signer)
    (bundle / bag.CHECKPOINT).write_text(forged + "".join(cosigned))
    for path in (bundle / bag.PROOF_FILES).iterdir():
        path.write_text(
            path.read_text().replace(note.partition("\n\n")[2], forged.partition("\n\n")[2])
        )
    rebag(bundle)
    restate(bundle, home.parts.keys.manifest)
    told = json.loads((home.folder / "home/keys/trust.json").read_text())
    verdict = verify_bundle(bundle, told)
    assert verdict.exit_code == 1
    key = old.verifier.key_id.hex()
    assert f"signed by the log key {key}" in verdict.problems[0].what
    assert f"this head is of size {head.size}" in verdict.problems[0].what
