"""Writes everything an auditor needs to check one case offline into one folder.

OUT/bagit.txt bag-info.txt manifest-sha256.txt tagmanifest-sha256.txt VERIFY.md
    export.jws                      signs the tag manifest's digest; stands outside it
    data/artifacts/<sha256>         stored bytes; sensitive ones stay encrypted
    data/custody/manifests/<sha256>.jws
    data/custody/entries.jsonl      index, leaf, opening {actor, body, salt} or null
    data/custody/proofs.jsonl       index, inclusion path in the checkpoint's tree
    data/custody/proofs/<index>.tlog-proof    the same for each entry alone (C2SP tlog-proof)
    data/custody/checkpoint         the signed head of the ledger, with witnesses' cosignatures
    data/custody/heads.jsonl        that the case has no more entries (bundle_heads.py)
    data/custody/policy             which witnesses were asked, where any are (C2SP tlog-policy)
    data/case/timeline.json
    data/time/                      timestamps (bundle_time.py), where there are any
and what is told again of these for people and other programs (bundle_retold.py).
"""

import hashlib
import os
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from evidence import bag, jws
from evidence.artifact_store import ArtifactStore
from evidence.bundle_heads import heads_line
from evidence.bundle_retold import retold_files
from evidence.bundle_time import time_files
from evidence.bundle_values import disclosed, opening_of
from evidence.canonical import canonical
from evidence.deposit import KIND as ARTIFACT_STORED
from evidence.errors import BundleError
from evidence.keys import ManifestKey
from evidence.ledger import Recorded, entries, inclusion, latest_checkpoint
from evidence.ledger_tree import SignedCheckpoint
from evidence.ledger_witness import checkpoint_over, witnessed
from evidence.locker import CHUNK
from evidence.policy import Policy, parse_policy
from evidence.stock_check import GUIDE_TEXT
from evidence.timeline import moment
from evidence.timestamp import Authority
from evidence.tlog_proof import write_proof
from evidence.withheld import NOTHING, Withheld
from evidence.withheld import SCHEMA as WITHHOLDING


@dataclass(frozen=True, slots=True)
class Exported:
    """A bundle that was written: its folder, and what the `export` ledger entry should say."""

    path: Path
    tagmanifest_sha256: str
    entries: int
    checkpoint_size: int


