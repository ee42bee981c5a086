"""Releases a letter: fit to be sent, and not before one that the law wants out first."""

from collections.abc import Collection, Mapping

from playbooks.duties import letters
from playbooks.duties.duty import Duty
from playbooks.duties.letters import Letter
from playbooks.notification import ordering
from playbooks.notification.doings import Doings


def release(
    letter: Letter, duties: Mapping[str, Duty], done: Doings, *, passed: Collection[str] = ()
) -> Letter:
    """Return the letter without the draft's mark.

    Raises OrderError while another notice is owed first, LetterError for what is not fit.
    """
    ordering.refuse(duties[letter.duty], duties, done)
    return letters.release(letter, passed=passed)
