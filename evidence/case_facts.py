"""What a bundle's other files say together, for what is told again in it for people and programs.

The exporter and the verifier both read these facts from the bundle's own files, so that whatever
is made from them can be made again and compared. Standard library and cryptography only.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from evidence import bag
from evidence.errors import BundleError
from evidence.jws_token import MAX_TOKEN, take_apart
from evidence.manifest import TYP, Manifest, read_manifest
from evidence.note import Checkpoint, unverified_checkpoint
from evidence.verify_entries import MAX_NOTE, Proven
from evidence.verify_files import MAX_INFO, Files
from evidence.verify_heads import Stated, read_stated

ARTIFACT_STORED = "artifact.stored"


@dataclass(frozen=True, slots=True)
class Facts:
    """One case: its own id, the ledger's head, entries in order, manifests by token's SHA-256.

    `counted` is what the ledger itself states of the case, where the bundle holds it.
    Cosignatures and timestamps are not among them, for more of those may be put in later.
    """

    case_id: str
    head: Checkpoint
    entries: tuple[Proven, ...]
    manifests: Mapping[str, Manifest]
    counted: Stated | None = None

    def deposits(self) -> list[tuple[Proven, str, Mapping[str, Any], Manifest]]:
        """Return each open `artifact.stored` entry with its actor, its body and its manifest."""
        return [
            (entry, *entry.opened, self.manifests[str(entry.opened[1].get("manifest_sha256"))])
            for entry in self.entries
            if entry.leaf.kind == ARTIFACT_STORED and entry.opened is not None
        ]


def read_facts(
    files: Files,
    case_id: str,
    entries: tuple[Proven, ...],
    known: Mapping[str, Manifest] = MappingProxyType({}),
) -> Facts:
    """Return the facts of a bundle whose entries were read before, and manifests `known` by path.

    Raises:
        BundleError: when the head, or a manifest that an entry names, is missing or not UTF-8.
        EvidenceError: when a manifest or the head is malformed.
    """
    manifests = {}
    for entry in entries:
        if entry.leaf.kind == ARTIFACT_STORED and entry.opened is not None:
            digest = str(entry.opened[1].get("manifest_sha256"))
            held = known.get(f"{bag.MANIFESTS}{digest}.jws")
            manifests[digest] = held or read_manifest(manifest_payload(files, digest))
    try:
        head = unverified_checkpoint(files.read(bag.CHECKPOINT, MAX_NOTE).decode())
    except UnicodeDecodeError as error:
        raise BundleError(f"{bag.CHECKPOINT} is not UTF-8") from error
    counted = read_stated(files) if bag.HEADS in files.sizes else None
    return Facts(case_id, head, entries, manifests, counted)


def manifest_payload(files: Files, digest: str) -> bytes:
    """Return the manifest whose token has this SHA-256; its signature is not checked here.

    Raises:
        BundleError: when it is missing or another stands under its name.
        TokenError: when it is no token.
    """
    path = f"{bag.MANIFESTS}{digest}.jws"
    if path not in files.sizes:
        raise BundleError(f"{path} is missing")
    data = files.read(path, MAX_TOKEN)
    if hashlib.sha256(data).hexdigest() != digest:
        raise BundleError(f"{path} is another manifest than its name says")
    return take_apart(data.decode("latin-1"), TYP).payload


def case_id_of(files: Files) -> str:
    """Return the case's own id, which bag-info.txt states.

    Raises:
        BundleError: when bag-info.txt is missing or malformed.
    """
    return bag.read_info(files.read(bag.INFO, MAX_INFO)).case