def export(
    conn: Connection,
    locker: ArtifactStore,
    case: str,
    signer: ManifestKey,
    out: Path,
    authorities: Sequence[Authority] = (),
    policy: str = "",
    withheld: Withheld = NOTHING,
) -> Exported:
    """Write the bundle of `case` into the new folder `out`, with the timestamps of `authorities`.

    With a `policy` of witnesses (C2SP tlog-policy) the head is the newest that its quorum cosigned
    and that covers the case; without one, or where there is none, the newest of all.
    What is `withheld` is left out, and the signed statement says so.
    Only reads the database, so a read-only connection will do and no writer need wait.
    Everything but `export.jws` is the same bytes for the same ledger, checkpoint and tokens, where
    the signer's key is in memory. The caller appends an `export` entry afterwards.

    Raises:
        BundleError: when `out` exists, or an entry waits for its index or proof.
        LedgerError: when the ledger has no checkpoint.
        LockerError: when an artifact is missing or altered.
        PolicyError, NoteError: when the policy is malformed, or a kept cosignature does not fit.
    """
    recorded = [disclosed(entry, withheld) for entry in entries(conn, case)]
    head = _head(conn, recorded, parse_policy(policy) if policy else None)
    _refuse_unproven(case, recorded, head)
    try:
        out.mkdir(mode=0o700)
    except FileExistsError as error:
        raise BundleError(
            f"{out} exists; a bundle is never written over. Choose a new path"
        ) from error
    with ExitStack() as half_done:
        half_done.callback(shutil.rmtree, out)
        for folder in bag.FOLDERS:
            (out / folder).mkdir(mode=0o700)
        writer = _Writer(out, {}, frozenset(bag.ARTIFACTS + one for one in withheld.artifacts))
        _write_payload(writer, conn, locker, recorded, head)
        if line := heads_line(conn, recorded[0].leaf.case, head.checkpoint.size):
            writer.write(bag.HEADS, line)
        _write_times(writer, conn, recorded, head, authorities)
        if policy:
            writer.write(bag.POLICY, policy.encode())
        for path, data in retold_files(out, case, recorded, signer).items():
            writer.write(path, data)
        digest = _write_tags(writer, case, head)
        statement = _statement(case, recorded, head, digest)
        if withheld != NOTHING:
            statement |= {"schema": WITHHOLDING, "withheld": withheld.members()}
        token = jws.sign(canonical(statement), signer.key, signer.kid, bag.EXPORT_TYP)
        writer.write(bag.EXPORT, token.encode("ascii"))
        half_done.pop_all()
    return Exported(out, digest, len(recorded), head.checkpoint.size)


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes files below `root` once, keeping each one's SHA-256 and size."""

    root: Path
    written: dict[str, tuple[str, int]]
    left_out: frozenset[str] = frozenset()

    def write(self, path: str, data: bytes) -> str:
        with self._open(path) as file:
            file.write(data)
        self.written[path] = (hashlib.sha256(data).hexdigest(), len(data))
        return self.written[path][0]

    def copy(self, path: str, locker: ArtifactStore, sha256: str) -> None:
        if path in self.left_out:
            return
        digest, size = hashlib.sha256(), 0
        with locker.open(sha256) as source, self._open(path) as file:
            while chunk := source.read(CHUNK):
                digest.update(chunk)
                size += file.write(chunk)
        if digest.hexdigest() != sha256:
            raise BundleError(
                f"artifact {sha256} was altered in the locker; restore it from a copy"
            )
        self.written[path] = (sha256, size)

    def digests(self, *, payload: bool) -> dict[str, str]:
        return {p: d for p, (d, _) in self.written.items() if p.startswith("data/") is payload}

    def _open(self, path: str) -> Any:
        return os.fdopen(
            os.open(self.root / path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb"
        )


def _head(conn: Connection, recorded: list[Recorded], policy: Policy | None) -> SignedCheckpoint:
    newest = latest_checkpoint(conn)
    if policy is None:
        return newest
    least = max((entry.index + 1 for entry in recorded if entry.index is not None), default=0)
    found = checkpoint_over(conn, least, policy) or witnessed(conn, newest, policy)
    return found.signed


def _refuse_unproven(case: str, recorded: list[Recorded], head: SignedCheckpoint) -> None:
    if not recorded:
        raise BundleError(f"case {case!r} has no entries; nothing to export")
    size = head.checkpoint.size
    waiting = [entry.id for entry in recorded if entry.index is None or entry.index >= size]
    if waiting:
        raise BundleError(
            f"case {case!r} has {len(waiting)} entries without a proof; integrate the ledger first"
        )


def _write_payload(
    writer: _Writer,
    conn: Connection,
    locker: ArtifactStore,
    recorded: list[Recorded],
    head: SignedCheckpoint,
) -> None:
    lines, proofs = [], []
    for entry in recorded:
        lines.append(
            canonical(
                {"index": entry.index, "leaf": entry.data.decode(), "opening": opening_of(entry)}
            )
        )
        path = inclusion(conn, entry.index or 0, head.checkpoint.size)
        proofs.append(canonical({"index": entry.index, "path": [step.hex() for step in path]}))
        alone = write_proof(entry.index or 0, path, head.note)
        writer.write(f"{bag.PROOF_FILES}{entry.index}.tlog-proof", alone)
    writer.write(bag.ENTRIES, b"\n".join(lines) + b"\n")
    writer.write(bag.PROOFS, b"\n".join(proofs) + b"\n")
    writer.write(bag.CHECKPOINT, head.note.encode())
    moments = [_moment(entry) for entry in recorded]
    writer.write(bag.TIMELINE, canonical(moments))
    for entry in recorded:
        if entry.leaf.kind == ARTIFACT_STORED and entry.opening is not None:
            _write_artifact(writer, locker, entry)


def _write_times(
    writer: _Writer,
    conn: Connection,
    recorded: list[Recorded],
    head: SignedCheckpoint,
    authorities: Sequence[Authority],
) -> None:
    if not authorities:
        return
    indices = [entry.index for entry in recorded if entry.index is not None]
    if found := time_files(conn, indices, head, authorities):
        (writer.root / bag.TIME).mkdir(mode=0o700)
    for path, data in found.items():
        writer.write(path, data)


def _write_artifact(writer: _Writer, locker: ArtifactStore, entry: Recorded) -> None:
    for member, place in (
        ("manifest_sha256", bag.MANIFESTS + "{}.jws"),
        ("stored_sha256", bag.ARTIFACTS + "{}"),
    ):
        digest = entry.body.get(member)
        if not isinstance(digest, str):
            raise BundleError(
                f"ledger entry {entry.index} of kind {entry.leaf.kind} has no {member}"
            )
        path = place.format(digest)
        if path not in writer.written:
            writer.copy(path, locker, digest)


def _write_tags(writer: _Writer, case: str, head: SignedCheckpoint) -> str:
    payload = writer.digests(payload=True)
    size = sum(size for path, (_, size) in writer.written.items() if path in payload)
    writer.write(bag.DECLARATION, bag.DECLARATION_TEXT)
    writer.write(bag.INFO, bag.info_text(case, head.checkpoint.origin, size, len(payload)))
    writer.write(bag.MANIFEST, bag.manifest_text(payload))
    writer.write(bag.GUIDE, GUIDE_TEXT.encode())
    return writer.write(bag.TAG_MANIFEST, bag.manifest_text(writer.digests(payload=False)))


def _statement(
    case: str, recorded: list[Recorded], head: SignedCheckpoint, digest: str
) -> dict[str, Any]:
    return {
        "schema": bag.EXPORT_SCHEMA,
        "case": recorded[0].leaf.case,
        "case_id": case,
        "entries": len(recorded),
        "last_leaf": recorded[-1].leaf_hash.hex(),
        "origin": head.checkpoint.origin,
        "checkpoint_size": head.checkpoint.size,
        "checkpoint_sha256": hashlib.sha256(head.note.encode()).hexdigest(),
        "tagmanifest_sha256": digest,
    }


def _moment(entry: Recorded) -> dict[str, Any]:
    opened = None if entry.opening is None else (entry.opening.actor, entry.body)
    return moment(entry.index, entry.leaf, opened)
