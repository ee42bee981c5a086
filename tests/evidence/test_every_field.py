"""Whatever is changed in a bundle, any file and any field of any file, none of it passes.

What is changed is found by listing the bundle, so a new file or member is in it from its first day.
A day takes some of the files, bytes and fields (tests/sample.py); over some days each is taken.
"""

import base64
import copy as copying
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evidence import bag
from evidence.canonical import canonical
from evidence.verify import verify_bundle
from tests.evidence.forgery import rebag, restate, sha256
from tests.evidence.mutations import files_of
from tests.evidence.second import check as second
from tests.evidence.whole import Whole
from tests.sample import of_the_day

REFUSED = {1, 2}
# What a seal makes again, so that whoever may seal may state it.
SEALED_ANEW = {bag.MANIFEST, bag.TAG_MANIFEST, bag.EXPORT}
# Whoever may seal may write another guide; a policy tells whom the operator asked, and who prepared
# a bag, nobody judges. Their hashes are signed.
FREE = {bag.GUIDE, bag.POLICY, bag.INFO}
MANY, FILES = 12, 10


@pytest.fixture
def copy(made, tmp_path) -> Path:
    return Path(shutil.copytree(made.bundle, tmp_path / "copy"))


def test_the_bundle_is_plainly_valid_and_has_all_that_one_can_have(made):
    verdict = verify_bundle(made.bundle, made.trust)
    assert (verdict.exit_code, verdict.problems, verdict.lacking) == (0, (), ())
    assert second.verify(made.bundle, made.trust).code == 3
    single = {name for name in bag.SINGLE if (made.bundle / name).exists()}
    assert single == bag.SINGLE
    assert all(bag.belongs(name) for name in files_of(made.bundle))


def places(value: Any, path: tuple = ()) -> Iterator[tuple]:
    """Yield where anything stands in a JSON value, also within texts that are JSON."""
    inner = unfolded(value)
    names = range(len(inner)) if isinstance(inner, list) else inner
    for name in names if isinstance(inner, dict | list) else ():
        yield (*path, name)
        yield from places(inner[name], (*path, name))


