"""An S3 bucket over real HTTP whose answers break off: one object, listed and served in pieces."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from tests.evidence.serving import served

LISTING = """<?xml version="1.0"?><ListVersionsResult><IsTruncated>false</IsTruncated><Version>
<Key>k</Key><VersionId>v1</VersionId><IsLatest>true</IsLatest><ETag>"e"</ETag><Size>{size}</Size>
<LastModified>2026-11-23T10:00:00Z</LastModified></Version></ListVersionsResult>"""


class Bucket(BaseHTTPRequestHandler):
    """`gives` is how many bytes each answer gives before it breaks, in turn; `tags` are ETags.

    Without `ranges` it begins at the beginning, whatever was asked for.
    """

    content: bytes
    gives: list[int]
    tags: list[str]
    ranges: bool
    asked: list[tuple[int, str | None]]

    def do_GET(self) -> None:
        if "versioning" in self.path:
            self.answer(200, b"<VersioningConfiguration/>")
        elif "versions" in self.path:
            self.answer(200, LISTING.format(size=len(self.content)).encode())
        else:
            self.give()

    def give(self) -> None:
        span = self.headers.get("Range")
        start = int(span.removeprefix("bytes=").partition("-")[0]) if span else 0
        self.asked.append((start, self.headers.get("If-Match")))
        tag = self.tags.pop(0)
        if self.headers.get("If-Match", tag) != tag:
            self.answer(412, b"<Error><Code>PreconditionFailed</Code></Error>")
            return
        start = start if self.ranges else 0
        rest = self.content[start:]
        self.send_response(206 if span else 200)
        self.send_header("Content-Length", str(len(rest)))
        self.send_header("ETag", tag)
        if span:
            whole = len(self.content)
            self.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
        self.end_headers()
        self.wfile.write(rest[: self.gives.pop(0)])
        self.close_connection = True

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def breaking(
    content: bytes, gives: list[int], tags: list[str] | None = None, ranges: bool = True
) -> Iterator[tuple[str, list[tuple[int, str | None]]]]:
    """Serve it; yield the endpoint, and the list of (start, If-Match) that were asked for."""
    members = {
        "content": content,
        "gives": list(gives),
        "tags": tags or ['"e"'] * len(gives),
        "ranges": ranges,
        "asked": [],
    }
    with served(Bucket, members) as found:
        yield found
