"""What an attacker can do to a bundle, by what they hold: nothing, or a key."""

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from evidence import bag, jws
from evidence.canonical import canonical
from evidence.keys import ManifestKey
from evidence.leaf import read_leaf
from evidence.merkle import leaf_hash


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def payload(bundle: Path) -> dict[str, Path]:
    found = sorted(p for p in (bundle / "data").rglob("*") if p.is_file())
    return {p.relative_to(bundle).as_posix(): p for p in found}


def rebag(bundle: Path) -> None:
    """Recompute every bag manifest and the stated size, as anyone can."""
    files = payload(bundle)
    (bundle / bag.MANIFEST).write_bytes(bag.manifest_text({n: sha256(p) for n, p in files.items()}))
    info = (bundle / bag.INFO).read_text()
    size = sum(p.stat().st_size for p in files.values())
    kept = [line for line in info.splitlines() if not line.startswith("Payload-Oxum")]
    (bundle / bag.INFO).write_text("\n".join([*kept, f"Payload-Oxum: {size}.{len(files)}", ""]))
    tags = [bag.DECLARATION, bag.INFO, bag.MANIFEST, bag.GUIDE, bag.REPORT]
    listed = {name: sha256(bundle / name) for name in tags}
    (bundle / bag.TAG_MANIFEST).write_bytes(bag.manifest_text(listed))


def restate(bundle: Path, signer: ManifestKey) -> None:
    """Write an export statement that fits the bundle as it is now, signed by `signer`."""
    token = (bundle / bag.EXPORT).read_text()
    segment = token.split(".")[1]
    stated = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    leaves = [entry["leaf"].encode() for entry in read_lines(bundle, bag.ENTRIES)]
    stated["entries"] = len(leaves)
    stated["case"] = read_leaf(leaves[-1]).case
    stated["last_leaf"] = leaf_hash(leaves[-1]).hex()
    note = (bundle / bag.CHECKPOINT).read_text().splitlines()
    stated["origin"], stated["checkpoint_size"] = note[0], int(note[1])
    stated["checkpoint_sha256"] = sha256(bundle / bag.CHECKPOINT)
    stated["tagmanifest_sha256"] = sha256(bundle / bag.TAG_MANIFEST)
    signed = jws.sign(canonical(stated), signer.key, signer.kid, bag.EXPORT_TYP)
    (bundle / bag.EXPORT).write_text(signed)


def read_lines(bundle: Path, name: str) -> list[dict]:
    return [json.loads(line) for line in (bundle / name).read_bytes().split(b"\n")[:-1]]


def write_lines(bundle: Path, name: str, lines: list[dict]) -> None:
    (bundle / name).write_bytes(b"".join(canonical(line) + b"\n" for line in lines))


def edit_entries(change: Callable[[list[dict]], list[dict]]) -> Callable[[Path], None]:
    """Return a forgery that changes the ledger entries, and keeps proofs and timeline in step."""

    def forge(bundle: Path) -> None:
        entries = change(read_lines(bundle, bag.ENTRIES))
        write_lines(bundle, bag.ENTRIES, entries)
        held = {entry["index"] for entry in entries}
        proofs = [p for p in read_lines(bundle, bag.PROOFS) if p["index"] in held]
        write_lines(bundle, bag.PROOFS, proofs)
        retell(bundle)

    return forge


def retell(bundle: Path) -> None:
    """Write the timeline that follows from the entries."""
    moments = []
    for entry in read_lines(bundle, bag.ENTRIES):
        leaf, opening = json.loads(entry["leaf"]), entry["opening"]
        moments.append(
            {
                "index": entry["index"],
                **{n: leaf[n] for n in ("case_seq", "kind", "event_time", "record_time")},
                "actor": opening and opening["actor"],
                "body": opening and json.loads(opening["body"]),
            }
        )
    (bundle / bag.TIMELINE).write_bytes(canonical(moments))
