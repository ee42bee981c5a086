"""`stanch key rotate`: one key follows another, signed by both, wherever it breaks off."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from evidence import key_signing, keys, ledger, ledger_schema
from evidence.custody.opening import content
from evidence.custody.record import view
from evidence.errors import EvidenceError, KeyMaterialError
from evidence.key_history import LOG, MANIFEST, WRAP
from evidence.key_statement import ROTATE
from evidence.note import open_checkpoint
from evidence.sources.item import Item
from playbooks.case import key_changing
from playbooks.case.record import DEPLOYMENT, Record
from playbooks.case.sealing import anchor, checkpoint
from playbooks.case.store import Store
from playbooks.wiring.key_use import used
from tests.playbooks.desk.console import stanch
from tests.playbooks.desk.keyed import CASE, PLAIN, Home, own_key, said
from tests.sample import each_of_the_day

ROLES = (LOG, MANIFEST, WRAP)
SIGNING = (LOG, MANIFEST)


def test_after_each_rotation_what_was_signed_before_and_since_counts(keyed: Home) -> None:
    before = keyed.trust
    assert said(keyed.verdict("first")) == ""
    for role in ROLES:
        keyed.rotate(role)
        keyed.keep(Item("ec2.more", "text/plain", role.encode(), True, "ec2.more"))
        assert said(keyed.verdict(f"after-{role}")) == ""
    for bundle in ("first", *(f"after-{role}" for role in ROLES)):
        assert said(keyed.verdict(bundle)) == "", bundle
    # Who was not given the new file is told so, and which key it was.
    stale = keyed.verdict("after-wrap", before)
    assert stale.exit_code == 1
    assert "not trusted" in said(stale) or "no signature of a trusted key" in said(stale)
    assert keyed.kinds() == [ROTATE] * 3


@pytest.mark.parametrize("role", SIGNING)
def test_an_older_trust_file_still_takes_older_bundles(keyed: Home, role: str) -> None:
    before = keyed.trust
    keyed.verdict("first")
    keyed.rotate(role)
    assert said(keyed.verdict("first", before)) == ""


def test_what_a_former_wrapping_key_wrapped_stays_readable(keyed: Home) -> None:
    keyed.rotate(WRAP)
    keyed.keep(Item("ec2.later", "text/plain", b"TOKEN=later", True, "ec2.later"))
    keyed.rotate(WRAP)
    parts = keyed.parts()
    state = Store(parts.engine).read(lambda conn: view(conn, CASE))
    found = {
        one.name: b"".join(content(parts.locker, one, parts.keys.wrap))
        for one in state.artifacts.values()
    }
    assert (found["ec2.user_data"], found["ec2.later"]) == (b"TOKEN=hunter2", b"TOKEN=later")
    refused = stanch("key", "rotate", "wrap", "--reason", "x", "--destroy")
    assert (refused.status, "is not destroyed" in refused.err) == (1, True)


def test_both_log_keys_sign_one_head_and_then_only_the_new_one_does(keyed: Home) -> None:
    old = keyed.parts().keys.log
    keyed.rotate(LOG)
    parts = keyed.parts()
    with parts.engine.connect() as conn:
        note = ledger.latest_checkpoint(conn).note
    assert open_checkpoint(note, old.verifier) == open_checkpoint(note, parts.keys.log.verifier)
    # A process that was running since before signs nothing any more.
    stale = keyed.parts()
    object.__setattr__(stale, "keys", type(stale.keys)(old, stale.keys.manifest, stale.keys.wrap))
    with pytest.raises(KeyMaterialError, match="another log key followed"):
        checkpoint(Store(stale.engine), stale)
    keyed.keep(PLAIN)
    with parts.engine.connect() as conn:
        newest = ledger.latest_checkpoint(conn).note
    open_checkpoint(newest, parts.keys.log.verifier)
    with pytest.raises(EvidenceError, match="no signature of a trusted key"):
        open_checkpoint(newest, old.verifier)


@pytest.mark.parametrize("role", SIGNING)
@pytest.mark.parametrize("destroy", [False, True], ids=["kept", "destroyed"])
def test_the_old_private_key_is_kept_closed_or_overwritten(
    keyed: Home, role: str, destroy: bool
) -> None:
    used = keyed.folder_of_keys / f"{role}.pem"
    old = used.read_bytes()
    keyed.rotate(role, *(["--destroy"] if destroy else []))
    (former,) = (keyed.folder_of_keys / "former").iterdir()
    assert former.read_bytes() == (b"" if destroy else old)
    assert used.read_bytes() != old
    assert not (keyed.folder_of_keys / f"{role}.pem.next").exists()
    assert [oct(path.stat().st_mode & 0o777) for path in (former.parent, former, used)] == [
        "0o700",
        "0o600",
        "0o600",
    ]


@pytest.mark.parametrize(
    ("calls", "role"), each_of_the_day([(n, role) for n in range(4) for role in ROLES], many=4)
)
def test_a_rotation_that_breaks_off_is_ended_by_the_next_try(
    keyed: Home, monkeypatch: pytest.MonkeyPatch, role: str, calls: int
) -> None:
    """Break off before what a rotation writes first, second, ... in the folder and the database."""
    wrote = 0

    def breaks(real: Any) -> Any:
        def call(*args: Any, **more: Any) -> Any:
            nonlocal wrote
            wrote += 1
            if wrote == calls + 1:
                raise KeyboardInterrupt
            return real(*args, **more)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(Record, "note", breaks(Record.note))
        patch.setattr(key_changing, "checkpoint", breaks(key_changing.checkpoint))
        patch.setattr(os, "link", breaks(os.link))
        patch.setattr(Path, "replace", breaks(Path.replace))
        parts = keyed.parts()
        with pytest.raises(KeyboardInterrupt):
            key_changing.rotate(Store(parts.engine), parts, role, "broken off", destroy=False)
    first = json.loads(json.dumps(keyed.trust))
    keyed.rotate(role)
    keyed.keep(PLAIN)
    assert keyed.kinds() == [ROTATE]
    assert said(keyed.verdict("after")) == ""
    held = ("log_vkey", "manifest_keys")
    assert ([keyed.trust[n] for n in held] == [first[n] for n in held]) is (role == WRAP)


def test_who_stays_must_end_before_a_key_is_changed(keyed: Home) -> None:
    with used(keyed.folder_of_keys), used(keyed.folder_of_keys):
        ran = stanch("key", "rotate", "log", "--reason", "x")
    assert (ran.status, "Stop it, change the key, and start it again" in ran.err) == (1, True)
    assert keyed.kinds() == []


def test_a_role_that_is_none_is_said(keyed: Home) -> None:
    ran = stanch("key", "rotate", "master", "--reason", "x")
    assert (ran.status, "expected one of log, manifest, wrap" in ran.err) == (1, True)


def test_who_has_an_old_key_and_the_database_begins_no_other_history(keyed: Home) -> None:
    thief = keyed.parts().keys.manifest
    keyed.rotate(MANIFEST)
    parts = keyed.parts()
    mine = keys.load_manifest(own_key(keyed.folder))
    body = key_signing.rotate_manifest(thief, mine, parts.now(), "mine")
    record = Record("stanch", parts.now, parts.random)
    Store(parts.engine).commit(lambda conn: record.note(conn, DEPLOYMENT, ROTATE, body))
    before = keyed.trust
    anchor(Store(parts.engine), parts)
    ran = stanch("trust")
    assert (ran.status, "somebody with an old key wrote it" in ran.err) == (1, True)
    assert keyed.trust == before


def test_a_history_whose_entry_was_altered_is_not_read(keyed: Home) -> None:
    keyed.rotate(MANIFEST)
    parts = keyed.parts()
    with parts.engine.begin() as conn:
        (entry,) = [e for e in ledger.entries(conn, DEPLOYMENT) if e.leaf.kind == ROTATE]
        openings = ledger_schema.openings
        body = entry.opening.body.replace(b"as each year", b"as each hour")
        conn.execute(update(openings).where(openings.c.entry_id == entry.id).values(body=body))
    ran = stanch("trust")
    assert (ran.status, "was erased or altered" in ran.err) == (1, True)
