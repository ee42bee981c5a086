"""What came into being in an account's IAM since a time, whoever made it: to be seen at once.

CloudTrail says who made it, and does so minutes later, in which a user that an attacker made goes
on. IAM says by its own dates what is new, so that it can be stopped now and judged then.
"""

import json
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Protocol

from evidence.sources.ask import Client, Pages, Question, ask
from evidence.sources.change_kinds import Kind
from evidence.sources.following import Finding
from evidence.sources.item import Item, Missed

# operation -> what it lists, of what kind, by which name and id, and which date says it is new.
_LISTS: dict[str, tuple[str, Kind, str, str, str]] = {
    "list_users": ("Users", "user", "UserName", "UserId", "CreateDate"),
    "list_roles": ("Roles", "role", "RoleName", "RoleId", "CreateDate"),
    "list_groups": ("Groups", "group", "GroupName", "GroupId", "CreateDate"),
    "list_policies": ("Policies", "policy", "PolicyName", "Arn", "CreateDate"),
    "list_instance_profiles": (
        "InstanceProfiles",
        "instance_profile",
        "InstanceProfileName",
        "InstanceProfileId",
        "CreateDate",
    ),
    "list_virtual_mfa_devices": (
        "VirtualMFADevices",
        "mfa_device",
        "UserName",
        "SerialNumber",
        "EnableDate",
    ),
    "list_saml_providers": ("SAMLProviderList", "saml_provider", "Arn", "Arn", "CreateDate"),
    "list_access_keys": (
        "AccessKeyMetadata",
        "access_key",
        "UserName",
        "AccessKeyId",
        "CreateDate",
    ),
}
_MORE: dict[str, dict[str, Any]] = {
    "list_policies": {"Scope": "Local"},
    "list_virtual_mfa_devices": {"AssignmentStatus": "Assigned"},
}
_PROVIDER = "get_open_id_connect_provider"
# Only AWS's services get sessions of these (IAM User Guide, "Create a service-linked role").
_LINKED = "/aws-service-role/"


class IamClients(Protocol):
    """A boto3 IAM client of one account."""

    @property
    def iam(self) -> Client: ...


@dataclass(frozen=True, slots=True)
class Newcomers:
    """Users, roles, groups, policies, profiles, providers and MFA devices that are new since then.

    `users` are those whose new access keys are asked for besides those of new users; of others a
    new key is CloudTrail's to tell, as is what has no date: trusts, attachments, group joins. It
    does not say who made it, so take what it finds for suspect, and undo what proves innocent.
    """

    users: tuple[str, ...]
    since: datetime
    account: str
    region: str

    name: ClassVar[str] = "newcomers"
    permissions: ClassVar[tuple[str, ...]] = (
        "iam:GetOpenIDConnectProvider",
        "iam:ListAccessKeys",
        "iam:ListGroups",
        "iam:ListInstanceProfiles",
        "iam:ListOpenIDConnectProviders",
        "iam:ListPolicies",
        "iam:ListRoles",
        "iam:ListSAMLProviders",
        "iam:ListUsers",
        "iam:ListVirtualMFADevices",
    )

    def collect(self, clients: IamClients) -> Iterator[Item | Missed]:
        """Yield an item or a miss for each list, and for each user's keys and each provider."""
        users = list(self.users)
        for operation in _LISTS:
            if operation == "list_access_keys":
                continue
            pages = yield from _iam(clients, operation, operation, **_MORE.get(operation, {}))
            if operation == "list_users":
                found = (user for page in pages for user in page["Users"])
                users += [u["UserName"] for u in found if self._new(u["CreateDate"])]
        for number, user in enumerate(dict.fromkeys(users)):
            # A person's name stands in the item, which can be withheld, not in its name.
            name = f"list_access_keys.{number}"
            yield from _iam(clients, "list_access_keys", name, UserName=user)
        name = "list_open_id_connect_providers"
        pages = yield from _iam(clients, name, name)
        arns = [p["Arn"] for page in pages for p in page["OpenIDConnectProviderList"]]
        for number, arn in enumerate(arns):
            more = {"OpenIDConnectProviderArn": arn}
            yield from _iam(clients, _PROVIDER, f"{_PROVIDER}.{number}", **more)

    def findings(self, items: Iterable[Item]) -> tuple[Finding, ...]:
        """Return what is new, from the items that were kept, the oldest first; `by` is empty."""
        found: dict[str, Finding] = {}
        for item in items:
            told = json.loads(item.data)
            operation = told["call"].partition(".")[2]
            for page in told["pages"]:
                for one in self._listed(operation, page, told["parameters"]):
                    found[one.event] = one
        return tuple(sorted(found.values(), key=lambda one: (one.at, one.event)))

    def _listed(
        self, operation: str, page: Mapping[str, Any], asked: Mapping[str, Any]
    ) -> Iterator[Finding]:
        if operation == _PROVIDER:
            arn = asked["OpenIDConnectProviderArn"]
            yield from self._one("oidc_provider", page.get("Url", arn), arn, page["CreateDate"])
        if operation not in _LISTS:
            return
        member, kind, name, id, date = _LISTS[operation]
        for thing in page[member]:
            if date not in thing or str(thing.get("Path", "")).startswith(_LINKED):
                continue
            whose = thing.get("User", {}) if kind == "mfa_device" else thing
            yield from self._one(kind, whose.get(name, ""), thing[id], thing[date])

    def _one(self, kind: Kind, name: str, id: str, date: str) -> Iterator[Finding]:
        made = datetime.fromisoformat(date)
        if self._new(made):
            at = made.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            yield Finding(kind, str(name), id, "", at, f"{kind}/{id}", "seen in IAM")

    def _new(self, made: datetime) -> bool:
        # IAM's dates have whole seconds.
        return made >= self.since.replace(microsecond=0)


def _iam(
    clients: IamClients, operation: str, name: str, **parameters: Any
) -> Generator[Item | Missed, None, Pages]:
    question = Question(f"iam.{name}", "iam", operation, parameters)
    return (yield from ask(clients.iam, question))
