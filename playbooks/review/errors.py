"""What can go wrong in an access review.

PlaybookError
└── ReviewError          base of these
    ├── UnknownReviewError  there is no such campaign or row
    ├── InventoryError      what there is could not be listed
    ├── DecisionError       a decision that does not count; nothing was recorded
    └── OpenRowsError       a campaign cannot be closed while rows are undecided
"""

from playbooks.errors import PlaybookError


class ReviewError(PlaybookError):
    """Base of what goes wrong in an access review."""


class UnknownReviewError(ReviewError):
    """There is no such campaign or row."""


class InventoryError(ReviewError):
    """What there is could not be listed."""


class DecisionError(ReviewError):
    """A decision that does not count; `lines` has all the reasons, each with where it stands."""

    def __init__(self, said: str, lines: tuple[str, ...] = ()) -> None:
        self.lines = lines
        super().__init__(said)


class OpenRowsError(ReviewError):
    """A campaign cannot be closed while rows are undecided, without a signed statement."""
