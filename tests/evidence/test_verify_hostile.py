"""What a hostile bundle cannot make the verifier do: it says why, in time, and does not follow."""

import os
import shutil
import socket
import stat
import time
from pathlib import Path

import pytest

from evidence import bag, jws
from evidence.canonical import canonical
from evidence.verify import verify_bundle
from evidence.verify_report import MAX_PROBLEMS
from tests.evidence.chamber import Chamber, fill, make_chamber
from tests.evidence.forgery import read_lines, write_lines


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    chamber = make_chamber(tmp_path_factory.mktemp("chamber"))
    fill(chamber)
    bundle = chamber.export()
    chamber.write_trust()
    yield chamber, bundle
    chamber.engine.dispose()


def told(chamber: Chamber, bundle: Path) -> tuple[int, str]:
    verdict = verify_bundle(bundle, chamber.trust)
    return verdict.exit_code, "\n".join(f"{p.file}: {p.what}" for p in verdict.problems)


# What a hostile bundle may hold: how it is planted, and what is said of it.


def link(bundle):
    (bundle / bag.INFO).rename(bundle.parent / "info")
    (bundle / bag.INFO).symlink_to(bundle.parent / "info")


def link_folder(bundle):
    shutil.move(bundle / "data/custody", bundle.parent / "custody")
    (bundle / "data/custody").symlink_to(bundle.parent / "custody")


def list_path(path):
    def plant(bundle):
        with (bundle / bag.MANIFEST).open("a") as file:
            file.write(f"{'ab' * 32}  {path}\n")

    return plant


def write(name, data):
    def plant(bundle):
        (bundle / name).parent.mkdir(parents=True, exist_ok=True)
        (bundle / name).write_bytes(data)

    return plant


def append(name, data):
    def plant(bundle):
        with (bundle / name).open("ab") as file:
            file.write(data)

    return plant


def pipe(bundle):
    (bundle / bag.ENTRIES).unlink()
    os.mkfifo(bundle / bag.ENTRIES)


def deep(bundle):
    (bundle / "/".join(["data", *"abcdefghijkl"])).mkdir(parents=True)
    (bundle / "/".join(["data", *"abcdefghijkl", "x"])).write_text("x")


