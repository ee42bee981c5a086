"""What was found, and the verdict that follows from it."""

from dataclasses import dataclass, field
from types import TracebackType

INVALID, INCOMPLETE, HOLDS, NO_TRUST = 1, 2, 3, 4


class WrongError(ValueError):
    """Something contradicts its hash, signature, proof, or the rest."""


class LackingError(Exception):
    """Something that should be there is not, or is in a form not known."""


def need(holds: bool, what: str) -> None:
    """Raise `WrongError` with `what` unless it holds."""
    if not holds:
        raise WrongError(what)


@dataclass
class Findings:
    wrong: list[str] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)
    no_trust: list[str] = field(default_factory=list)
    witnessed: bool = False
    complete: bool = False

    def about(self, name: str) -> "About":
        """Keep what is found about one file, and go on with the next."""
        return About(self, name)

    @property
    def code(self) -> int:
        """The exit code: the first that applies, in the order of the document's table."""
        if self.wrong:
            return INVALID
        if self.lacking:
            return INCOMPLETE
        return NO_TRUST if self.no_trust else HOLDS


@dataclass(frozen=True)
class About:
    findings: Findings
    name: str

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> bool:
        if isinstance(error, LackingError):
            self.findings.lacking.append(f"{self.name}: {error}")
        elif isinstance(error, ValueError):  # WrongError, and what int(), decode() and json say
            self.findings.wrong.append(f"{self.name}: {error}")
        return isinstance(error, LackingError | ValueError)
