"""What would be kept, if it were set up: a statement that it is not, in place of silence."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from evidence.sources.item import Item, Missed
from evidence.sources.outcome import unsupported


@dataclass(frozen=True, slots=True)
class NotSetUp:
    """Stands for the source `name`; `why` says what is lacking, and what to do about it.

    Nothing is missed: that is what was asked for and not had.
    """

    name: str
    why: str
    account: str
    region: str

    def collect(self, clients: Any) -> Iterator[Item | Missed]:
        """Yield the outcome, which is unsupported, and says why."""
        yield unsupported(self.why).item(self.name)
