"""Identity providers: an OpenID Connect provider's audiences can be changed.

IAM: AddClientIDToOpenIDConnectProvider ("idempotent; it does not fail or return an error if you add
an existing client ID"), RemoveClientIDFromOpenIDConnectProvider (likewise); DeleteSAMLProvider of
one that is not there is NoSuchEntity; CreateSAMLProvider and GetSAMLProvider tell the tags. moto
has neither of the first two, and drops the tags.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playbooks.drills.range.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playbooks.drills.range.corrections.correction import Corrections, Onward
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Asked


def add(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """AddClientIDToOpenIDConnectProvider."""
    provider = _found(ground, asked)
    if asked.params["ClientID"] not in provider.client_id_list:
        provider.client_id_list.append(asked.params["ClientID"])
    return {}


def remove(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """RemoveClientIDFromOpenIDConnectProvider."""
    provider = _found(ground, asked)
    left = [c for c in provider.client_id_list if c != asked.params["ClientID"]]
    provider.client_id_list = left
    return {}


def delete_saml(ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """DeleteSAMLProvider."""
    arn = asked.params["SAMLProviderArn"]
    if all(p.arn != arn for p in ground.iam(asked.account).saml_providers.values()):
        raise AwsError("NoSuchEntity", f"There is no provider {arn}.", 404)
    return onward()


def create_saml(ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """CreateSAMLProvider, with its tags."""
    result = onward()
    arn, tags = result["SAMLProviderArn"], list(asked.params.get("Tags", []))
    _saml(ground, asked, arn).tags = tags
    return result | ({"Tags": tags} if tags else {})


def get_saml(ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """GetSAMLProvider, with the tags."""
    result = onward()
    tags = getattr(_saml(ground, asked, asked.params["SAMLProviderArn"]), "tags", [])
    return result | ({"Tags": tags} if tags else {})


def _saml(ground: Ground, asked: Asked, arn: str) -> Any:
    return next(p for p in ground.iam(asked.account).saml_providers.values() if p.arn == arn)


def _found(ground: Ground, asked: Asked) -> Any:
    arn = asked.params["OpenIDConnectProviderArn"]
    provider = ground.iam(asked.account).open_id_providers.get(arn)
    if provider is None:
        raise AwsError("NoSuchEntity", f"There is no provider {arn}.", 404)
    return provider


CORRECTIONS: Corrections = {
    ("iam", "AddClientIDToOpenIDConnectProvider"): add,
    ("iam", "RemoveClientIDFromOpenIDConnectProvider"): remove,
    ("iam", "CreateSAMLProvider"): create_saml,
    ("iam", "GetSAMLProvider"): get_saml,
    ("iam", "DeleteSAMLProvider"): delete_saml,
}
