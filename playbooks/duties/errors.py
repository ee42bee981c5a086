"""What may go wrong with duties.

DutiesError
├── RuleError        a rule file does not load; says which and where
├── FactError        a fact is unknown, or of the wrong type
├── MomentError      a time has no zone, an unknown one, or never was
├── AnchorError      an anchor is named that no rule knows, or twice
├── OrderError       a letter would go out before one that the law wants first
└── LetterError      a letter lacks what the rule asks for, or says what it forbids
"""

from playbooks.errors import PlaybookError


class DutiesError(PlaybookError):
    """Anything that the duties refuse; the message says what was expected and what to do."""


class RuleError(DutiesError):
    """A rule file does not load."""


class FactError(DutiesError):
    """A fact is unknown, or its value is not of its type."""


class MomentError(DutiesError):
    """A time is naive, ambiguous, skipped, or in no known zone."""


class AnchorError(DutiesError):
    """An anchor is not one that a rule knows."""


class OrderError(DutiesError):
    """A release would break the order that the law sets."""


class LetterError(DutiesError):
    """A letter's contents do not satisfy its rule."""


def shown(given: object, most: int = 60) -> str:
    """Return what was given, for a message: short, whatever it is."""
    try:
        words = repr(given)
    except ValueError:
        # CPython writes out no number of more than 4300 digits.
        return "a number of thousands of digits"
    return words if len(words) <= most else f"{words[:most]}..."
