"""What would be kept, if it were set up: a statement that it is not, in place of silence."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from evidence.sources.item import Item, Missed
from evidence.sources.outcome import unsupported


@dataclass(frozen=True, slots=True)
class NotSetUp:
    """Stands for the source `name`; `why` says what is lacking, and what to do about it."""

    name: str
    why: str
    account: str
    region: str

    def collect(self, clients: Any) -> Iterator[Item | Missed]:
        """Yield the miss, and the outcome that says why."""
        yield Missed(self.name, "", "NotSetUp")
        yield unsupported(self.why).item(self.name)
