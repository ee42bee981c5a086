"""Reads blocks of EBS snapshots, several at once, and keeps of each only its hash.

EBS direct APIs reference: ListSnapshotBlocks, ListChangedBlocks, GetSnapshotBlock. A block has
512 KiB; the SHA-256 that comes with it, in base64, is the provider's own.
"""

import base64
import binascii
import hashlib
import itertools
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from evidence.sources.ask import Client, Question, answer, code_of
from evidence.sources.block_tree import Block
from evidence.sources.item import Missed

WORKERS = 8
ATTEMPTS = 3
GET = "ebs.get_snapshot_block"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A block to read: its snapshot, index and token, which is good for some days."""

    snapshot_id: str
    index: int
    token: str


def listing(client: Client, question: Question) -> Iterator[dict[str, Any]]:
    """Yield the pages of a list of blocks; what boto3 raises, passes."""
    asked = dict(question.parameters)
    while True:
        page = answer(client, Question(question.name, "ebs", question.operation, asked))
        yield page
        if not (token := page.get("NextToken")):
            return
        asked["NextToken"] = token


def read_blocks(client: Client, wanted: Iterable[Wanted]) -> Iterator[Block | Missed]:
    """Yield the blocks in the order they were given, up to the first that is missed."""
    left = iter(wanted)
    with ThreadPoolExecutor(WORKERS) as pool:
        while few := list(itertools.islice(left, WORKERS * 4)):
            for found in pool.map(lambda one: _read(client, one), few):
                yield found
                if isinstance(found, Missed):
                    return


def _read(client: Client, wanted: Wanted) -> Block | Missed:
    name = f"{GET}.{wanted.snapshot_id}.{wanted.index:08d}"
    asked = {
        "SnapshotId": wanted.snapshot_id,
        "BlockIndex": wanted.index,
        "BlockToken": wanted.token,
    }
    why = ""
    for _ in range(ATTEMPTS):
        try:
            response = answer(client, Question(name, "ebs", "get_snapshot_block", asked))
            data: bytes = response["BlockData"].read()
        except ClientError as error:
            # boto3 tried again where that can help.
            return Missed(name, GET, code_of(error))
        except (BotoCoreError, HTTPError, OSError) as error:
            why = type(error).__name__
            continue
        if len(data) == response.get("DataLength", len(data)):
            sha256 = hashlib.sha256(data).hexdigest()
            return Block(wanted.index, sha256, len(data), _told(response))
        why = "another length than its DataLength"
    return Missed(name, GET, why)


def _told(response: dict[str, Any]) -> str:
    """Return the provider's SHA-256 in hex, or what it gave in its place as it came."""
    given = response.get("Checksum") or ""
    if not given or response.get("ChecksumAlgorithm", "SHA256") != "SHA256":
        return ""
    try:
        return base64.b64decode(given, validate=True).hex()
    except binascii.Error:
        return str(given)
