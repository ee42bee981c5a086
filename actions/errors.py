"""What can go wrong when the world is changed.

ActionError
├── TargetGoneError      the target does not exist, or no longer does
├── UnfitError           the action cannot be done here (for example a policy that does not fit)
│   └── NothingToDoError nor is there anything on the target for it to do
├── DriftError           somebody else changed a key since; it was not overwritten
├── NotEffectiveError    the provider took the write, but the world does not show it
├── StepChangedError     a journalled step was entered again with other fields
├── UnknowableError      whether a one-way act happened cannot be told; a person must look
├── ApprovalMissingError a destroying act without an approval
└── ProviderError        the provider refused or failed a call
"""

from collections.abc import Mapping
from typing import Any


class ActionError(Exception):
    """Base of everything this room raises."""


class TargetGoneError(ActionError):
    """The target does not exist, or no longer does."""


class UnfitError(ActionError):
    """The action cannot be done on this target; the message says why and what else would do."""


class NothingToDoError(UnfitError):
    """The target has nothing that the action would change, so nothing is left open by it."""


class DriftError(ActionError):
    """Some keys hold neither what was found nor what was wanted; those were left alone.

    `drifted` maps each key to (before, wanted, now).
    """

    def __init__(self, step: str, drifted: Mapping[str, tuple[Any, Any, Any]]) -> None:
        self.step = step
        self.drifted = dict(drifted)
        lines = "; ".join(
            f"{key}: found {before!r}, wanted {wanted!r}, now {now!r}"
            for key, (before, wanted, now) in self.drifted.items()
        )
        super().__init__(
            f"{step}: somebody else changed this since. Not overwritten: {lines}. "
            "Look at who changed it (CloudTrail), then decide by hand."
        )


class NotEffectiveError(ActionError):
    """The provider took the write, but the world does not show it. `missing` names the keys."""

    def __init__(self, step: str, missing: tuple[str, ...]) -> None:
        self.step = step
        self.missing = missing
        super().__init__(
            f"{step}: accepted but not in effect: {', '.join(missing)}. "
            "Treat the target as NOT contained; enter the play again or act by hand."
        )


class StepChangedError(ActionError):
    """A journalled step was entered again with other fields than it was recorded with."""


class UnknowableError(ActionError):
    """Whether a one-way act happened cannot be told; it is never repeated blindly."""


class ApprovalMissingError(ActionError):
    """A destroying act was asked for without an approval."""


class ProviderError(ActionError):
    """A provider's call failed.

    `code` is the provider's own error code; `passing` says whether trying again may help
    (throttling, 5xx, a dependency that is still settling); `refused`, whether the provider
    surely did nothing (an answer that says no, as against a 5xx or a lost connection).
    """

    def __init__(
        self, operation: str, code: str, message: str, *, passing: bool, refused: bool = True
    ) -> None:
        self.operation = operation
        self.code = code
        self.passing = passing
        self.refused = refused
        super().__init__(f"{operation}: {code}: {message}")
