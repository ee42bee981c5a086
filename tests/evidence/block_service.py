"""The EBS direct APIs over real HTTP, where moto lacks them: pages, refusals, broken answers."""

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.evidence.serving import served

SIZE = 4096  # AWS's blocks have 512 KiB; nothing here depends on it
PAGE = 4


class Blocks(BaseHTTPRequestHandler):
    """`refused` is the index of a block that may not be read; `breaks` one cut short once."""

    disks: dict[str, dict[int, bytes]]
    refused: int
    breaks: list[int]
    asked: list[str]

    def do_GET(self) -> None:
        where = urlsplit(self.path)
        self.asked.append(where.path)
        query = {name: values[0] for name, values in parse_qs(where.query).items()}
        parts = where.path.strip("/").split("/")
        if parts[1] not in self.disks:
            self.tell(404, {"Message": "no such snapshot"}, "ResourceNotFoundException")
        elif parts[2] == "changedblocks":
            self.changes(query["firstSnapshotId"], parts[1], query)
        elif len(parts) == 3:
            rows = [{"BlockIndex": i, "BlockToken": "QUJD"} for i in sorted(self.disks[parts[1]])]
            self.page("Blocks", rows, query)
        else:
            self.block(self.disks[parts[1]], int(parts[3]))

    def changes(self, first: str, second: str, query: dict[str, str]) -> None:
        before, after = self.disks[first], self.disks[second]
        rows: list[dict[str, Any]] = []
        for index in sorted(before.keys() | after.keys()):
            if before.get(index) != after.get(index):
                row: dict[str, Any] = {"BlockIndex": index}
                row |= {"FirstBlockToken": "QUJD"} if index in before else {}
                row |= {"SecondBlockToken": "QUJD"} if index in after else {}
                rows.append(row)
        self.page("ChangedBlocks", rows, query)

    def page(self, member: str, rows: list[dict[str, Any]], query: dict[str, str]) -> None:
        # A token goes on with the list it is from, whatever the start that is asked for beside it.
        start, at = query.get("pageToken", f"{query.get('startingBlockIndex', 0)}-0").split("-")
        rows, at = [row for row in rows if row["BlockIndex"] >= int(start)], int(at)
        size = max(PAGE, len(rows) // 4)
        found: dict[str, Any] = {member: rows[at : at + size], "VolumeSize": 1, "BlockSize": SIZE}
        if at + size < len(rows):
            found["NextToken"] = f"{start}-{at + size}"
        self.tell(200, found)

    def block(self, disk: dict[int, bytes], index: int) -> None:
        if index == self.refused:
            self.tell(403, {"Message": "no"}, "AccessDeniedException")
            return
        data = disk[index]
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("x-amz-Data-Length", str(len(data)))
        self.send_header("x-amz-Checksum", base64.b64encode(hashlib.sha256(data).digest()).decode())
        self.send_header("x-amz-Checksum-Algorithm", "SHA256")
        self.end_headers()
        if index in self.breaks:
            self.breaks.remove(index)
            data = data[:100]
            self.close_connection = True
        self.wfile.write(data)

    def tell(self, status: int, body: dict[str, Any], error: str = "") -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        if error:
            self.send_header("x-amzn-ErrorType", error)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def snapshots(
    disks: dict[str, dict[int, bytes]], refused: int = -1, breaks: int = -1
) -> Iterator[tuple[str, list[str]]]:
    """Serve these disks by snapshot; yield the endpoint and the paths that were asked for."""
    members = {"disks": disks, "refused": refused, "breaks": [breaks], "asked": []}
    with served(Blocks, members) as found:
        yield found
