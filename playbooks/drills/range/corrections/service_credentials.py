"""A user's credentials for one service: Git over HTTPS, Keyspaces, Bedrock API keys.

IAM: CreateServiceSpecificCredential ("two sets of credentials for each supported service per
user"), ListServiceSpecificCredentials, Update-, Reset- and DeleteServiceSpecificCredential;
ServiceNotSupportedException. moto has none of them. The secret is told once, when made or reset.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from playbooks.drills.range.corrections.found import user_named
from playbooks.drills.range.corrections.paging import paged
from playbooks.drills.range.errors import AwsError
from playbooks.drills.range.keys import unique_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playbooks.drills.range.corrections.correction import Corrections, Onward
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Asked

PER_SERVICE = 2
# Bedrock's have an alias and a secret; the other two a user name and a password.
SERVICES = ("codecommit.amazonaws.com", "cassandra.amazonaws.com", "bedrock.amazonaws.com")


@dataclass(frozen=True, slots=True)
class ServiceCredential:
    """One credential as IAM keeps it; `account` is the user's."""

    id: str
    account: str
    user: str
    service: str
    made: datetime
    ends: datetime | None
    secret: str
    status: str = "Active"

    def shown(self, *, secret: bool) -> dict[str, Any]:
        """Return it in the API's shape."""
        bedrock = self.service == "bedrock.amazonaws.com"
        name = "ServiceCredentialAlias" if bedrock else "ServiceUserName"
        told = "ServiceCredentialSecret" if bedrock else "ServicePassword"
        ends = {"ExpirationDate": self.ends} if self.ends else {}
        return {
            "ServiceSpecificCredentialId": self.id,
            "UserName": self.user,
            "ServiceName": self.service,
            "Status": self.status,
            "CreateDate": self.made,
            name: f"{self.user}-at-{self.account}",
            **ends,
            **({told: self.secret} if secret else {}),
        }


def create(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """CreateServiceSpecificCredential."""
    user, service = user_named(ground, asked).name, asked.params["ServiceName"]
    if service not in SERVICES:
        raise AwsError("NotSupportedService", f"{service} has no such credentials.", 404)
    same = [c for c in _of(ground, asked.account, user) if c.service == service]
    if len(same) >= PER_SERVICE:
        raise AwsError(
            "LimitExceeded",
            f"Cannot exceed quota for ServiceSpecificCredentialsPerUser: {PER_SERVICE}",
        )
    days = asked.params.get("CredentialAgeDays")
    made = ServiceCredential(
        id=unique_id(ground.rng, "ACCA"),
        account=asked.account,
        user=user,
        service=service,
        made=ground.now(),
        ends=ground.now() + timedelta(days=days) if days else None,
        secret=_secret(ground),
    )
    ground.kept.service_credentials[made.id] = made
    return {"ServiceSpecificCredential": made.shown(secret=True)}


def catalogue(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """ListServiceSpecificCredentials: one user's, or with AllUsers everybody's."""
    user = "" if asked.params.get("AllUsers") else user_named(ground, asked).name
    service = asked.params.get("ServiceName")
    found = [
        credential.shown(secret=False)
        for credential in _of(ground, asked.account, user)
        if service in (None, credential.service)
    ]
    return paged(asked, "ServiceSpecificCredentials", found)


def update(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """UpdateServiceSpecificCredential: its status."""
    found = _found(ground, asked)
    ground.kept.service_credentials[found.id] = replace(found, status=asked.params["Status"])
    return {}


def reset(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """ResetServiceSpecificCredential: a new secret; the old one ends at once."""
    found = replace(_found(ground, asked), secret=_secret(ground))
    ground.kept.service_credentials[found.id] = found
    return {"ServiceSpecificCredential": found.shown(secret=True)}


def delete(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """DeleteServiceSpecificCredential."""
    del ground.kept.service_credentials[_found(ground, asked).id]
    return {}


def _of(ground: Ground, account: str, user: str) -> list[ServiceCredential]:
    kept: list[ServiceCredential] = list(ground.kept.service_credentials.values())
    return [c for c in kept if c.account == account and user in ("", c.user)]


def _found(ground: Ground, asked: Asked) -> ServiceCredential:
    wanted = asked.params["ServiceSpecificCredentialId"]
    user = asked.params.get("UserName") or ""
    for credential in _of(ground, asked.account, user):
        if credential.id == wanted:
            return credential
    raise AwsError("NoSuchEntity", f"There is no service-specific credential {wanted}.", 404)


def _secret(ground: Ground) -> str:
    return base64.b64encode(ground.rng.randbytes(30)).decode()


CORRECTIONS: Corrections = {
    ("iam", "CreateServiceSpecificCredential"): create,
    ("iam", "ListServiceSpecificCredentials"): catalogue,
    ("iam", "UpdateServiceSpecificCredential"): update,
    ("iam", "ResetServiceSpecificCredential"): reset,
    ("iam", "DeleteServiceSpecificCredential"): delete,
}
