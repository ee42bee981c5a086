"""What the simulated Vault raises.

VaultRangeError
├── RefusedError         an answer with status >= 400, as Vault gives it (HTTP API, Error response)
└── BackendError         what a secrets engine talks to (a database, IAM) failed
"""

from __future__ import annotations


class VaultRangeError(Exception):
    """Base of everything the simulated Vault raises on purpose."""


class RefusedError(VaultRangeError):
    """The answer is `status` with these `messages`."""

    def __init__(self, status: int, *messages: str) -> None:
        super().__init__(f"{status}: {'; '.join(messages)}")
        self.status = status
        self.messages = list(messages)


class BackendError(VaultRangeError):
    """The system behind a secrets engine did not do what it was asked."""


def denied(message: str = "permission denied") -> RefusedError:
    """The answer to a token that may not (docs/concepts/tokens, Error responses)."""
    return RefusedError(403, message)


def invalid(message: str) -> RefusedError:
    """The answer to a request with missing or invalid data."""
    return RefusedError(400, message)


def absent(*messages: str) -> RefusedError:
    """The answer for what is not there: 404, as a rule with no message at all."""
    return RefusedError(404, *messages)
