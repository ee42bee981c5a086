"""Take away an OpenID Connect or SAML provider, with all that it takes to make it again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from actions.action import Foreseen, Lens, Takes
from actions.aws.clients import Aws
from actions.aws.iam_target import absent, gone_already, settling
from actions.aws.principal import GLOBAL
from actions.errors import NothingToDoError, UnfitError
from actions.journal import Json, State
from actions.permission import Permission

_OIDC = "arn:{partition}:iam::{account}:oidc-provider/*"
_SAML = "arn:{partition}:iam::{account}:saml-provider/*"
# Characters of SAML metadata that are kept with a step; IAM takes ten million.
KEPT = 200_000


@dataclass(frozen=True)
class RemoveIdentityProvider(Lens[Aws]):
    """Delete the identity provider `arn`, so that no token of it becomes a role.

    State: `provider` is None, or what makes it: for OpenID Connect {"Url" without https://,
    "ClientIDList", "ThumbprintList", "Tags"}, for SAML {"Name", "SAMLMetadataDocument", "Tags"},
    lists sorted, tags as a map (IAM API Reference, "CreateOpenIDConnectProvider",
    "CreateSAMLProvider"). One made again has the same ARN, which is what trust policies name.
    Sessions that were issued go on (deny_role_sessions).
    """

    account: str
    arn: str

    takes: ClassVar[Takes] = "service"
    permissions: ClassVar = (
        Permission("iam:GetOpenIDConnectProvider", _OIDC),
        Permission("iam:DeleteOpenIDConnectProvider", _OIDC),
        Permission("iam:CreateOpenIDConnectProvider", _OIDC),
        Permission("iam:TagOpenIDConnectProvider", _OIDC),
        Permission("iam:GetSAMLProvider", _SAML),
        Permission("iam:DeleteSAMLProvider", _SAML),
        Permission("iam:CreateSAMLProvider", _SAML),
        Permission("iam:TagSAMLProvider", _SAML),
        Permission("iam:ListRoles"),
    )

    @property
    def target(self) -> str:
        return f"{self.account}/{GLOBAL}/{self.arn.split(':', 5)[5]}"

    @property
    def saml(self) -> bool:
        """Whether it is a SAML provider, and not one of OpenID Connect."""
        return ":saml-provider/" in self.arn

    def read(self, p: Aws) -> Mapping[str, Json]:
        found = self._found(p)
        if found is None:
            return {"provider": None}
        tags = {tag["Key"]: tag["Value"] for tag in found.get("Tags", [])}
        if self.saml:
            made = {
                "Name": self.arn.rpartition("/")[2],
                "SAMLMetadataDocument": found["SAMLMetadataDocument"],
            }
        else:
            made = {
                "Url": found["Url"].removeprefix("https://"),
                "ClientIDList": sorted(found.get("ClientIDList", [])),
                "ThumbprintList": sorted(found.get("ThumbprintList", [])),
            }
        return {"provider": made | {"Tags": tags}}

    def wanted(self, before: State) -> State:
        return {"provider": None}

    def write(self, p: Aws, key: str, value: Json) -> None:
        if value is None:
            with gone_already():
                if self.saml:
                    p.iam.delete_saml_provider(SAMLProviderArn=self.arn)
                else:
                    p.iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=self.arn)
            return
        if self.read(p)["provider"] == value:
            return
        made: Any = {**value, "Tags": [{"Key": k, "Value": v} for k, v in value["Tags"].items()]}
        try:
            if self.saml:
                p.iam.create_saml_provider(**made)
            else:
                p.iam.create_open_id_connect_provider(**made | {"Url": f"https://{value['Url']}"})
        except ClientError as error:
            if error.response["Error"]["Code"] != "EntityAlreadyExists":
                raise
            # What was read was behind what IAM has: read again.
            raise settling(error) from error

    def foresee(self, p: Aws, before: State) -> Foreseen:
        found = self._found(p)
        if found is None:
            raise NothingToDoError(f"there is no identity provider {self.arn} (any more).")
        if found.get("PrivateKeyList"):
            raise UnfitError(
                f"{self.arn} holds private keys, which IAM does not give out: it could not be made "
                "again. Close the trust policies that name it (close_trust_policy)."
            )
        if len(found.get("SAMLMetadataDocument", "")) > KEPT:
            raise UnfitError(
                f"the metadata of {self.arn} is longer than {KEPT} characters, and is not kept "
                "with a step. Close the trust policies that name it (close_trust_policy)."
            )
        roles = self._trusting(p)
        named = f" ({', '.join(roles)})" if roles else ""
        return Foreseen(
            blast=(
                f"no token of {self.arn} becomes a session of {len(roles)} roles{named}; sessions "
                "that were issued go on",
            ),
            lost=(f"the creation date of {self.arn}, and its unique id if it is a SAML provider",),
        )

    def _found(self, p: Aws) -> Any:
        try:
            if self.saml:
                return p.iam.get_saml_provider(SAMLProviderArn=self.arn)
            return p.iam.get_open_id_connect_provider(OpenIDConnectProviderArn=self.arn)
        except ClientError as error:
            if not absent(error):
                raise
            return None

    def _trusting(self, p: Aws) -> list[str]:
        pages = p.iam.get_paginator("list_roles").paginate()
        roles: Any = [role for page in pages for role in page["Roles"]]
        return sorted(
            role["RoleName"]
            for role in roles
            if self.arn in str(role.get("AssumeRolePolicyDocument"))
        )
