"""What the range raises.

RangeError
├── AwsError            an answer AWS itself would give; leaves the range as a wire error
├── UnknownServiceError the request names a service that the range has no model for
├── StaleWorldError     a World was used after a newer one took over this process
├── UnreachableError    no security group rule permits the connection that was to be opened
└── UnknownThingError   the caller asked the World about a resource that does not exist
"""

from __future__ import annotations


class RangeError(Exception):
    """Base of everything the range raises on purpose."""


class AwsError(RangeError):
    """The error AWS would answer: `code`, `message` and the HTTP `status`."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class UnknownServiceError(RangeError):
    """The range knows no service model for the name in the request's signature."""


class StaleWorldError(RangeError):
    """moto keeps its state in the process, so only the newest World may be used."""


class UnknownThingError(RangeError):
    """The World was asked about a resource that does not exist in it."""


class UnreachableError(RangeError):
    """No security group rule permits this connection."""
