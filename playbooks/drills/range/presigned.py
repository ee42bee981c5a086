"""An address that carries its signature, read as if it had come in the header.

AWS: Signature Version 4, "Authenticating Requests: Using Query Parameters" (S3 API reference): the
payload is not signed, the query is, but for the signature itself, and so are the named headers.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote

from playbooks.drills.range.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

# What was signed, and when it ends, for those who check; nothing that a client can send.
SIGNED_QUERY = "range.signed_query"
ENDS = "range.ends"
# Seconds that such an address may last.
LONGEST = 604_800


def unfolded(environ: dict[str, Any]) -> dict[str, Any]:
    """The environ with what the query says of the signature put where the header has it.

    Raises AwsError AuthorizationQueryParametersError for one that cannot be read.
    """
    pairs = parse_qsl(str(environ.get("QUERY_STRING", "")), keep_blank_values=True)
    told = {name: value for name, value in pairs if name.startswith("X-Amz-")}
    if "X-Amz-Signature" not in told or environ.get("HTTP_AUTHORIZATION"):
        return environ
    try:
        at = datetime.strptime(told["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        lasts = int(told["X-Amz-Expires"])
        header = (
            f"{told['X-Amz-Algorithm']} Credential={told['X-Amz-Credential']}, "
            f"SignedHeaders={told['X-Amz-SignedHeaders']}, Signature={told['X-Amz-Signature']}"
        )
    except (KeyError, ValueError):
        lasts = -1
    if not 0 < lasts <= LONGEST:
        raise AwsError("AuthorizationQueryParametersError", "The query is not well formed.", 400)
    rest = "&".join(f"{quote(k)}={quote(v)}" for k, v in pairs if k not in told)
    path = str(environ.get("RAW_URI") or quote(str(environ["PATH_INFO"]))).partition("?")[0]
    token = told.get("X-Amz-Security-Token")
    return {
        **environ,
        "HTTP_AUTHORIZATION": header,
        "HTTP_X_AMZ_DATE": told["X-Amz-Date"],
        "HTTP_X_AMZ_CONTENT_SHA256": "UNSIGNED-PAYLOAD",
        **({"HTTP_X_AMZ_SECURITY_TOKEN": token} if token else {}),
        "QUERY_STRING": rest,
        "RAW_URI": path + (f"?{rest}" if rest else ""),
        SIGNED_QUERY: "&".join(
            f"{quote(k, safe='')}={quote(v, safe='')}" for k, v in pairs if k != "X-Amz-Signature"
        ),
        ENDS: at.timestamp() + lasts,
    }


def must_not_have_ended(environ: Mapping[str, Any], seconds: float) -> None:
    """Raise AwsError AccessDenied for an address that has ended by `seconds` of the epoch."""
    if seconds > float(environ.get(ENDS, seconds)):
        raise AwsError("AccessDenied", "Request has expired", 403)
