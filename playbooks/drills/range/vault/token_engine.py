"""Tokens over HTTP (API: Token auth method)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from playbooks.drills.range.vault.errors import denied, invalid
from playbooks.drills.range.vault.routes import Engine, route
from playbooks.drills.range.vault.wire import Reply, keys

if TYPE_CHECKING:
    from playbooks.drills.range.vault.token import Token
    from playbooks.drills.range.vault.wire import Asked


class TokenEngine(Engine):
    """auth/token: look up, renew, revoke."""

    kind: ClassVar[str] = "token"

    @route("LIST", "accessors", sudo=True)
    def list_accessors(self, asked: Asked) -> Reply:
        tokens = self.core.tokens
        living = (a for a in tokens.by_accessor if tokens.of_accessor(a, self.core.now))
        return keys(living)

    @route("POST", "lookup")
    def look_up(self, asked: Asked) -> Reply:
        return self._shown(self._named(asked.needed("token")))

    @route("GET", "lookup-self")
    def look_up_self(self, asked: Asked) -> Reply:
        return self._shown(caller(asked))

    @route("POST", "lookup-accessor")
    def look_up_accessor(self, asked: Asked) -> Reply:
        reply = self._shown(self._of_accessor(asked))
        return Reply({**(reply.data or {}), "id": ""})

    def _shown(self, token: Token) -> Reply:
        data = token.looked_up(self.core.now)
        return Reply(
            {
                **data,
                "id": token.id,
                "identity_policies": self.core.identity_policies(token) or None,
            }
        )

    @route("POST", "renew")
    def renew(self, asked: Asked) -> Reply:
        return self._renewed(self._named(asked.needed("token")), asked)

    @route("POST", "renew-self")
    def renew_self(self, asked: Asked) -> Reply:
        return self._renewed(caller(asked), asked)

    @route("POST", "renew-accessor")
    def renew_accessor(self, asked: Asked) -> Reply:
        reply = self._renewed(self._of_accessor(asked), asked)
        return Reply(auth={**(reply.auth or {}), "client_token": ""})

    def _renewed(self, token: Token, asked: Asked) -> Reply:
        now = self.core.now
        if token.batch:
            raise invalid("batch tokens cannot be renewed")
        if not token.renewable or token.expires is None:
            raise invalid("lease is not renewable")
        ttl = token.period or asked.span("increment") or token.ttl
        ends = [now + ttl]
        limit = token.explicit_max_ttl or (0 if token.period else token.max_ttl)
        if limit:
            ends.append(token.issued + limit)
        token.expires, token.renewed = min(ends), now
        for lease in self.core.leases.of(token.id):
            if lease.of_token:
                lease.expires, lease.renewed = token.expires, now
                self.core.leases.plan(lease, lease.expires)
        return Reply(auth=token.auth(now))

    @route("POST", "revoke")
    def revoke(self, asked: Asked) -> Reply:
        # A token that is not there is as good as revoked.
        token = self.core.tokens.living(asked.needed("token"), self.core.now)
        return self._revoked(token) if token else Reply()

    @route("POST", "revoke-self")
    def revoke_self(self, asked: Asked) -> Reply:
        return self._revoked(caller(asked))

    @route("POST", "revoke-accessor")
    def revoke_accessor(self, asked: Asked) -> Reply:
        token = self.core.tokens.of_accessor(asked.needed("accessor"), self.core.now)
        if token is None:
            return Reply(warnings=["No token found with this accessor"])
        return self._revoked(token)

    @route("POST", "revoke-orphan", sudo=True)
    def revoke_orphan(self, asked: Asked) -> Reply:
        token = self._named(asked.needed("token"), "token to revoke not found")
        return self._revoked(token, orphans=True)

    def _revoked(self, token: Token, *, orphans: bool = False) -> Reply:
        if token.batch:
            raise invalid("batch tokens cannot be revoked")
        self.core.revoke_token(token, orphans=orphans)
        return Reply()

    def _named(self, token_id: str, otherwise: str = "") -> Token:
        token = self.core.tokens.living(token_id, self.core.now)
        if token is None:
            raise invalid(otherwise) if otherwise else denied("bad token")
        return token

    def _of_accessor(self, asked: Asked) -> Token:
        token = self.core.tokens.of_accessor(asked.needed("accessor"), self.core.now)
        if token is None:
            raise invalid("1 error occurred:\n\t* invalid accessor\n\n")
        return token


def caller(asked: Asked) -> Token:
    """The token that asks; the front has let nobody through without one."""
    if asked.caller is None:
        raise denied()
    return asked.caller
