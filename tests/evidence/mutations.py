"""Random changes of a bundle, each by a seed: by somebody with no key, or with the manifest key."""

import base64
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from evidence import bag, jws
from evidence.canonical import canonical
from evidence.errors import EvidenceError
from evidence.keys import ManifestKey
from tests.evidence.forgery import rebag, restate, sha256

# A second verifier may rely on the hash of these alone, so a holder of the key may change them.
RETOLD = (bag.REPORT, bag.GUIDE, bag.CASE)
HEX, LETTERS = "0123456789abcdef", "abcxyz0189 -_.é\u202e\n"


def files_of(bundle: Path) -> list[str]:
    return sorted(p.relative_to(bundle).as_posix() for p in bundle.rglob("*") if p.is_file())


def lines_of(bundle: Path) -> list[str]:
    """Return the files of lines but those of timestamps, which a second verifier may leave out."""
    names = [name for name in files_of(bundle) if name.endswith(".jsonl")]
    return [name for name in names if not name.startswith(bag.TIME)]


def json_of(bundle: Path) -> list[str]:
    return [*lines_of(bundle), bag.TIMELINE]


def touchable(bundle: Path, sealed: bool) -> list[str]:
    """Return the files that a change may hit: none that a new seal makes again or relies on."""
    made_again = {bag.MANIFEST, bag.TAG_MANIFEST, bag.EXPORT, bag.INFO, *RETOLD} if sealed else {}
    names = [name for name in files_of(bundle) if name not in made_again]
    return [name for name in names if not (sealed and name.startswith(bag.TIME))]


def flip(bundle: Path, chance: random.Random, sealed: bool) -> str:
    name = chance.choice(touchable(bundle, sealed))
    data = bytearray((bundle / name).read_bytes())
    at = chance.randrange(len(data))
    data[at] ^= chance.randrange(1, 256)
    (bundle / name).write_bytes(data)
    return f"byte {at} of {name}"


def cut(bundle: Path, chance: random.Random, sealed: bool) -> str:
    name = chance.choice(touchable(bundle, sealed))
    data = (bundle / name).read_bytes()
    at = chance.randrange(len(data))
    (bundle / name).write_bytes(data[:at])
    return f"{name} cut at {at}"


def remove(bundle: Path, chance: random.Random, sealed: bool) -> str:
    name = chance.choice(touchable(bundle, sealed))
    (bundle / name).unlink()
    return f"{name} removed"


def add(bundle: Path, chance: random.Random, sealed: bool) -> str:
    folders = ["", "data/", "data/case/", bag.ARTIFACTS, bag.MANIFESTS, "data/custody/proofs/"]
    names = ["x", "5.tlog-proof", "ab" * 32, f"{'ab' * 32}.jws", ".hidden", "VERIFY.MD", "a b"]
    name = chance.choice(folders) + chance.choice(names)
    (bundle / name).write_bytes(chance.randbytes(20))
    return f"{name} added"


