"""What a token may do with a path (API: /sys/capabilities and its -self and -accessor)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from playbooks.drills.range.vault.errors import invalid
from playbooks.drills.range.vault.routes import Engine, route
from playbooks.drills.range.vault.token_engine import caller
from playbooks.drills.range.vault.wire import Reply

if TYPE_CHECKING:
    from playbooks.drills.range.vault.token import Token
    from playbooks.drills.range.vault.wire import Asked


class SysCapabilities(Engine):
    """sys/capabilities."""

    kind: ClassVar[str] = "system"

    @route("POST", "capabilities")
    def of_token(self, asked: Asked) -> Reply:
        return self._shown(asked, self.core.tokens.living(asked.needed("token"), self.core.now))

    @route("POST", "capabilities-self")
    def of_caller(self, asked: Asked) -> Reply:
        return self._shown(asked, caller(asked))

    @route("POST", "capabilities-accessor")
    def of_accessor(self, asked: Asked) -> Reply:
        accessor = asked.needed("accessor")
        return self._shown(asked, self.core.tokens.of_accessor(accessor, self.core.now))

    def _shown(self, asked: Asked, token: Token | None) -> Reply:
        if token is None:
            raise invalid("invalid token")
        paths = asked.texts("paths") or asked.texts("path")
        if not paths:
            raise invalid("paths must be supplied")
        found = {p: sorted(self.core.capabilities(token, p)) or ["deny"] for p in paths}
        return Reply({**found, "capabilities": found[paths[0]]})
