"""Turn off the credentials that a user has for single services, such as Git or Bedrock."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from actions.action import Foreseen, Lens, Takes
from actions.aws.clients import Aws
from actions.aws.iam_target import must_be_a, present
from actions.aws.principal import Principal
from actions.errors import NothingToDoError
from actions.journal import Json, State
from actions.permission import Permission

_USER = "arn:{partition}:iam::{account}:user/*"


@dataclass(frozen=True)
class DeactivateServiceCredentials(Lens[Aws]):
    """Set every service-specific credential of the user to Inactive.

    State: `credential/<service-specific credential id>` is "Active", "Inactive" or "Expired".
    CodeCommit and Keyspaces passwords and Bedrock API keys are such (IAM API Reference,
    "UpdateServiceSpecificCredential"). One that has expired is left as it is.
    """

    principal: Principal

    takes: ClassVar[Takes] = "access"
    permissions: ClassVar = (
        Permission("iam:ListServiceSpecificCredentials", _USER),
        Permission("iam:UpdateServiceSpecificCredential", _USER),
    )

    def __post_init__(self) -> None:
        must_be_a("user", self.principal)

    @property
    def target(self) -> str:
        return self.principal.key

    def read(self, p: Aws) -> Mapping[str, Json]:
        return {f"credential/{c['ServiceSpecificCredentialId']}": c["Status"] for c in self._all(p)}

    def wanted(self, before: State) -> State:
        return {key: "Inactive" for key, status in before.items() if status != "Expired"}

    def write(self, p: Aws, key: str, value: Json) -> None:
        p.iam.update_service_specific_credential(
            UserName=self.principal.name,
            ServiceSpecificCredentialId=key.removeprefix("credential/"),
            Status=value,
        )

    def foresee(self, p: Aws, before: State) -> Foreseen:
        active = [c for c in self._all(p) if c["Status"] == "Active"]
        if not active:
            raise NothingToDoError(
                f"user {self.principal.name} has no active service-specific credential, so none "
                "is turned off."
            )
        return Foreseen(
            blast=tuple(
                f"{c['ServiceName']} refuses {c['ServiceSpecificCredentialId']}" for c in active
            )
        )

    def _all(self, p: Aws) -> list[Any]:
        found: list[Any] = []
        asked: dict[str, Any] = {"UserName": self.principal.name}
        # botocore has no paginator for this operation.
        while True:
            with present(self.principal):
                answer: Any = p.iam.list_service_specific_credentials(**asked)
            found += answer["ServiceSpecificCredentials"]
            if not answer.get("IsTruncated"):
                return found
            asked["Marker"] = answer["Marker"]
