"""What every auth method says about the tokens it gives out (API: the token_ fields)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from playbooks.drills.range.vault.errors import denied
from playbooks.drills.range.vault.wire import Reply

if TYPE_CHECKING:
    from playbooks.drills.range.vault.core import Core
    from playbooks.drills.range.vault.wire import Asked


@dataclass(frozen=True, slots=True)
class TokenFields:
    """The fields, without their prefix `token_`. Durations are seconds."""

    ttl: int = 0
    max_ttl: int = 0
    explicit_max_ttl: int = 0
    period: int = 0
    num_uses: int = 0
    policies: tuple[str, ...] = ()
    bound_cidrs: tuple[str, ...] = ()
    no_default_policy: bool = False
    type: str = "default"

    def changed(self, asked: Asked) -> TokenFields:
        """These, with what the request gives."""
        return replace(
            self,
            ttl=asked.span("token_ttl", self.ttl),
            max_ttl=asked.span("token_max_ttl", self.max_ttl),
            explicit_max_ttl=asked.span("token_explicit_max_ttl", self.explicit_max_ttl),
            period=asked.span("token_period", self.period),
            num_uses=asked.number("token_num_uses", self.num_uses),
            policies=tuple(asked.texts("token_policies", list(self.policies))),
            bound_cidrs=tuple(asked.texts("token_bound_cidrs", list(self.bound_cidrs))),
            no_default_policy=asked.flag("token_no_default_policy", self.no_default_policy),
            type=asked.text("token_type", self.type),
        )

    def narrowed(self, cidrs: tuple[str, ...]) -> TokenFields:
        """These, with other blocks that the token may be used from."""
        return replace(self, bound_cidrs=cidrs)

    def shown(self) -> dict[str, Any]:
        """The fields as the API reads them out."""
        return {
            "token_bound_cidrs": list(self.bound_cidrs),
            "token_explicit_max_ttl": self.explicit_max_ttl,
            "token_max_ttl": self.max_ttl,
            "token_no_default_policy": self.no_default_policy,
            "token_num_uses": self.num_uses,
            "token_period": self.period,
            "token_policies": list(self.policies),
            "token_ttl": self.ttl,
            "token_type": self.type,
        }


def log_in(
    core: Core,
    mount: str,
    below: str,
    alias: str,
    fields: TokenFields,
    *,
    meta: dict[str, str],
    display_name: str,
) -> Reply:
    """Give out an orphan token for a login at `mount` + `below`.

    `alias` is what the mount calls whoever logs in; an entity is made for it at its first login.
    Raises RefusedError 403 when that entity is disabled.
    """
    entity = core.entity_of(alias, core.mounts[mount], meta)
    if not core.identity.may_act(entity):
        raise denied()
    policies = [*fields.policies, *(() if fields.no_default_policy else ("default",))]
    batch = fields.type in ("batch", "default-batch")
    token = core.issue(
        mount + below,
        policies,
        batch=batch,
        ttl=fields.period or fields.ttl,
        max_ttl=fields.max_ttl,
        period=fields.period,
        explicit_max_ttl=fields.explicit_max_ttl,
        num_uses=fields.num_uses,
        bound_cidrs=fields.bound_cidrs,
        renewable=not batch,
        meta=meta,
        display_name=display_name,
        entity_id=entity,
    )
    return Reply(auth={**token.auth(core.now), "identity_policies": core.identity_policies(token)})
