"""The provider is gone, and is made again with all that it had, under the same ARN."""

import json

import pytest

from actions import engine
from actions.aws.remove_identity_provider import KEPT, RemoveIdentityProvider
from actions.errors import DriftError, NothingToDoError, ProviderError, UnfitError

METADATA = '<EntityDescriptor entityID="https://idp.example.org">{}</EntityDescriptor>'
TAGS = [{"Key": "owner", "Value": "ci"}]


def arrange(world, estate):
    return RemoveIdentityProvider(world.account, oidc(world))


def oidc(world) -> str:
    made = world.client("iam", world.admin).create_open_id_connect_provider(
        Url="https://token.example.org/ci",
        ClientIDList=["sts.example.org", "another"],
        ThumbprintList=["b" * 40, "a" * 40],
        Tags=TAGS,
    )
    return made["OpenIDConnectProviderArn"]


def saml(world, size=1200) -> str:
    made = world.client("iam", world.admin).create_saml_provider(
        Name="idp", SAMLMetadataDocument=METADATA.format("x" * size), Tags=TAGS
    )
    return made["SAMLProviderArn"]


@pytest.mark.parametrize("make", [oidc, saml])
def test_it_comes_back_with_all_that_it_had(world, op, make):
    arn = make(world)
    action = RemoveIdentityProvider(world.account, arn)
    before = dict(action.read(op.p))
    assert before["provider"]["Tags"] == {"owner": "ci"}
    op.apply(action)
    assert action.read(op.p) == {"provider": None}
    op.undo(action)
    assert action.read(op.p) == before
    assert action.arn == arn


@pytest.mark.parametrize("make", [oidc, saml])
def test_each_write_twice_is_once(world, op, make):
    action = RemoveIdentityProvider(world.account, make(world))
    had = action.read(op.p)["provider"]
    for value in (None, None, had, had):
        action.write(op.p, "provider", value)
    assert action.read(op.p)["provider"] == had


def test_another_that_was_put_in_its_place_is_left(world, op, iam):
    action = RemoveIdentityProvider(world.account, oidc(world))
    op.apply(action)
    iam.create_open_id_connect_provider(
        Url="https://token.example.org/ci", ClientIDList=["x"], ThumbprintList=["c" * 40]
    )
    with pytest.raises(DriftError):
        op.undo(action)
    assert action.read(op.p)["provider"]["ClientIDList"] == ["x"]
    with pytest.raises(ProviderError) as caught:
        action.write(op.p, "provider", {**action.read(op.p)["provider"], "ClientIDList": ["y"]})
    assert caught.value.passing


def test_roles_that_trust_it_are_named_beforehand(world, op, iam):
    arn = oidc(world)
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": arn},
        "Action": "sts:AssumeRoleWithWebIdentity",
    }
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.create_role(RoleName="ci", AssumeRolePolicyDocument=trust)
    [blast] = engine.plan(RemoveIdentityProvider(world.account, arn), op.p).blast
    assert "1 roles (ci)" in blast


def test_metadata_that_is_too_long_to_keep_is_refused(world, op):
    action = RemoveIdentityProvider(world.account, saml(world, KEPT))
    start = len(world.calls)
    with pytest.raises(UnfitError, match="close_trust_policy"):
        op.apply(action)
    assert op.written(start) == []


def test_private_keys_cannot_be_given_back_so_they_are_not_taken(world, op):
    action = RemoveIdentityProvider(world.account, saml(world))
    op.p.iam.meta.events.register(
        "after-call.iam.GetSAMLProvider",
        lambda parsed, **_: parsed.update(PrivateKeyList=[{"KeyId": "k"}]),
    )
    with pytest.raises(UnfitError, match="private keys"):
        op.apply(action)


def test_one_that_is_not_there_needs_no_removal(world, op):
    arn = f"arn:aws:iam::{world.account}:oidc-provider/none.example.org"
    action = RemoveIdentityProvider(world.account, arn)
    assert action.target == f"{world.account}/aws-global/oidc-provider/none.example.org"
    with pytest.raises(NothingToDoError, match="no identity provider"):
        op.apply(action)
