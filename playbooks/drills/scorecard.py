"""What a drill claims, what it expected, and what was seen."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim: `seen` must equal `expected`."""

    name: str
    expected: Any
    seen: Any

    @property
    def ok(self) -> bool:
        """Return whether it is so."""
        return bool(self.expected == self.seen)


@dataclass
class Scorecard:
    """All claims of one drill, and its figures (seconds)."""

    claims: list[Claim] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)

    def claim(self, name: str, expected: Any, seen: Any) -> bool:
        """Record a claim and return whether it holds."""
        self.claims.append(Claim(name, expected, seen))
        return self.claims[-1].ok

    @property
    def ok(self) -> bool:
        """Return whether every claim holds, and there is one."""
        return bool(self.claims) and all(c.ok for c in self.claims)

    def failed(self) -> Iterator[Claim]:
        """Return the claims that do not hold."""
        return (c for c in self.claims if not c.ok)

    def write(self, path: Path) -> None:
        """Write the scorecard as JSON: claims with name, expected, seen, ok; figures in seconds."""
        claims = [asdict(c) | {"ok": c.ok} for c in self.claims]
        figures = {k: round(v, 3) for k, v in self.figures.items()}
        whole = {"ok": self.ok, "claims": claims, "figures": figures}
        path.write_text(json.dumps(whole, indent=2, default=str) + "\n")
