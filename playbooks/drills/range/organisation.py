"""The service control policies that bear on a principal.

Organizations User Guide, "Service control policies (SCPs)" and "SCP evaluation": every level from
the root down to the account must allow; SCPs bind users, roles and the root user of member
accounts, and neither the management account nor service-linked roles; they bind only where the
policy type is enabled in the root.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.organizations.models import FakeDelegatedAdministrator, organizations_backends

from playbooks.drills.range.facts import Thing, facts_of, parsed
from playbooks.drills.range.targets_services import organization_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.keys import Principal
    from playbooks.drills.range.wire import Asked

Level = tuple["Mapping[str, Any]", ...]
KEPT_BY_MANAGEMENT = {"organizations", "sso", "identitystore"}
IDENTITY_CENTER = "sso.amazonaws.com"
OPEN_TO_MEMBERS = {"DescribeOrganization", "LeaveOrganization"}
LINKED = ":role/aws-service-role/"


def scps_of(ground: Ground, principal: Principal) -> tuple[Level, ...]:
    """One tuple of documents a level, root first; () where none binds."""
    if principal.kind == "service" or _linked(ground, principal):
        return ()
    if principal.account in ground.kept.scps:
        return ground.kept.scps[principal.account]
    management, _ = organization_of(principal.account)
    if not management or management == principal.account:
        return ()
    levels: list[Level] = []
    node, enabled = principal.account, False
    while node:
        facts = facts_of(ground, Thing(management, "node", node))
        levels.append(tuple(_documents(ground, management, facts)))
        enabled = ("enabled", "") in facts
        node = facts.get(("parent", ""), "")
    return tuple(reversed(levels)) if enabled else ()


def _documents(ground: Ground, management: str, facts: Any) -> list[Mapping[str, Any]]:
    attached = [name for kind, name in facts if kind == "scp"]
    texts = [facts_of(ground, Thing(management, "scp", policy)) for policy in attached]
    return [parsed(found["document", ""]) for found in texts if found]


def _linked(ground: Ground, principal: Principal) -> bool:
    if principal.kind != "role":
        return False
    role_id = principal.user_id.partition(":")[0]
    role = ground.iam(principal.account).roles.get(role_id)
    return role is not None and LINKED in role.arn


def routed(asked: Asked, account: str) -> str:
    """The account whose state a request is about: an organisation's is its management account's."""
    if asked.service in KEPT_BY_MANAGEMENT:
        return organization_of(account)[0] or account
    return account


def delegation_of(ground: Ground, principal: Principal, action: str) -> Mapping[str, Any] | None:
    """The resource policy that a member account's call needs; None where the call needs none.

    Organizations API: most operations "can be called only from the organization's management
    account or by a member account that is a delegated administrator"; Identity Center: from the
    management account or its delegated administrator, who is registered for the service.
    """
    service, _, operation = action.partition(":")
    management, backend = organization_of(principal.account)
    if service not in KEPT_BY_MANAGEMENT or not management or management == principal.account:
        return None
    registered = {
        s for a in backend.admins if a.account.id == principal.account for s in a.services
    }
    if service != "organizations":
        return None if IDENTITY_CENTER in registered else {"Statement": []}
    reads = operation.startswith(("Describe", "List"))
    if operation in OPEN_TO_MEMBERS or (reads and registered):
        return None
    return parsed(ground.kept.delegation.get(management) or '{"Statement": []}')


def join(management: str, account: str, parent: str = "") -> None:
    """Put an existing account into an organisation, as one that was invited and has accepted."""
    backend: Any = organizations_backends[management]["aws"]
    backend.create_account(AccountName=account, Email=f"{account}@example.com")
    made = backend.accounts[-1]
    del organizations_backends.master_accounts[made.id]
    organizations_backends.master_accounts[account] = (management, "aws")
    made.id, made.joined_method = account, "INVITED"
    made.parent_id = parent or backend.org.root_id


def mend() -> None:
    """Let Identity Center have a delegated administrator; moto knows six services that may."""
    if IDENTITY_CENTER not in FakeDelegatedAdministrator.SUPPORTED_SERVICES:
        FakeDelegatedAdministrator.SUPPORTED_SERVICES.append(IDENTITY_CENTER)
