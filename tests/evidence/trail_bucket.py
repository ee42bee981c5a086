"""A trail with log files and digests, as CloudTrail would deliver them, signed with our own key.

The bucket is moto's, over HTTP. CloudTrail itself (GetTrail, GetTrailStatus, ListPublicKeys, which
moto lacks) is a small server here. The digests are written from AWS's description of them, apart
from the code that checks them: nothing of AWS was at hand to compare with.
"""

import base64
import gzip
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.evidence.cloud import ACCOUNT, REGION

TRAIL = "main"
START = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)  # the window runs over midnight
HOUR = timedelta(hours=1)
FORM = "%Y-%m-%dT%H:%M:%SZ"


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Trail:
    """Writes hours of a trail into a bucket; `digests` and `logs` are the keys it wrote."""

    s3: Any
    bucket: str
    key: rsa.RSAPrivateKey
    fingerprint: str = "ab" * 16
    digests: list[str] = field(default_factory=list)
    logs: list[str] = field(default_factory=list)
    last: dict[str, str] | None = None

    def hour(self, number: int, logs: int = 2, **changes: Any) -> str:
        """Write an hour's log files, and the digest over them; return the digest's key."""
        begin = START + number * HOUR
        named = [self.log(begin + timedelta(minutes=10 * n), n) for n in range(logs)]
        return self.digest(begin, begin + HOUR, named, **changes)

    def log(self, at: datetime, number: int) -> dict[str, Any]:
        event = {"eventName": "RunInstances", "eventTime": at.strftime(FORM), "n": number}
        text = json.dumps({"Records": [event]}).encode()
        name = f"{ACCOUNT}_CloudTrail_{REGION}_{at:%Y%m%dT%H%MZ}_{number:016d}.json.gz"
        key = f"p/AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/{at:%Y/%m/%d}/{name}"
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=gzip.compress(text))
        self.logs.append(key)
        return {
            "s3Bucket": self.bucket,
            "s3Object": key,
            "hashValue": hashlib.sha256(text).hexdigest(),
            "hashAlgorithm": "SHA-256",
            "newestEventTime": at.strftime(FORM),
            "oldestEventTime": at.strftime(FORM),
        }

    def digest(
        self, start: datetime, end: datetime, named: list[dict[str, Any]], **changes: Any
    ) -> str:
        late = changes.pop("backfill", None)
        stem = f"{ACCOUNT}_CloudTrail-Digest_{REGION}_{TRAIL}_{REGION}_{end:%Y%m%dT%H%M%SZ}"
        name = f"{stem}_backfill.json.gz" if late else f"{stem}.json.gz"
        key = f"p/AWSLogs/{ACCOUNT}/CloudTrail-Digest/{REGION}/{end:%Y/%m/%d}/{name}"
        before = None if late else self.last
        said = {
            "awsAccountId": ACCOUNT,
            "digestStartTime": start.strftime(FORM),
            "digestEndTime": end.strftime(FORM),
            "digestS3Bucket": self.bucket,
            "digestS3Object": key,
            "digestPublicKeyFingerprint": self.fingerprint,
            "digestSignatureAlgorithm": "SHA256withRSA",
            "previousDigestS3Bucket": before and before["bucket"],
            "previousDigestS3Object": before and before["key"],
            "previousDigestHashValue": before and before["sha256"],
            "previousDigestHashAlgorithm": before and "SHA-256",
            "previousDigestSignature": before and before["signature"],
            "logFiles": named,
        } | changes
        text = json.dumps(said).encode()
        lines = [said["digestEndTime"], f"{self.bucket}/{key}", hashlib.sha256(text).hexdigest()]
        lines.append(before["signature"] if before else "null")
        signed = "\n".join(lines).encode()
        signature = self.key.sign(signed, padding.PKCS1v15(), hashes.SHA256()).hex()
        metadata = {"signature": signature, "signature-algorithm": "SHA256withRSA"}
        if late:
            metadata["backfill-generation-timestamp"] = late.strftime(FORM)
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=gzip.compress(text), Metadata=metadata)
        if not late:
            sha256 = hashlib.sha256(text).hexdigest()
            self.last = {"bucket": self.bucket, "key": key}
            self.last |= {"sha256": sha256, "signature": signature}
        self.digests.append(key)
        return key

    def public(self, **changes: Any) -> dict[str, Any]:
        """Return the key as ListPublicKeys has it."""
        der = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
        return {
            "Value": base64.b64encode(der).decode(),
            "Fingerprint": self.fingerprint,
            "ValidityStartTime": (START - 100 * HOUR).timestamp(),
            "ValidityEndTime": (START + 100 * HOUR).timestamp(),
        } | changes

    def described(self) -> dict[str, Any]:
        return {
            "Name": TRAIL,
            "S3BucketName": self.bucket,
            "S3KeyPrefix": "p",
            "HomeRegion": REGION,
            "LogFileValidationEnabled": True,
        }


class Service(BaseHTTPRequestHandler):
    """CloudTrail's own calls; `answers` by operation, an unknown one is refused as AWS does."""

    answers: dict[str, dict[str, Any]]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        found = self.answers.get(operation)
        refused = {"__type": "TrailNotFoundException", "message": "Unknown trail"}
        data = json.dumps(refused if found is None else found).encode()
        self.send_response(400 if found is None else 200)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def service(answers: dict[str, dict[str, Any]]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Served", (Service,), {"answers": answers}))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