def swap(bundle: Path, chance: random.Random, sealed: bool) -> str:
    one, other = chance.sample(touchable(bundle, sealed), 2)
    held = (bundle / one).read_bytes(), (bundle / other).read_bytes()
    (bundle / one).write_bytes(held[1])
    (bundle / other).write_bytes(held[0])
    return f"{one} and {other} swapped"


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return each member and item of a JSON value as its holder and its name or number."""
    if isinstance(value, dict | list):
        names = list(value) if isinstance(value, dict) else range(len(value))
        return [(value, n) for n in names] + [p for n in names for p in places(value[n])]
    return []


def other_than(value: Any, chance: random.Random) -> Any:
    if isinstance(value, bool):
        return chance.choice([not value, int(value), None])
    if isinstance(value, int):
        return value + chance.choice([-1, 1, 1000])
    if isinstance(value, str):
        at = chance.randrange(len(value) + 1)
        letter = chance.choice([c for c in HEX + LETTERS if value[at : at + 1] != c])
        return chance.choice([value[:at] + letter + value[at + 1 :], value[:-1] + "!", None, 0])
    return chance.choice([0, "x", True])


def edit_value(value: Any, chance: random.Random) -> str:
    holder, name = chance.choice(places(value))
    held, how = holder[name], chance.choice(["other", "other", "gone", "more"])
    if how == "gone":
        del holder[name]
    elif how == "more" and isinstance(holder, dict):
        holder["more"] = chance.choice([None, 1, "x"])
    elif isinstance(held, str) and held.startswith("{"):
        inner = json.loads(held)
        how = f"inner {edit_value(inner, chance)}"
        holder[name] = canonical(inner).decode()
    else:
        holder[name] = other_than(held, chance)
    return f"{name} {how}"


def edit(bundle: Path, chance: random.Random, sealed: bool) -> str:
    name = chance.choice([n for n in json_of(bundle) if (bundle / n).exists()])
    if not name.endswith(".jsonl"):
        value = json.loads((bundle / name).read_bytes())
        said = edit_value(value, chance)
        (bundle / name).write_bytes(canonical(value))
        return f"{name}: {said}"
    lines = (bundle / name).read_bytes().splitlines(keepends=True)
    at = chance.randrange(len(lines))
    value = json.loads(lines[at])
    said = edit_value(value, chance)
    lines[at] = canonical(value) + b"\n"
    (bundle / name).write_bytes(b"".join(lines))
    return f"{name} line {at}: {said}"


def respace(bundle: Path, chance: random.Random, sealed: bool) -> str:
    name = chance.choice(json_of(bundle))
    data = (bundle / name).read_bytes()
    (bundle / name).write_bytes(chance.choice([data.replace(b":", b": ", 1), data + b"\n"]))
    return f"{name} written otherwise"


def drop(bundle: Path, chance: random.Random, sealed: bool) -> str:
    return relined(bundle, chance, sealed, "dropped", lambda lines, at: lines.pop(at))


def repeat(bundle: Path, chance: random.Random, sealed: bool) -> str:
    return relined(
        bundle, chance, sealed, "repeated", lambda lines, at: lines.insert(at, lines[at])
    )


def reorder(bundle: Path, chance: random.Random, sealed: bool) -> str:
    return relined(
        bundle, chance, sealed, "moved", lambda lines, at: lines.insert(at - 1, lines.pop(at))
    )


def relined(
    bundle: Path,
    chance: random.Random,
    sealed: bool,
    how: str,
    change: Callable[[list[bytes], int], object],
) -> str:
    tlog = [n for n in files_of(bundle) if n.endswith(".tlog-proof")]
    # Whoever may seal a bundle may add lines to the checkpoint and state anything of the tool.
    more = [] if sealed else [bag.CHECKPOINT, bag.INFO]
    many = [one for one in lines_of(bundle) if (bundle / one).read_bytes().count(b"\n") > 1]
    name = chance.choice([*many, *many, chance.choice(tlog), *more])
    lines = (bundle / name).read_bytes().splitlines(keepends=True)
    at = chance.randrange(1, len(lines))
    change(lines, at)
    (bundle / name).write_bytes(b"".join(lines))
    return f"{name} line {at} {how}"


def payload_of(token: Path) -> Any:
    segment = token.read_text().split(".")[1]
    return json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))


def name_anew(path: Path) -> Path:
    return path.rename(path.with_name(f"{sha256(path)}.jws"))


def resign(bundle: Path, signer: ManifestKey, chance: random.Random) -> str:
    """Change a signed payload, and sign and name it anew."""
    folder = bundle / bag.MANIFESTS
    path = chance.choice([bundle / bag.EXPORT, *sorted(folder.iterdir())])
    value = payload_of(path)
    said = edit_value(value, chance)
    export = path.name == bag.EXPORT
    typ = bag.EXPORT_TYP if export else "evidence-manifest+jws"
    path.write_text(jws.sign(canonical(value), signer.key, signer.kid, typ))
    if not export:
        name_anew(path)
        reseal(bundle, signer)
    return f"{path.name} signed anew: {said}"


def reseal(bundle: Path, signer: ManifestKey | None) -> None:
    """Make the hashes fit, and with a key the statement, where the change left what they say."""
    try:
        rebag(bundle)
        if signer is not None:
            restate(bundle, signer)
    except (OSError, ValueError, KeyError, IndexError, TypeError, EvidenceError):
        pass  # then the bundle stays with hashes or a statement that do not fit


OUTSIDE = (flip, cut, remove, add, swap, edit, drop, reorder, repeat, respace)
