"""Exports: complete, the same bytes again, never over anything, checkable with stock tools."""

import hashlib
import json
import os
import re
import shutil
import stat
import subprocess

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence import bag, bundle
from evidence.cosignature import cosign, cosigner_vkey, cosigning_key
from evidence.errors import BundleError, LedgerError, LockerError
from evidence.verify import verify_bundle
from tests.evidence.chamber import CASE, USER_DATA, describe
from tests.evidence.forgery import rebag, restate


def contents(folder):
    found = sorted(p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in found}


def test_the_same_ledger_gives_the_same_bytes_but_for_the_signature(filled):
    one, two = contents(filled.export("one")), contents(filled.export("two"))
    assert one.pop(bag.EXPORT) != two.pop(bag.EXPORT)
    assert one == two


def test_the_result_says_what_the_export_entry_needs(filled):
    with filled.begin() as conn:
        made = bundle.export(conn, filled.locker, CASE, filled.signer, filled.folder / "out")
    tag = (made.path / bag.TAG_MANIFEST).read_bytes()
    assert made.tagmanifest_sha256 == hashlib.sha256(tag).hexdigest()
    assert (made.entries, made.checkpoint_size) == (7, 9)
    filled.say("export", {"tagmanifest_sha256": made.tagmanifest_sha256})
    filled.integrate()
    assert verify_bundle(filled.export("again"), filled.trust).exit_code == 3


def test_nothing_of_another_case_and_no_secret_is_in_the_bundle(filled):
    filled.keep(describe(77), "INC-2")
    filled.integrate()
    for name, data in contents(filled.export()).items():
        assert b"INC-2" not in data, name
        assert b"hunter2" not in data, name
        assert hashlib.sha256(USER_DATA.data).hexdigest().encode() not in data, name
        assert hashlib.sha256(describe(77).data).hexdigest() not in name


