"""The rules that bind this organisation: those that ship, and its own contracts and policies."""

from typing import Final

from playbooks.duties.reading import Rulebook, shipped, with_own
from playbooks.wiring.parts import Parts

# In `home`, beside the database: what a contract binds to is nobody else's to read.
FOLDER: Final = "rules"


def rules(parts: Parts) -> Rulebook:
    """Return the rules. Raises RuleError where one of the organisation's own has an error."""
    own = parts.settings.home / FOLDER
    return with_own(shipped(), own if own.is_dir() else None)
