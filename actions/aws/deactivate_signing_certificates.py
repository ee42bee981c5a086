"""Turn off the X.509 certificates with which a user signs requests."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from actions.action import Foreseen, Lens, Takes
from actions.aws.clients import Aws
from actions.aws.iam_target import must_be_a, present
from actions.aws.principal import Principal
from actions.errors import NothingToDoError
from actions.journal import Json, State
from actions.permission import Permission

_USER = "arn:{partition}:iam::{account}:user/*"


@dataclass(frozen=True)
class DeactivateSigningCertificates(Lens[Aws]):
    """Set every signing certificate of the user to Inactive.

    State: `certificate/<certificate id>` is "Active" or "Inactive". Some services still take
    requests signed so (IAM User Guide, "Manage server certificates and signing certificates";
    IAM API Reference, "UpdateSigningCertificate").
    """

    principal: Principal

    takes: ClassVar[Takes] = "access"
    permissions: ClassVar = (
        Permission("iam:ListSigningCertificates", _USER),
        Permission("iam:UpdateSigningCertificate", _USER),
    )

    def __post_init__(self) -> None:
        must_be_a("user", self.principal)

    @property
    def target(self) -> str:
        return self.principal.key

    def read(self, p: Aws) -> Mapping[str, Json]:
        with present(self.principal):
            pages = p.iam.get_paginator("list_signing_certificates").paginate(
                UserName=self.principal.name
            )
            found = [each for page in pages for each in page["Certificates"]]
        return {f"certificate/{each['CertificateId']}": each["Status"] for each in found}

    def wanted(self, before: State) -> State:
        return dict.fromkeys(before, "Inactive")

    def write(self, p: Aws, key: str, value: Json) -> None:
        p.iam.update_signing_certificate(
            UserName=self.principal.name,
            CertificateId=key.removeprefix("certificate/"),
            Status=value,
        )

    def foresee(self, p: Aws, before: State) -> Foreseen:
        active = [key for key, status in before.items() if status == "Active"]
        if not active:
            raise NothingToDoError(
                f"user {self.principal.name} has no active signing certificate, so none is "
                "turned off."
            )
        named = ", ".join(key.removeprefix("certificate/") for key in active)
        return Foreseen(blast=(f"requests signed with {named} stop",))