def test_nobody_else_may_read_it(filled):
    before = os.umask(0)
    try:
        out = filled.export()
    finally:
        os.umask(before)
    for path in [out, *out.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_nothing_is_ever_written_over(filled):
    (filled.folder / "folder").mkdir()
    (filled.folder / "file").write_text("mine")
    (filled.folder / "link").symlink_to("nowhere")
    for name in ("folder", "file", "link"):
        with pytest.raises(BundleError, match="never written over"):
            filled.export(name)
    assert (filled.folder / "file").read_text() == "mine"
    assert list((filled.folder / "folder").iterdir()) == []


def test_entries_without_a_proof_are_not_exported(filled):
    filled.say("change", {})
    with pytest.raises(BundleError, match="1 entries without a proof; integrate"):
        filled.export()
    filled.integrate()
    assert verify_bundle(filled.export(), filled.trust).exit_code == 3


def test_a_case_without_entries_or_a_ledger_without_head_is_not_exported(chamber):
    with pytest.raises(LedgerError, match="no checkpoint"):
        chamber.export()
    chamber.say("case.open", {}, "INC-2")
    chamber.integrate()
    with pytest.raises(BundleError, match="no entries"):
        chamber.export()


def test_an_altered_or_lost_artifact_stops_the_export_and_leaves_nothing_half_written(filled):
    body = filled.keep(describe(5))
    filled.integrate()
    path = filled.locker.root / filled.locker.path_of(body["stored_sha256"])
    path.write_bytes(b"altered")
    with pytest.raises(BundleError, match=f"{body['stored_sha256']} was altered"):
        filled.export()
    path.unlink()
    with pytest.raises(LockerError, match="cannot be read"):
        filled.export()
    assert not (filled.folder / "bundle").exists()


def test_one_artifact_deposited_twice_is_held_once_and_named_twice(filled):
    filled.keep(describe(1))
    filled.integrate()
    out = filled.export()
    assert verify_bundle(out, filled.trust).exit_code == 3
    assert len(list((out / bag.MANIFESTS).iterdir())) == 4
    assert len(list((out / bag.ARTIFACTS).iterdir())) == 3


def test_hostile_text_in_a_body_travels_unharmed(filled):
    body = {"text": '\x00\x1f\x7f\u2028\u202e\U0001f600 "\\ </script> \r\n', "deep": [[[{}]]]}
    filled.say("note", body, actor="\u202eadmin\n")
    filled.integrate()
    out = filled.export()
    assert verify_bundle(out, filled.trust).exit_code == 3
    moments = json.loads((out / bag.TIMELINE).read_bytes())
    assert moments[-1]["body"] == body


@pytest.fixture
def guide():
    if not (shutil.which("openssl") and shutil.which("sha256sum")):
        pytest.skip("no openssl or sha256sum; install openssl 3 and coreutils to run the guide")

    def run(folder, trust):
        text = (folder / bag.GUIDE).read_text()
        script = re.search(r"```sh\n(.*?)```", text, re.DOTALL)[1]
        return subprocess.run(
            ["sh", "-c", script],
            cwd=folder,
            env={**os.environ, "TRUST": str(trust)},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_the_guide_in_the_bundle_checks_it_with_stock_tools(filled, guide):
    out, trust = filled.export(), filled.write_trust()
    done = guide(out, trust)
    assert done.returncode == 0, done.stdout + done.stderr
    told = done.stdout.splitlines()
    assert told[:3] == ["files: OK", "checkpoint signature: OK", "export.jws: OK"]
    assert len(told) == 7
    assert told[-1] == "export statement: OK"


def test_the_guide_reads_trust_on_one_line_too(filled, guide):
    out, trust = filled.export(), filled.write_trust()
    trust.write_text(json.dumps(filled.trust))
    assert guide(out, trust).returncode == 0


@pytest.mark.parametrize(
    "name", [bag.CHECKPOINT, bag.EXPORT, bag.TIMELINE, bag.TAG_MANIFEST, bag.GUIDE, bag.INFO]
)
def test_the_guide_stops_at_a_changed_file(filled, guide, name):
    out, trust = filled.export(), filled.write_trust()
    path = out / name
    data = path.read_bytes()
    middle = len(data) // 2
    if name == bag.GUIDE:
        path.write_bytes(data + b"\n")
    else:
        path.write_bytes(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :])
    assert guide(out, trust).returncode != 0


@pytest.mark.parametrize("name", ["manifest key", "log key"])
def test_the_guide_stops_at_another_key(filled, guide, tmp_path, name):
    from tests.evidence.chamber import make_chamber

    (tmp_path / "other").mkdir()
    other = make_chamber(tmp_path / "other")
    part = {"manifest key": "manifest_keys", "log key": "log_vkey"}[name]
    out, trust = filled.export(), filled.write_trust()
    trust.write_text(json.dumps({**filled.trust, part: other.trust[part]}, indent=2))
    other.engine.dispose()
    done = guide(out, trust)
    assert done.returncode != 0
    assert "export statement: OK" not in done.stdout


@pytest.mark.parametrize("changed", [False, True])
@pytest.mark.parametrize("indent", [None, 2])
def test_the_guide_checks_cosignatures_with_openssl(filled, guide, changed, indent):
    out = filled.export()
    path = out / bag.CHECKPOINT
    text = path.read_text().partition("\n\n")[0] + "\n"
    keys = [cosigning_key(f"w{n}.example", Ed25519PrivateKey.generate()) for n in range(3)]
    lines = [cosign(text, key, 1_790_000_000 + n) for n, key in enumerate(keys[:2])]
    if changed:
        lines[1] = cosign(text.replace("\n", "\n1", 1), keys[1], 5)
    path.write_text(path.read_text() + "".join(lines))
    rebag(out)
    restate(out, filled.signer)
    vkeys = [cosigner_vkey(key.cosigner) for key in keys]
    named = "".join(f"witness w{n} {key}\n" for n, key in enumerate(vkeys))
    trust = filled.folder / "trust.json"
    members = {**filled.trust, "witnesses": vkeys, "policy": f"{named}quorum w0\n"}
    trust.write_text(json.dumps(members, indent=indent))
    done = guide(out, trust)
    said = [line for line in done.stdout.splitlines() if line.startswith("cosignature")]
    if changed:
        assert (done.returncode, said) == (1, ["cosignature of w0.example: OK"])
    else:
        assert done.returncode == 0, done.stderr
        assert said == [f"cosignature of w{n}.example: OK" for n in range(2)]
