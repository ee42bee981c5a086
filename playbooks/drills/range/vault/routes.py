"""How an engine says which requests it serves.

    @route("POST", "roles/{name}")
    def write_role(self, asked: Asked) -> Reply: ...

`{name}` takes one segment of the path and `{path...}` all that is left of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from playbooks.drills.range.vault.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from playbooks.drills.range.vault.core import Core
    from playbooks.drills.range.vault.leases import Lease
    from playbooks.drills.range.vault.wire import Asked

F = TypeVar("F", bound="Callable[..., Any]")
_HOLE = re.compile(r"\{(\w+)(\.\.\.)?\}")


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint of an engine, relative to its mount.

    `free`: no token is needed (a login, for one). `sudo`: the token needs that capability too.
    `exists` names the method that tells an update from a create.
    """

    method: str
    pattern: str
    free: bool
    sudo: bool
    exists: str
    name: str

    def taken(self, path: str) -> Mapping[str, str] | None:
        """What the pattern's holes take from the path; None when it does not match."""
        found = _compiled(self.pattern).fullmatch(path)
        return found.groupdict() if found else None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    text, last = "", 0
    for hole in _HOLE.finditer(pattern):
        text += re.escape(pattern[last : hole.start()])
        text += f"(?P<{hole[1]}>{'.*' if hole[2] else '[^/]+'})"
        last = hole.end()
    return re.compile(text + re.escape(pattern[last:]))


def route(
    method: str, pattern: str, *, free: bool = False, sudo: bool = False, exists: str = ""
) -> Callable[[F], F]:
    """Serve this method and path with the decorated method of an Engine."""

    def mark(function: F) -> F:
        made = Route(method, pattern, free, sudo, exists, function.__name__)
        function.__dict__.setdefault("routes", []).append(made)
        return function

    return mark


class Engine:
    """A part of Vault that serves paths under a mount. Its attributes are its state; those
    named in `unseen` are not part of the world's digest.

    `while_sealed`: it answers a sealed Vault's clients too. `audited`: its requests are audited.
    """

    kind: ClassVar[str] = ""
    unseen: ClassVar[tuple[str, ...]] = ()
    while_sealed: ClassVar[bool] = False
    audited: ClassVar[bool] = True

    def __init__(self, core: Core, mount: str) -> None:
        self.core = core
        self.mount = mount

    @classmethod
    @cache
    def routes(cls) -> tuple[Route, ...]:
        """All that it serves, in the order of the source."""
        found = [f for c in reversed(cls.__mro__) for f in vars(c).values()]
        return tuple(r for f in found for r in getattr(f, "__dict__", {}).get("routes", ()))

    def matching(self, path: str) -> Iterator[tuple[Route, Mapping[str, str]]]:
        """The routes for a path below the mount, whatever their method."""
        for one in self.routes():
            if (named := one.taken(path)) is not None:
                yield one, named

    def take_back(self, lease: Lease) -> None:
        """Undo what a lease of this mount stands for; raises BackendError when it cannot."""

    def serve(self, one: Route, asked: Asked) -> Reply:
        """Answer a request by the route it matched; no answer is an empty one."""
        return getattr(self, one.name)(asked) or Reply()