def device(bundle):
    try:
        os.mknod(bundle / "data/case/x", 0o600 | stat.S_IFCHR, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("only root may make a device; run this test as root in a container")


def socket_file(bundle):
    folder = os.open(bundle, os.O_RDONLY)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            # By a short path, for that of a socket may not be long.
            made.bind(f"/proc/self/fd/{folder}/x")
    finally:
        os.close(folder)


def hard_link(bundle):
    outside = bundle.parent / "outside"
    outside.write_bytes((bundle / bag.INFO).read_bytes() + b"\n")
    (bundle / bag.INFO).unlink()
    os.link(outside, bundle / bag.INFO)


def sparse(bundle):
    path = next((bundle / bag.ARTIFACTS).iterdir())
    os.truncate(path, 1 << 42)


HOSTILE = {
    "a linked file": (link, r"bag-info.txt: is a symbolic link"),
    "a linked folder": (link_folder, "data/custody: is a symbolic link"),
    "a listed path upward": (list_path("data/../../x"), "names an unsafe path 'data/../../x'"),
    "a listed absolute path": (list_path("/etc/passwd"), "names an unsafe path '/etc/passwd'"),
    "a listed dot path": (list_path("data/./x"), "names an unsafe path"),
    "a listed encoded path": (list_path("data/%2e%2e/x"), "names an unsafe path"),
    "a listed backslash": (list_path("data\\x"), "names an unsafe path"),
    "a listed home path": (list_path("~/x"), "names an unsafe path"),
    "a path listed twice": (list_path(bag.ENTRIES), "names data/custody/entries.jsonl again"),
    "a listed path that is not there": (list_path("data/more"), "data/more: is listed in manifest"),
    "a line that is no listing": (append(bag.MANIFEST, b"x\n"), "is not '<sha256>  <path>'"),
    "a listing that is no text": (append(bag.MANIFEST, b"\xff\n"), "not ASCII"),
    "something to fetch": (write("fetch.txt", b"https://x - data/x\n"), "fetches nothing"),
    "a twin in other case": (write("data/case/TIMELINE.json", b"[]"), "differs from"),
    "an unlisted file": (write("data/more", b"x"), "data/more: is not listed"),
    "an unlisted tag file": (write("more.txt", b"x"), "more.txt: is not listed"),
    "a hidden file": (write(".hidden", b"x"), "has an unsafe name"),
    "a name with a line break": (write("data/a\nb", b"x"), r"data/a\nb: has an unsafe name"),
    "a name that colours": (write("data/\x1b[31m", b"x"), r"data/\x1b[31m: has an unsafe name"),
    "a name that is no text": (write(os.fsdecode(b"data/\xff"), b"x"), r"data/\udcff: has an unsa"),
    "a pipe": (pipe, "entries.jsonl: is no plain file"),
    "nested folders": (deep, "nested too deep"),
    "a device": (device, "data/case/x: is no plain file"),
    "a socket": (socket_file, "x: is no plain file"),
    "a hard link to another content": (hard_link, "bag-info.txt: was altered"),
    "a folder in other case": (
        lambda bundle: (bundle / "data/Case").mkdir(),
        "data/case: differs from data/Case only in case",
    ),
    "a name of HTML": (write("data/<img src=x>", b"x"), "data/<img src=x>: has an unsafe name"),
    "a name with an entity": (write("data/&lt;", b"x"), "data/&lt;: has an unsafe name"),
    "a very long name": (write("data/" + "a" * 180, b"x"), "has an unsafe name"),
    "lines and nothing else": (append(bag.ENTRIES, b"\n" * 3_000_000), "line 99: not JSON"),
    "listings and nothing else": (
        append(bag.MANIFEST, b"\n" * 3_000_000),
        "is not '<sha256>  <path>'",
    ),
    "a listing with other line ends": (append(bag.MANIFEST, b"\r\n"), "is not '<sha256>"),
    "a listing that was cut off": (append(bag.MANIFEST, b"ab"), "its last line has no end"),
    "many brackets": (append(bag.PROOFS, b"[" * 500_000 + b"]" * 500_000 + b"\n"), "nested deeper"),
    "a wide line": (append(bag.PROOFS, b"[" + b"0," * 500_000 + b"0]\n"), "line 8: is no proof"),
    "a huge number": (
        append(bag.PROOFS, b'{"index":1' + b"0" * 900_000 + b',"path":[]}\n'),
        "2^53",
    ),
    "a sparse file": (sparse, "bag-info.txt: states a payload of"),
    "a huge line": (append(bag.ENTRIES, b'"' + b"a" * (1 << 21) + b'"\n'), "at most 1048576"),
    "a deep line": (append(bag.ENTRIES, b"[" * 100_000 + b"\n"), "line 8: JSON nested deeper"),
    "a line of another shape": (
        append(bag.ENTRIES, b"{}\n"),
        "line 8: has not exactly index, leaf",
    ),
    "a line of another type": (append(bag.ENTRIES, b"[]\n"), "line 8: has not exactly index, leaf"),
    "a negative index": (
        append(bag.ENTRIES, b'{"index":-1,"leaf":"","opening":null}\n'),
        "ledger entry -1: has a malformed index",
    ),
    "a proof of another shape": (append(bag.PROOFS, b'{"index":1}\n'), "line 8: is no proof"),
    "a short proof step": (append(bag.PROOFS, b'{"index":1,"path":["00"]}\n'), "line 8: is no pro"),
    "a proof that is no object": (append(bag.PROOFS, b"[]\n"), "line 8: is no proof"),
    "another bag version": (write(bag.DECLARATION, b"BagIt-Version: 0.9\n"), "does not declare"),
    "a huge declaration": (write(bag.DECLARATION, b"x" * 5000), "is larger than 1024 bytes"),
    "two totals": (append(bag.INFO, b"Payload-Oxum: 1.1\n"), "no Payload-Oxum, or more than one"),
    "a head that is no text": (write(bag.CHECKPOINT, b"\xff"), "checkpoint: is not UTF-8"),
    "an export that is no text": (write(bag.EXPORT, b"\xff"), "export.jws: token is not ASCII"),
    "a huge export": (write(bag.EXPORT, b"a" * (1 << 20)), "export.jws: is larger than"),
}


@pytest.mark.parametrize(("plant", "said"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_bundle_is_refused_with_its_reason_and_in_time(original, copy, plant, said):
    plant(copy)
    start = time.monotonic()
    code, found = told(original[0], copy)
    assert code in (1, 2)
    assert said in found, found
    assert found.isascii()
    assert "\x1b" not in found
    assert time.monotonic() - start < 20


def test_a_hostile_opening_is_refused(original, copy):
    for opening, said in (
        ([], "without exactly actor, body, salt"),
        ({"actor": "a", "body": "{}", "salt": "xy"}, "a salt that is not hex"),
        ({"actor": "a", "body": "{}"}, "without exactly actor, body, salt"),
    ):
        lines = read_lines(original[1], bag.ENTRIES)
        lines[0]["opening"] = opening
        write_lines(copy, bag.ENTRIES, lines)
        code, found = told(original[0], copy)
        assert code == 1
        assert f"ledger entry 0: has an opening {said}" in found or said in found


def test_a_statement_of_another_shape_is_refused(original, copy):

    chamber = original[0]
    for stated in ({"schema": bag.EXPORT_SCHEMA}, []):
        text = canonical(stated)
        token = jws.sign(text, chamber.signer.key, chamber.signer.kid, bag.EXPORT_TYP)
        (copy / bag.EXPORT).write_text(token)
        code, found = told(chamber, copy)
        assert code == 1
        assert "export.jws: has not exactly the members" in found


def test_a_report_stays_readable_when_everything_is_wrong(original, copy):
    for number in range(MAX_PROBLEMS + 50):
        (copy / f"more{number}").write_text("x")
    verdict = verify_bundle(copy, original[0].trust)
    assert len(verdict.problems) == MAX_PROBLEMS
    assert verdict.exit_code == 1
