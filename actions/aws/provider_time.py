"""AWS's own time, as an answer carries it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from actions.errors import ProviderError


def answered_at(operation: str, answer: Mapping[str, Any]) -> datetime:
    """Return when AWS answered, aware UTC, by the Date header (RFC 9110, 6.6.1).

    Raises ProviderError, passing, when the answer has no such header.
    """
    # The clock that AWS answers with stands beside the one that stamps sessions; ours need not.
    stamp = answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")
    try:
        return parsedate_to_datetime(stamp).astimezone(UTC)
    except (TypeError, ValueError) as error:
        raise ProviderError(
            operation, "NoDate", f"the answer's Date header is {stamp!r}", passing=True
        ) from error
