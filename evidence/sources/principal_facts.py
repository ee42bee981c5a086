"""What IAM knows of one user or role, by its unique id: what it may, and how it signs in."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from evidence.sources.ask import JSON, Pages, Question, as_json, ask
from evidence.sources.item import Item, Missed
from evidence.sources.principal_record import role_record, user_record
from evidence.sources.role_facts import RoleClients, policy_text

# What is asked of a user by its name alone.
OF_USER = (
    "get_user",
    "list_user_policies",
    "list_attached_user_policies",
    "list_groups_for_user",
    "list_access_keys",
    "get_login_profile",
    "list_mfa_devices",
    "list_ssh_public_keys",
    "list_signing_certificates",
    "list_service_specific_credentials",
)
OF_ROLE = (
    "get_role",
    "list_role_policies",
    "list_attached_role_policies",
    "list_instance_profiles_for_role",
)
Found = Generator[Item | Missed, None, Pages]


@dataclass(frozen=True, slots=True)
class PrincipalFacts:
    """Read calls on one IAM user or role, and at the end `principal_record`: all of it together.

    The record also names what cannot be given back once it is gone. Names of users and of their
    policies stand in items, which can be withheld, not in the items' names.
    """

    kind: Literal["user", "role"]
    principal: str
    account: str
    region: str

    name: ClassVar[str] = "principal_facts"
    permissions: ClassVar[tuple[str, ...]] = (
        "iam:GetAccessKeyLastUsed",
        "iam:GetGroupPolicy",
        "iam:GetLoginProfile",
        "iam:GetPolicy",
        "iam:GetPolicyVersion",
        "iam:GetRole",
        "iam:GetRolePolicy",
        "iam:GetUser",
        "iam:GetUserPolicy",
        "iam:ListAccessKeys",
        "iam:ListAttachedGroupPolicies",
        "iam:ListAttachedRolePolicies",
        "iam:ListAttachedUserPolicies",
        "iam:ListGroupPolicies",
        "iam:ListGroupsForUser",
        "iam:ListInstanceProfilesForRole",
        "iam:ListMFADevices",
        "iam:ListRolePolicies",
        "iam:ListSSHPublicKeys",
        "iam:ListServiceSpecificCredentials",
        "iam:ListSigningCertificates",
        "iam:ListUserPolicies",
    )

    def collect(self, clients: RoleClients) -> Iterator[Item | Missed]:
        """Yield an item or a miss for each question; a failed one does not stop the others."""
        asking = _Asking(clients)
        for operation in OF_USER if self.kind == "user" else OF_ROLE:
            yield from asking.about(operation, operation, **self._named)
        yield from self._policies(asking)
        if self.kind == "user":
            yield from _keys(asking)
            yield from _groups(asking)
        whole = user_record if self.kind == "user" else role_record
        record = as_json(whole(asking.answers))
        yield Item("principal_record", JSON, record, False, f"iam.get_{self.kind}")

    @property
    def _named(self) -> dict[str, str]:
        return {f"{self.kind.capitalize()}Name": self.principal}

    def _policies(self, asking: "_Asking") -> Iterator[Item | Missed]:
        names = asking.values(f"list_{self.kind}_policies", "PolicyNames")
        for i, name in enumerate(names):
            operation = f"get_{self.kind}_policy"
            yield from asking.about(operation, f"{operation}.{i}", **self._named, PolicyName=name)
        for policy in asking.values(f"list_attached_{self.kind}_policies", "AttachedPolicies"):
            yield from asking.policy(policy["PolicyArn"])


@dataclass(slots=True)
class _Asking:
    """Asks IAM; keeps what was answered in full for the record, and all pages to go on from."""

    clients: RoleClients
    answers: dict[str, Pages] = field(default_factory=dict)
    pages: dict[str, Pages] = field(default_factory=dict)
    policies: set[str] = field(default_factory=set)

    def about(self, operation: str, name: str, **parameters: Any) -> Iterator[Item | Missed]:
        question = Question(f"iam.{name}", "iam", operation, parameters)
        whole, asked = True, ask(self.clients.iam, question)
        while True:
            try:
                each = next(asked)
            except StopIteration as end:
                pages: Pages = end.value
                break
            if isinstance(each, Missed) and _none(each):
                # That a user has no console password is an answer.
                answer = {"call": question.call, "parameters": parameters, "pages": []}
                yield Item(question.name, JSON, as_json(answer), False, question.call)
            else:
                whole = whole and isinstance(each, Item)
                yield each
        key = name if operation.endswith("last_used") else operation
        self.pages[key] = [*self.pages.get(key, []), *pages]
        if whole:
            self.answers[key] = self.pages[key]

    def policy(self, arn: str) -> Iterator[Item | Missed]:
        if arn not in self.policies:
            self.policies.add(arn)
            yield from policy_text(self.clients, arn)

    def values(self, operation: str, member: str) -> list[Any]:
        return [each for page in self.pages.get(operation, []) for each in page[member]]


def _none(missed: Missed) -> bool:
    return missed.call == "iam.get_login_profile" and missed.error_code == "NoSuchEntity"


def _keys(asking: _Asking) -> Iterator[Item | Missed]:
    for key in asking.values("list_access_keys", "AccessKeyMetadata"):
        known, operation = key["AccessKeyId"], "get_access_key_last_used"
        yield from asking.about(operation, f"{operation}.{known}", AccessKeyId=known)


def _groups(asking: _Asking) -> Iterator[Item | Missed]:
    for group in asking.values("list_groups_for_user", "Groups"):
        name = group["GroupName"]
        of = _Asking(asking.clients, policies=asking.policies)
        for operation in ("list_group_policies", "list_attached_group_policies"):
            yield from of.about(operation, f"{operation}.{name}", GroupName=name)
        for policy in of.values("list_group_policies", "PolicyNames"):
            operation = "get_group_policy"
            yield from of.about(
                operation, f"{operation}.{name}.{policy}", GroupName=name, PolicyName=policy
            )
        for policy in of.values("list_attached_group_policies", "AttachedPolicies"):
            yield from of.policy(policy["PolicyArn"])
