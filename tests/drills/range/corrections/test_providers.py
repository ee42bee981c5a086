"""Ways in from outside: providers, trust anchors, AWS's own roles (IAM; Roles Anywhere)."""

import json

import pytest

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "111122223333"}}
        ],
    }
)


def test_a_providers_audiences_change_and_come_back(world, iam, refused):
    arn = iam.create_open_id_connect_provider(
        Url="https://ci.example.com", ThumbprintList=["a" * 40], ClientIDList=["build"]
    )["OpenIDConnectProviderArn"]
    before = world.digest()
    one = {"OpenIDConnectProviderArn": arn, "ClientID": "deploy"}
    for _ in range(2):
        iam.add_client_id_to_open_id_connect_provider(**one)
    shown = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert shown["ClientIDList"] == ["build", "deploy"]
    assert world.digest() != before
    for _ in range(2):
        iam.remove_client_id_from_open_id_connect_provider(**one)
    assert world.digest() == before
    gone = {**one, "OpenIDConnectProviderArn": arn.replace("ci.", "no.")}
    assert refused(iam.add_client_id_to_open_id_connect_provider, **gone) == "NoSuchEntity"
    saml = "arn:aws:iam::111122223333:saml-provider/none"
    assert refused(iam.delete_saml_provider, SAMLProviderArn=saml) == "NoSuchEntity"


@pytest.mark.parametrize("kind", ["trust_anchor", "profile"])
def test_roles_anywhere_can_be_shut_and_opened_again(world, refused, kind):
    anywhere = world.client("rolesanywhere", world.admin)
    key = "trustAnchor" if kind == "trust_anchor" else "profile"
    data = {"sourceType": "AWS_ACM_PCA", "sourceData": {"acmPcaArn": "arn:aws:acm-pca:::x/y"}}
    params = {"source": data} if kind == "trust_anchor" else {"roleArns": [ROLE]}
    made = getattr(anywhere, f"create_{kind}")(name="on site", enabled=True, **params)[key]
    before = world.digest()
    one = {f"{key}Id": made[f"{key}Id"]}
    assert not getattr(anywhere, f"disable_{kind}")(**one)[key]["enabled"]
    assert world.digest() != before
    (listed,) = getattr(anywhere, f"list_{kind}s")()[f"{key}s"]
    assert not listed["enabled"]
    getattr(anywhere, f"enable_{kind}")(**one)
    assert getattr(anywhere, f"get_{kind}")(**one)[key]["enabled"]
    assert world.digest() == before
    getattr(anywhere, f"create_{kind}")(name="more", **params)
    pages = getattr(anywhere, f"list_{kind}s")(pageSize=1)
    assert len(pages[f"{key}s"]) == 1
    assert getattr(anywhere, f"list_{kind}s")(nextToken=pages["nextToken"])[f"{key}s"]
    getattr(anywhere, f"delete_{kind}")(**one)
    assert refused(getattr(anywhere, f"get_{kind}"), **one) == "ResourceNotFoundException"


ROLE = "arn:aws:iam::111122223333:role/on-site"


@pytest.mark.parametrize("path", ["/aws-service-role/x.amazonaws.com/", "/aws-reserved/sso/"])
def test_roles_of_aws_itself_are_not_the_accounts_to_change(world, iam, refused, path):
    iam.create_role(RoleName="theirs", Path=path, AssumeRolePolicyDocument=TRUST)
    before = world.digest()
    role = {"RoleName": "theirs"}
    policy = {**role, "PolicyName": "p", "PolicyDocument": TRUST}
    deny = "arn:aws:iam::aws:policy/AWSDenyAll"
    for call, params in (
        (iam.put_role_policy, policy),
        (iam.attach_role_policy, {**role, "PolicyArn": deny}),
        (iam.put_role_permissions_boundary, {**role, "PermissionsBoundary": deny}),
        (iam.update_assume_role_policy, {**role, "PolicyDocument": TRUST}),
        (iam.delete_role, role),
    ):
        assert refused(call, **params) == "UnmodifiableEntity"
    assert world.digest() == before
