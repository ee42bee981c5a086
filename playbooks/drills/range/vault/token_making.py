"""New tokens over HTTP (API: Token auth method, Create token)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from playbooks.drills.range.vault.errors import invalid
from playbooks.drills.range.vault.routes import Engine, route
from playbooks.drills.range.vault.token_engine import caller
from playbooks.drills.range.vault.wire import Reply

if TYPE_CHECKING:
    from playbooks.drills.range.vault.token import Token
    from playbooks.drills.range.vault.wire import Asked

NOT_FOR_BATCH = ("explicit_max_ttl", "num_uses", "period")


class TokenMaking(Engine):
    """auth/token/create and create-orphan."""

    kind: ClassVar[str] = "token"

    @route("POST", "create")
    def create(self, asked: Asked) -> Reply:
        sudo = self.core.is_sudo(caller(asked), "auth/token/create")
        orphan = asked.flag("no_parent")
        if orphan and not sudo:
            raise invalid("root or sudo privileges required to create orphan token")
        return self._created(asked, sudo, orphan)

    @route("POST", "create-orphan")
    def create_orphan(self, asked: Asked) -> Reply:
        sudo = self.core.is_sudo(caller(asked), "auth/token/create-orphan")
        return self._created(asked, sudo, True)

    def _created(self, asked: Asked, sudo: bool, orphan: bool) -> Reply:
        parent = caller(asked)
        policies = self.policies(asked, parent, sudo)
        if asked.span("period") and not sudo:
            raise invalid("root or sudo privileges required to create periodic token")
        root = "root" in policies
        if root and not parent.root:
            raise invalid("root tokens may not be created without parent token being root")
        if root and parent.expires is not None and not asked.span("ttl"):
            raise invalid("expiring root tokens cannot create non-expiring root tokens")
        return self.issued(
            asked,
            policies,
            orphan=orphan,
            period=asked.span("period"),
            explicit_max_ttl=asked.span("explicit_max_ttl"),
        )

    def issued(self, asked: Asked, policies: list[str], *, orphan: bool, **more: Any) -> Reply:
        """A token of these policies, made at the path of the request; `more` as Token has it."""
        parent, batch = caller(asked), self._batch(asked)
        if parent.batch:
            raise invalid("batch tokens cannot create more tokens")
        if parent.num_uses:
            raise invalid("restricted use token cannot generate child tokens")
        if batch and "root" in policies:
            raise invalid("batch tokens cannot be root tokens")
        warnings = [
            f'Policy "{name}" does not exist'
            for name in policies
            if name != "root" and name not in self.core.policies
        ]
        display = asked.text("display_name")
        renewable = more.pop("renewable", True) and asked.flag("renewable", True) and not batch
        token = self.core.issue(
            asked.path,
            policies,
            batch=batch,
            parent="" if orphan else parent.id,
            ttl=more["period"] or asked.span("ttl"),
            renewable=renewable,
            num_uses=asked.number("num_uses"),
            display_name=f"token-{display}" if display else "token",
            meta={k: str(v) for k, v in (asked.mapping("meta") or {}).items()},
            entity_id="" if orphan else parent.entity_id,
            bound_cidrs=() if orphan else parent.bound_cidrs,
            **more,
        )
        return Reply(auth=token.auth(self.core.now), warnings=warnings)

    def _batch(self, asked: Asked) -> bool:
        kind = asked.text("type", "service")
        if kind not in ("batch", "service", ""):
            raise invalid("invalid 'token_type' value")
        if asked.given("id") is not None:
            raise invalid("a token's id cannot be chosen here: it would not come from the seed")
        if asked.text("entity_alias"):
            raise invalid("'entity_alias' is not simulated here")
        if kind == "batch":
            for name in NOT_FOR_BATCH:
                if asked.given(name):
                    raise invalid(f'batch tokens cannot have "{name}" set')
        return kind == "batch"

    def policies(self, asked: Asked, parent: Token, sudo: bool) -> list[str]:
        """What a token may get: all of its parent's, some of them, or with sudo any."""
        given = [name.lower() for name in asked.texts("policies")]
        if not given:
            # Even `default` comes with the parent only.
            names = list(parent.policies)
        elif sudo:
            names = [*given, "default"]
        elif set(given) - set(parent.policies):
            raise invalid("child policies must be subset of parent")
        else:
            names = [*given, *({"default"} & set(parent.policies))]
        if "root" in names:
            return ["root"]
        hide = asked.flag("no_default_policy")
        return [name for name in names if not (hide and name == "default")]
