"""What is new in an account shows at once and whole, and what was there before never does."""

import json
from datetime import timedelta
from types import SimpleNamespace

from evidence.sources.item import Item, Missed
from evidence.sources.newcomers import Newcomers
from tests.evidence.trail_story import ALL, Story, trusting

SAML = "<EntityDescriptor/>" + "x" * 1000


def furnish(story, mark):
    """Make one of everything that has a date; return the (kind, id) of each."""
    iam = story.iam
    made = [("user", iam.create_user(UserName=f"user-{mark}")["User"]["UserId"])]
    trust = trusting(f"{story.here}:root")
    role = iam.create_role(RoleName=f"role-{mark}", AssumeRolePolicyDocument=trust)
    made.append(("role", role["Role"]["RoleId"]))
    made.append(("group", iam.create_group(GroupName=f"group-{mark}")["Group"]["GroupId"]))
    policy = iam.create_policy(PolicyName=f"policy-{mark}", PolicyDocument=json.dumps(ALL))
    made.append(("policy", policy["Policy"]["Arn"]))
    profile = iam.create_instance_profile(InstanceProfileName=f"profile-{mark}")
    made.append(("instance_profile", profile["InstanceProfile"]["InstanceProfileId"]))
    provider = iam.create_saml_provider(Name=f"saml-{mark}", SAMLMetadataDocument=SAML)
    made.append(("saml_provider", provider["SAMLProviderArn"]))
    oidc = iam.create_open_id_connect_provider(
        Url=f"https://{mark}.example.org", ThumbprintList=["a" * 40]
    )
    made.append(("oidc_provider", oidc["OpenIDConnectProviderArn"]))
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName=f"mfa-{mark}")
    serial = device["VirtualMFADevice"]["SerialNumber"]
    iam.enable_mfa_device(
        UserName=f"user-{mark}",
        SerialNumber=serial,
        AuthenticationCode1="123456",
        AuthenticationCode2="234567",
    )
    made.append(("mfa_device", serial))
    key = iam.create_access_key(UserName=f"user-{mark}")["AccessKey"]
    made.append(("access_key", key["AccessKeyId"]))
    return set(made)


def look(story, since, users=()):
    source = Newcomers(users, since, story.world.account, story.world.region)
    found = list(source.collect(SimpleNamespace(iam=story.iam)))
    assert [one for one in found if isinstance(one, Missed)] == []
    items = [one for one in found if isinstance(one, Item)]
    return source, items


def test_everything_with_a_date_is_new_or_old_by_it():
    story = Story()
    old = furnish(story, "old")
    story.world.tick(10.0)
    since = story.world.now()
    assert look(story, since)[0].findings(look(story, since)[1]) == ()
    new = furnish(story, "new")
    source, items = look(story, since)
    found = source.findings(items)
    assert {(f.kind, f.id) for f in found} == new
    assert [f.at for f in found] == sorted(f.at for f in found)
    assert {f.name for f in found if f.kind in ("mfa_device", "access_key")} == {"user-new"}
    assert source.findings(reversed(items)) == found
    early = look(story, since - timedelta(seconds=60))
    assert {(f.kind, f.id) for f in early[0].findings(early[1])} == new | old


def test_a_new_key_on_a_user_who_was_there_is_seen_where_the_user_is_named():
    story = Story()
    story.user("alice")
    story.world.tick(10.0)
    since = story.world.now()
    key = story.key(story.world.admin, "alice")
    assert look(story, since)[0].findings(look(story, since)[1]) == ()
    source, items = look(story, since, users=("alice",))
    [found] = source.findings(items)
    assert (found.kind, found.name, found.id) == ("access_key", "alice", key.access_key)
    assert all(key.secret_key not in item.data.decode() for item in items)


def test_what_the_same_moment_made_is_new():
    """Dates have whole seconds; the first sign has not."""
    story = Story()
    since = story.world.now().replace(microsecond=999_999)
    story.iam.create_user(UserName="x")
    source, items = look(story, since)
    assert [f.name for f in source.findings(items)] == ["x"]


def test_a_role_of_awss_own_is_nobodys_way_in():
    story = Story()
    story.iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com")
    source, items = look(story, story.first)
    assert source.findings(items) == ()
