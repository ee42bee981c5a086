"""A bucket answers only where it belongs to whom the caller expects (S3: ExpectedBucketOwner).

Amazon S3 User Guide, "Verifying bucket ownership with bucket owner condition": 403 otherwise.
moto does not look.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.s3.models import s3_backends

from playbooks.drills.range.errors import AwsError

if TYPE_CHECKING:
    from playbooks.drills.range.wire import Asked


def must_be_as_expected(asked: Asked) -> None:
    """Raise AwsError AccessDenied where the request names another owner than the bucket's."""
    expected = asked.params.get("ExpectedBucketOwner") if asked.service == "s3" else None
    _, owner = s3_backends.bucket_accounts.get(asked.params.get("Bucket", ""), ("", expected))
    if expected and owner != expected:
        raise AwsError("AccessDenied", "Access Denied", 403)
