"""Tells from what a Vault said what an attacker may have left in it. Pure."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

Kind = Literal[
    "alias",
    "audit_device",
    "auth_mount",
    "entity",
    "group",
    "login",
    "policy",
    "root_attempt",
    "root_token",
    "secret_id",
    "token",
]
Pages = Mapping[str, list[dict[str, Any]]]
AT = "@path"  # in the answer about a role or user: where it is
# What Vault itself has, and nobody can have made.
BORN = ("token/",)
# Rights by which whoever has them has all others (Vault documentation, "Policies", "Root protected
# API endpoints").
WIDE = ('path "*"', '"sudo"', "sys/policies", "sys/policy", "auth/token/create")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was left: what kind, its name or accessor, when (RFC 3339 or empty), and why.

    `sure` says that it is of the time in question, or differs from the baseline; else a person
    has to know whether it is theirs.
    """

    kind: Kind
    name: str
    at: str
    why: str
    sure: bool

    def json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Left:
    """What is found in the answers (by item name), given since when, and what is known of old."""

    pages: Pages
    since: datetime
    known: Mapping[str, Any]

    def findings(self) -> tuple[Finding, ...]:
        """Return all of it, sorted by kind and name."""
        found = [
            *self._tokens(),
            *self._identities(),
            *self._secret_ids(),
            *self._mounts(),
            *self._logins(),
            *self._policies(),
            *self._audit(),
            *self._root(),
        ]
        return tuple(sorted(found, key=lambda one: (one.kind, one.name)))

    def _tokens(self) -> Iterator[Finding]:
        mine = {page.get("accessor") for page in self.pages.get("vault.self", [])}
        for token in self.pages.get("vault.tokens", []):
            if token["accessor"] in mine:
                continue
            at = datetime.fromtimestamp(token["creation_time"], UTC)
            why = []
            if token["orphan"] and str(token["path"]).startswith("auth/token/create"):
                why.append("an orphan, which outlives the token that made it")
            if token.get("period"):
                why.append("periodic, so it can be renewed without end")
            root = "root" in (token.get("policies") or ())
            if root:
                why.append("a root token")
            if why:
                kind: Kind = "root_token" if root else "token"
                new = at >= self.since.replace(microsecond=0)
                yield Finding(kind, token["accessor"], at.isoformat(), "; ".join(why), new)

    def _identities(self) -> Iterator[Finding]:
        for group in self.pages.get("vault.groups", []):
            at = group["last_update_time"]
            if self._new(at):
                why = f"gives {len(group['member_entity_ids'] or ())} entities its policies"
                yield Finding("group", group["id"], at, f"made or changed since; {why}", True)
        for entity in self.pages.get("vault.entities", []):
            if self._new(entity["creation_time"]):
                at = entity["creation_time"]
                yield Finding("entity", entity["id"], at, "made since the first sign", True)
            elif self._new(entity["last_update_time"]) and entity["policies"]:
                # A login may change it too, but gives it no policies.
                at, why = entity["last_update_time"], "changed since; has policies of its own"
                yield Finding("entity", entity["id"], at, why, False)
            for alias in entity.get("aliases") or ():
                if self._new(alias.get("creation_time")):
                    why = f"lets {alias.get('mount_path', 'a mount')} log in as {entity['id']}"
                    yield Finding("alias", alias["id"], alias["creation_time"], why, True)

    def _secret_ids(self) -> Iterator[Finding]:
        for name, pages in self.pages.items():
            if name.endswith(".secret-ids"):
                for one in pages:
                    if self._new(one.get("creation_time")):
                        where = name.removeprefix("vault.").removesuffix(".secret-ids")
                        why = f"issued for {where} since the first sign"
                        at = one["creation_time"]
                        yield Finding("secret_id", one["secret_id_accessor"], at, why, True)

    def _mounts(self) -> Iterator[Finding]:
        known = self.known.get("auth")
        for path, accessor in _methods(self.pages).items():
            if known is None and path not in BORN:
                yield Finding("auth_mount", path, "", "is it yours? there is no baseline", False)
            elif known is not None and known.get(path) != accessor:
                yield Finding("auth_mount", path, "", "is not in the baseline", True)

    def _logins(self) -> Iterator[Finding]:
        """Yield roles and users that are new or changed; of that, Vault tells no time either."""
        known = self.known.get("logins")
        for path, digest in _logins(self.pages).items():
            if known is not None and known.get(path) != digest:
                why = "was changed" if path in known else "is not in the baseline"
                yield Finding("login", path, "", why, True)

    def _policies(self) -> Iterator[Finding]:
        known = self.known.get("policies")
        for name, text in _texts(self.pages).items():
            wide = any(word in text for word in WIDE)
            if known is None and wide:
                why = "grants what leads to everything; there is no baseline"
                yield Finding("policy", name, "", why, False)
            elif known is not None and known.get(name) != _digest(text):
                why = "was changed" if name in known else "is not in the baseline"
                yield Finding("policy", name, "", why + ("; grants much" if wide else ""), True)
        for name in sorted(set(known or ()) - _texts(self.pages).keys()):
            yield Finding("policy", name, "", "was deleted", True)

    def _audit(self) -> Iterator[Finding]:
        if "vault.audit" not in self.pages:
            return
        now, known = _devices(self.pages), self.known.get("audit", {})
        for path in sorted(known.keys() - now.keys()):
            yield Finding("audit_device", path, "", "was turned off", True)
        for path in sorted(known.keys() & now.keys()):
            if known[path] != now[path]:
                yield Finding("audit_device", path, "", "writes elsewhere than before", True)
        if not now and not known:
            yield Finding("audit_device", "(none)", "", "nothing is written down", False)

    def _root(self) -> Iterator[Finding]:
        for page in self.pages.get("vault.generate-root", []):
            if page.get("started"):
                given = f"{page['progress']} of {page['required']} key shares given"
                yield Finding("root_attempt", page["nonce"], "", given, True)

    def _new(self, at: str | None) -> bool:
        return bool(at) and datetime.fromisoformat(str(at)) >= self.since


def baseline_of(pages: Pages) -> dict[str, Any]:
    """Return what a later sweep compares with: names, accessors and digests."""
    return {
        "auth": _methods(pages),
        "policies": {name: _digest(text) for name, text in _texts(pages).items()},
        "audit": _devices(pages),
        "logins": _logins(pages),
    }


def _methods(pages: Pages) -> dict[str, str]:
    found = pages.get("vault.auth", [])
    return {k: v["accessor"] for page in found for k, v in page.items() if k.endswith("/")}


def _texts(pages: Pages) -> dict[str, str]:
    return {page["name"]: page["policy"] for page in pages.get("vault.policies", [])}


def _logins(pages: Pages) -> dict[str, str]:
    return {
        page[AT]: _digest(json.dumps(page, sort_keys=True))
        for name, found in pages.items()
        if name.endswith((".roles", ".users"))
        for page in found
    }


def _devices(pages: Pages) -> dict[str, str]:
    found = pages.get("vault.audit", [])
    return {
        k: _digest(json.dumps([v.get("type"), v.get("options")], sort_keys=True))
        for page in found
        for k, v in page.items()
        if k.endswith("/")
    }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
