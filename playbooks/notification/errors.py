"""What can go wrong with the notification duties of an incident.

PlaybookError
└── NotificationError    base of these
    ├── EntryError       what somebody says does not count; nothing was recorded
    └── ProofError       a file that is to prove a sending cannot be kept
(playbooks.duties.errors.OrderError: a letter would go out before one that the law wants first)
"""

from playbooks.errors import PlaybookError


class NotificationError(PlaybookError):
    """Base of what goes wrong with notification duties."""


class EntryError(NotificationError):
    """What somebody says does not count; nothing was recorded."""


class ProofError(NotificationError):
    """A file that is to prove a sending cannot be kept."""
