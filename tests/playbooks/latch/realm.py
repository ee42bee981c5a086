"""An organisation in the range, with the latch made as `stanch latch plan` says."""

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, wraps
from typing import Any

import pytest

from actions.aws.clients import Aws
from actions.aws.latch import Document, packed
from playbooks.desk.cli.permissions import beyond_plays
from playbooks.drills.range.keys import Credentials
from playbooks.drills.range.world import World
from playbooks.latch.planned import Planned, planned
from playbooks.wiring.latch_part import Latch
from playbooks.wiring.settings import Account, Settings
from tests.actions.scene import in_child

HOME, ADMIN, MANAGEMENT = "111122223333", "444455556666", "999988887777"
REGION = "eu-west-1"
RESPONDER = "stanch-responder"
# What it needs of IAM and CloudTrail in these tests; `_allow_what_is_printed` gives the rest.
RESPONDS = ["iam:*", "cloudtrail:LookupEvents"]
ACCOUNTS = {
    account: Account(role=f"arn:aws:iam::{account}:role/{RESPONDER}", regions=(REGION,))
    for account in (HOME, ADMIN)
}

PART = Latch(
    admin=ADMIN,
    management=MANAGEMENT,
    organization="o-0123456789",
    responders=(RESPONDER,),
)


def document(**statement: Any) -> str:
    """A policy of one statement."""
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


@dataclass
class Realm:
    """A world with `home` and `admin` as members of an organisation.

    `stanch` are the keys of a user in the administrator's account that may assume the responder
    role of each.
    """

    world: World
    part: Latch = PART
    org: Any = field(init=False)
    stanch: Credentials = field(init=False)
    _known: dict[str, Aws] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.org = self.world.client("organizations", self.world.root_of(MANAGEMENT))
        made = self.org.create_organization(FeatureSet="ALL")["Organization"]
        root = self.org.list_roots()["Roots"][0]["Id"]
        self.org.enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
        for account in (HOME, ADMIN):
            self.world.join(account, MANAGEMENT)
        self.part = self.part.model_copy(update={"organization": made["Id"]})
        self.stanch = self._person(ADMIN, "stanch", "sts:AssumeRole")
        for account in ACCOUNTS:
            self._roles(account)

    @property
    def plan(self) -> Planned:
        """What is planned now."""
        return planned(self.part, ACCOUNTS, "aws")

    def follow(self) -> None:
        """Make the latch as planned: both policies, attached, and the delegation."""
        made = {"policy": self._policy("latch", self.plan.latch)}
        made["shield"] = self._policy("shield", self.plan.shield)
        self.part = self.part.model_copy(update=made)
        self._allow_what_is_printed()  # under the shield, nobody else could any more
        for policy in made.values():
            for account in self.plan.attach:
                self.org.attach_policy(PolicyId=policy, TargetId=account)
        whole = {"Version": "2012-10-17", "Statement": list(self.plan.delegation)}
        self.org.put_resource_policy(Content=json.dumps(whole))

    def provider(self, account: str) -> Aws:
        """The account as Stanch's role there sees it."""
        if account not in self._known:
            given = self.world.client("sts", self.stanch).assume_role(
                RoleArn=f"arn:aws:iam::{account}:role/{RESPONDER}", RoleSessionName="stanch"
            )["Credentials"]
            clients = self.borrowed(given)
            self._known[account] = Aws(account, REGION, lambda service: clients(service, REGION))
        return self._known[account]

    def borrowed(self, given: Mapping[str, Any]) -> Any:
        """Clients from what AssumeRole gave, by service and region."""
        keys = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        return cache(lambda service, region: self.world.client(service, keys, region))

    def person(self, account: str, name: str) -> Credentials:
        """A user who may do everything in an account."""
        return self._person(account, name, "*")

    def _allow_what_is_printed(self) -> None:
        """Give each account's role what `stanch permissions` prints for the latch."""
        settings = Settings(accounts=ACCOUNTS, latch=self.part)
        for account in ACCOUNTS:
            printed = beyond_plays(settings, account, "aws")
            self.world.client("iam", self.world.root_of(account)).put_role_policy(
                RoleName=RESPONDER,
                PolicyName="stanch-latch",
                PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": printed}),
            )

    def _person(self, account: str, name: str, action: str) -> Credentials:
        iam = self.world.client("iam", self.world.root_of(account))
        iam.create_user(UserName=name)
        allow = document(Action=action, Resource="*")
        iam.put_user_policy(UserName=name, PolicyName="may", PolicyDocument=allow)
        made = iam.create_access_key(UserName=name)["AccessKey"]
        return Credentials(made["AccessKeyId"], made["SecretAccessKey"])

    def _roles(self, account: str) -> None:
        iam = self.world.client("iam", self.world.root_of(account))
        trust = document(
            Action="sts:AssumeRole", Principal={"AWS": f"arn:aws:iam::{ADMIN}:user/stanch"}
        )
        iam.create_role(RoleName=RESPONDER, AssumeRolePolicyDocument=trust)
        iam.put_role_policy(
            RoleName=RESPONDER,
            PolicyName="respond",
            PolicyDocument=document(Action=RESPONDS, Resource="*"),
        )
        plan = self.plan
        iam.create_role(
            RoleName=self.part.canary,
            AssumeRolePolicyDocument=json.dumps(plan.trusts[account]),
        )
        iam.put_role_policy(
            RoleName=self.part.canary,
            PolicyName="harmless",
            PolicyDocument=json.dumps(plan.canary_policy),
        )

    def _policy(self, name: str, content: Document) -> str:
        made = self.org.create_policy(
            Name=f"stanch-{name}",
            Description=name,
            Type="SERVICE_CONTROL_POLICY",
            Content=packed(content),
        )
        return str(made["Policy"]["PolicySummary"]["Id"])


_built: list[Realm] = []


def floor() -> Realm:
    """The organisation, latched as planned, that all tests of this process start from."""
    if not _built or World.newest is not _built[0].world:
        realm = Realm(World(seed=3))
        realm.follow()
        for account in ACCOUNTS:
            realm.provider(account)
        _built[:] = [realm]
    return _built[0]


def apart(test: Callable[..., None]) -> Callable[..., None]:
    """Give a test a realm of its own, as its first argument, in a fork."""

    @wraps(test)
    def forked(**given: Any) -> None:
        realm = floor()
        if said := in_child(lambda: test(realm, **given)):
            pytest.fail(said, pytrace=False)

    first, *others = inspect.signature(test).parameters.values()
    assert first.name == "realm"
    forked.__signature__ = inspect.Signature(others)  # type: ignore[attr-defined]
    return forked
