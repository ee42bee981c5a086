"""The part of the world's digest that is secrets, and passwords of databases."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from moto.rds.models import rds_backends
from moto.secretsmanager.models import secretsmanager_backends

if TYPE_CHECKING:
    from playbooks.drills.range.ground import Ground


def secrets_of(ground: Ground) -> dict[str, Any]:
    """Service -> account and region -> what each secret and database instance holds, hashed."""
    found: dict[str, Any] = {"secretsmanager": {}, "rds": {}}
    for service, account, region in sorted(ground.written):
        where = f"{account}/{region}"
        if service == "secretsmanager":
            backend: Any = secretsmanager_backends[account][region]
            found[service][where] = {s.name: _versions(s) for s in backend.secrets.values()}
        elif service == "rds":
            rds: Any = rds_backends[account][region]
            found[service][where] = {
                name: [_hashed(db._master_user_password), db.tags]
                for name, db in rds.databases.items()
            }
    return found


def _versions(secret: Any) -> dict[str, Any]:
    versions = {
        version: [
            sorted(v["version_stages"]),
            _hashed(v.get("secret_string")),
            _hashed(v.get("secret_binary")),
        ]
        for version, v in secret.versions.items()
    }
    return {**versions, "rest": [secret.policy, secret.tags, secret.deleted_date is not None]}


def _hashed(value: Any) -> str:
    return hashlib.sha256(str(value).encode()).hexdigest()
