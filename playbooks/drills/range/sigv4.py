"""Is the request signed with the secret it claims? (AWS: Signature Version 4 signing process)."""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote

from playbooks.drills.range.errors import AwsError
from playbooks.drills.range.presigned import SIGNED_QUERY, must_not_have_ended

if TYPE_CHECKING:
    from playbooks.drills.range.wire import Asked


def check(asked: Asked, secret: str) -> None:
    """Return if the signature is right for `secret`.

    Raises AwsError SignatureDoesNotMatch (403) otherwise.
    """
    header = str(asked.environ["HTTP_AUTHORIZATION"]).partition(" ")[2]
    fields = dict(part.strip().split("=", 1) for part in header.split(","))
    scope = fields["Credential"].split("/")[-4:]
    names = fields.get("SignedHeaders", "").split(";")
    text = "\n".join(
        [
            str(asked.environ["REQUEST_METHOD"]),
            _path(asked),
            _query(str(asked.environ.get(SIGNED_QUERY, asked.environ.get("QUERY_STRING", "")))),
            *(f"{name}:{_header(asked, name)}" for name in names),
            "",
            ";".join(names),
            str(asked.environ.get("HTTP_X_AMZ_CONTENT_SHA256") or _sha256(asked.body)),
        ]
    )
    to_sign = "\n".join(
        [
            "AWS4-HMAC-SHA256",
            str(asked.environ.get("HTTP_X_AMZ_DATE", "")),
            "/".join(scope),
            _sha256(text.encode()),
        ]
    )
    key = f"AWS4{secret}".encode()
    for part in [*scope, to_sign]:
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    if not hmac.compare_digest(key.hex(), fields.get("Signature", "")):
        raise AwsError(
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. "
            "Check your AWS Secret Access Key and signing method.",
            403,
        )
    # Clients sign by the machine's clock, which the range's own time may be ahead of.
    must_not_have_ended(asked.environ, time.time())


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _path(asked: Asked) -> str:
    raw = str(asked.environ.get("RAW_URI") or asked.environ["PATH_INFO"]).split("?", 1)[0]
    if "://" in raw:
        raw = "/" + raw.split("://", 1)[1].partition("/")[2]
    # Every service but S3 encodes the path once more.
    return raw or "/" if asked.service == "s3" else quote(raw or "/", safe="/-_.~")


def _query(query: str) -> str:
    pairs = parse_qsl(query, keep_blank_values=True)
    return "&".join(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in sorted(pairs))


def _header(asked: Asked, name: str) -> str:
    key = name.upper().replace("-", "_")
    if key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        return " ".join(str(asked.environ.get(key, "")).split())
    return " ".join(str(asked.environ.get(f"HTTP_{key}", "")).split())
