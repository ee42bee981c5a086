"""Leases over HTTP (API: /sys/leases)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from playbooks.drills.range.vault.durations import stamp
from playbooks.drills.range.vault.errors import BackendError, invalid
from playbooks.drills.range.vault.routes import Engine, route
from playbooks.drills.range.vault.wire import Reply, keys

if TYPE_CHECKING:
    from playbooks.drills.range.vault.leases import Lease
    from playbooks.drills.range.vault.wire import Asked


class SysLeases(Engine):
    """sys/leases."""

    kind: ClassVar[str] = "system"

    @route("POST", "leases/lookup")
    def look_up(self, asked: Asked) -> Reply:
        lease = self.core.leases.by_id.get(asked.needed("lease_id"))
        if lease is None:
            raise invalid("invalid lease")
        now = self.core.now
        return Reply(
            {
                "id": lease.id,
                "path": lease.path,
                "issue_time": stamp(lease.issued),
                "expire_time": stamp(lease.expires),
                "last_renewal": None if lease.renewed is None else stamp(lease.renewed),
                "renewable": lease.renewable and not lease.revoking,
                "ttl": max(0, int(lease.expires - now)),
            }
        )

    @route("LIST", "leases/lookup", sudo=True)
    @route("LIST", "leases/lookup/{prefix...}", sudo=True)
    def list_under(self, asked: Asked) -> Reply:
        return keys(self.core.leases.names(asked.named.get("prefix") or ""))

    @route("POST", "leases/renew")
    @route("POST", "leases/renew/{lease_id...}")
    def renew(self, asked: Asked) -> Reply:
        lease = self.core.leases.by_id.get(_lease_id(asked))
        if lease is None or lease.revoking:
            raise invalid("lease not found")
        if not lease.renewable or lease.of_token:
            raise invalid("lease is not renewable")
        now = self.core.now
        lease.expires = min(
            now + (asked.span("increment") or lease.ttl), lease.issued + lease.max_ttl
        )
        lease.renewed = now
        self.core.leases.plan(lease, lease.expires)
        return Reply(
            {},
            lease_id=lease.id,
            renewable=True,
            lease_duration=int(lease.expires - now),
        )

    @route("POST", "leases/revoke")
    @route("POST", "leases/revoke/{lease_id...}")
    def revoke(self, asked: Asked) -> Reply:
        # A lease that is not there is as good as revoked.
        lease = self.core.leases.by_id.get(_lease_id(asked))
        return self._revoked(asked, [lease] if lease else [])

    @route("POST", "leases/revoke-prefix/{prefix...}", sudo=True)
    def revoke_prefix(self, asked: Asked) -> Reply:
        return self._revoked(asked, self.core.leases.under(asked.named["prefix"]))

    def _revoked(self, asked: Asked, leases: list[Lease]) -> Reply:
        if not asked.flag("sync"):
            for lease in leases:
                now = self.core.now
                self.core.leases.queue(lease, now, now + self.core.revocation_delay)
            return Reply(status=202, raw=b"")
        for at, lease in enumerate(leases):
            if lease.id not in self.core.leases.by_id:
                continue  # It was the token of one revoked before it.
            try:
                self.core.leases.revoke(lease)
            except BackendError as e:
                raise invalid(
                    f"failed to revoke {lease.id!r} ({at + 1} / {len(leases)}): "
                    f"failed to revoke entry: {e}"
                ) from e
        return Reply()

    @route("POST", "leases/revoke-force/{prefix...}", sudo=True)
    def revoke_force(self, asked: Asked) -> Reply:
        for lease in self.core.leases.under(asked.named["prefix"]):
            try:
                self.core.leases.end(lease)
            except BackendError:
                # Forced means just that: what the backend still holds is nobody's any more.
                pass
            self.core.leases.drop(lease)
        return Reply()

    @route("GET", "leases", sudo=True)
    def list_irrevocable(self, asked: Asked) -> Reply:
        found = self._irrevocable(asked)
        limit = asked.text("limit", "10000")
        shown = found if limit == "none" else found[: int(limit)]
        listed = [{"lease_id": lease.id, "error": lease.irrevocable} for lease in shown]
        return Reply(
            {"lease_count": len(listed), "counts": self._counts(shown), "leases": listed},
            warnings=["more leases than the limit"] if len(shown) < len(found) else [],
        )

    @route("GET", "leases/count")
    def count(self, asked: Asked) -> Reply:
        found = self._irrevocable(asked)
        return Reply({"lease_count": len(found), "counts": self._counts(found)})

    @route("POST", "leases/tidy")
    def tidy(self, asked: Asked) -> Reply:
        return Reply(status=202, warnings=["Tidy operation successfully started."])

    def _irrevocable(self, asked: Asked) -> list[Lease]:
        if asked.text("type") != "irrevocable":
            raise invalid("unknown lease type, expected type=irrevocable")
        return self.core.leases.irrevocable()

    def _counts(self, leases: list[Lease]) -> dict[str, Any]:
        counts: dict[str, int] = {}
        for lease in leases:
            accessor = self.core.mounts[lease.mount].accessor
            counts[accessor] = counts.get(accessor, 0) + 1
        return counts


def _lease_id(asked: Asked) -> str:
    found = asked.text("lease_id") or asked.named.get("lease_id")
    if not found:
        raise invalid("lease_id must be specified")
    return found