def unfolded(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def changed(value: Any, path: tuple, how: str) -> Any:
    """Return a copy of a value that is another at one place; texts stay canonical JSON."""
    folded = isinstance(value, str)
    inner = copying.deepcopy(unfolded(value))
    name = path[0]
    if len(path) > 1:
        inner[name] = changed(inner[name], path[1:], how)
    elif how == "gone":
        del inner[name]
    else:
        inner[name] = another(inner[name])
    return canonical(inner).decode() if folded else inner


def another(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):
        return value[:-1] + ("0" if value[-1:] != "0" else "1")
    if isinstance(value, list):
        return [*value, None]
    return {**value, "more": 1} if isinstance(value, dict) else "x"


def fields(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield each change of a field of a file: what it is, and the file's bytes with it."""
    if name.endswith(".jsonl"):
        lines = data.split(b"\n")[:-1]
        for number, line in enumerate(lines):
            for said, new in values(json.loads(line)):
                rest = [*lines[:number], new, *lines[number + 1 :]]
                yield f"line {number}: {said}", b"".join(one + b"\n" for one in rest)
    elif name.endswith(".jws"):
        head, payload, signature = data.split(b".")
        for said, new in values(json.loads(unbase64url(payload))):
            yield said, b".".join((head, base64.urlsafe_b64encode(new).rstrip(b"="), signature))
        for said, new in values(json.loads(unbase64url(head))):
            yield f"header: {said}", b".".join((base64url(new), payload, signature))
    elif name.endswith((".json", ".jsonld")):
        yield from values(json.loads(data))


def unbase64url(data: bytes) -> bytes:
    return base64.urlsafe_b64decode(data + b"=" * (-len(data) % 4))


def base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def values(value: Any) -> Iterator[tuple[str, bytes]]:
    for path in places(value):
        for how in ("another", "gone"):
            new = canonical(changed(value, path, how))
            yield f"{'/'.join(map(str, path))} {how}", new


def of(bundle: Path, folder: str, nth: int) -> list[tuple[str, str, bytes]]:
    """Return the day's changes of the fields of files whose path begins so."""
    every = [
        (name, said, new)
        for name in files_of(bundle)
        if name.startswith(folder)
        for said, new in fields(name, (bundle / name).read_bytes())
    ]
    assert every
    step = max(1, len(every) // MANY)
    return [one for offset in of_the_day(range(step), nth) for one in every[offset::step]]


def refuse(made: Whole, bundle: Path, said: str) -> None:
    ours = verify_bundle(bundle, made.trust)
    assert ours.exit_code in REFUSED, said
    other = second.verify(bundle, made.trust).code
    told = {problem.file for problem in ours.problems}
    # The second verifier relies on the hashes of graph, report and tokens.
    if not all(file in (bag.CASE, bag.REPORT) or file.startswith(bag.TIME) for file in told):
        assert other in REFUSED, said


FOLDERS = ("data/custody/entries", "data/custody/", bag.MANIFESTS, "data/case/", "data/time/")


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_field_passes_that_the_holder_of_the_manifest_key_changes(made, copy, folder):
    """Who holds it seals the bundle anew; a payload that is signed keeps its signature."""
    for name, said, new in of(made.bundle, folder, FOLDERS.index(folder)):
        good = (copy / name).read_bytes()
        (copy / name).write_bytes(new)
        moved = anew(copy / name) if name.startswith(bag.MANIFESTS) else copy / name
        rebag(copy)
        seal(made, copy)
        refuse(made, copy, f"{name} {said}")
        moved.unlink()
        (copy / name).write_bytes(good)
    rebag(copy)
    seal(made, copy)
    assert verify_bundle(copy, made.trust).exit_code == 0


def anew(path: Path) -> Path:
    """Name a manifest by its hash, as everybody can."""
    return path.rename(path.with_name(f"{sha256(path)}.jws"))


def seal(made: Whole, bundle: Path) -> None:
    try:
        restate(bundle, made.chamber.signer)
    except Exception:
        # A leaf that is none has no hash: the statement stays what it was.
        return


def test_no_field_of_the_export_s_statement_passes(made, copy):
    for said, new in fields(bag.EXPORT, (made.bundle / bag.EXPORT).read_bytes()):
        (copy / bag.EXPORT).write_bytes(new)
        refuse(made, copy, said)


def test_no_byte_of_any_file_passes_without_a_key(made, copy):
    for number, name in enumerate(of_the_day(files_of(made.bundle), 0, FILES)):
        good = (copy / name).read_bytes()
        for at in of_the_day(range(len(good)), 7 * number):
            (copy / name).write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
            refuse(made, copy, f"byte {at} of {name}")
            if name not in SEALED_ANEW:
                rebag(copy)
                refuse(made, copy, f"byte {at} of {name}, with new hashes")
                for listed in (bag.MANIFEST, bag.TAG_MANIFEST, bag.INFO):
                    shutil.copy(made.bundle / listed, copy / listed)
        (copy / name).write_bytes(good)
    assert verify_bundle(copy, made.trust).exit_code == 0


@pytest.mark.parametrize("key", ["none", "manifest"])
def test_no_file_is_dropped_or_emptied(made, copy, key):
    for name in of_the_day(files_of(made.bundle), 3, FILES):
        if key == "manifest" and name in SEALED_ANEW | FREE:
            continue
        good = (copy / name).read_bytes()
        for how in ("dropped", "emptied"):
            if how == "dropped":
                (copy / name).unlink()
            else:
                (copy / name).write_bytes(b"")
            if key == "manifest" and not name.startswith("data/") and how == "dropped":
                (copy / name).write_bytes(good)
                continue
            if key == "manifest":
                rebag(copy)
                seal(made, copy)
            verdict = verify_bundle(copy, made.trust)
            # Without a token or the count less is proven; the verdict says so of the last one.
            lesser = how == "dropped" and name.startswith((bag.TIME, bag.HEADS))
            allowed = {0, 3} if key == "manifest" and lesser else set()
            assert verdict.exit_code in REFUSED | allowed, name
            (copy / name).write_bytes(good)
            if key == "manifest":
                rebag(copy)
                seal(made, copy)
    assert verify_bundle(copy, made.trust).exit_code == 0
