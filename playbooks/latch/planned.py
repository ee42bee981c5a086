"""The plan of the latch: which policies to make, where to attach them, and what they cannot bind.

Pure: from the settings alone, so that it can be read, agreed on and applied by whoever holds the
management account, which Stanch never does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from actions.aws import latch
from actions.aws.latch import KEY, Document, Room, packed
from playbooks.errors import SettingsError
from playbooks.latch.shield import responders, shield
from playbooks.wiring.latch_part import Latch
from playbooks.wiring.settings import Account

# What `stanch latch check` asks of the organisation, from the administrator's account.
LOOKS = tuple(
    f"organizations:{operation}"
    for operation in (
        "DescribePolicy",
        "DescribeResourcePolicy",
        "ListParents",
        "ListPoliciesForTarget",
        "ListRoots",
    )
)
UNBOUND = (
    "the management account, and its root user: no service control policy binds them",
    "service-linked roles, in any account",
    "federation tokens (GetFederationToken) that a latched user got before: they carry another "
    "aws:PrincipalArn; by API they cannot call IAM, and the deny in the account stops them",
    "principals of accounts outside the organisation, and what a resource's own policy gives them",
    "replacing a boundary of Stanch's by another: the request names the new one alone",
    "whoever may change these policies: the management account, and whom the resource policy names",
)


@dataclass(frozen=True, slots=True)
class Planned:
    """What is to be made. `attach` are the accounts that both policies are attached to.

    `delegation` belongs into the organisation's one resource policy, beside what that holds
    already; `trusts` are the canary's trust policies by account.
    """

    latch: Document
    shield: Document
    delegation: tuple[Document, ...]
    trusts: Mapping[str, Document]
    canary_policy: Document
    attach: tuple[str, ...]
    room: Room
    shield_room: Room

    def json(self) -> dict[str, Any]:
        """Return the plan as JSON values."""
        return {
            "latch": self.latch,
            "shield": self.shield,
            "attach": list(self.attach),
            "delegation": list(self.delegation),
            "canary": {"trust": dict(self.trusts), "policy": self.canary_policy},
            "room": {
                "latch": {
                    "characters": self.room.characters,
                    "principals": self.room.principals,
                },
                "shield": {"characters": self.shield_room.characters},
            },
            "unbound": list(UNBOUND),
        }


def planned(part: Latch, accounts: Mapping[str, Account], partition: str) -> Planned:
    """Return the plan. Raise SettingsError when Stanch would not be let through, or no room is."""
    through = responders(part, accounts, partition)
    if part.admin not in accounts:
        raise SettingsError(
            f"[latch] admin {part.admin} is not among the accounts. Add "
            f'[accounts."{part.admin}"] with a role that may write the latch there.'
        )
    if not _of(part.admin, through):
        raise SettingsError(
            f"[latch] lets no role of account {part.admin} through: nobody, Stanch included, could "
            "take a denial off again. Name it in responders in stanch.toml."
        )
    guarding, empty = (
        shield(through, partition, no_federation=part.no_federation),
        latch.document([]),
    )
    if (size := len(packed(guarding))) > part.characters:
        raise SettingsError(
            f"the shield needs {size} characters, and a service control policy holds "
            f"{part.characters}. Let [latch] responders name one role, stanch-..., for all "
            "accounts."
        )
    return Planned(
        latch=empty,
        shield=guarding,
        delegation=delegation(part, through, partition),
        trusts={
            account: _trust(known.role or f"arn:{partition}:iam::{account}:root")
            for account, known in sorted(accounts.items())
        },
        canary_policy=_harmless(part, partition),
        attach=tuple(sorted(accounts.keys() - {part.management})),
        room=latch.room(packed(empty), part.characters),
        shield_room=Room(part.characters - size, 0),
    )


def delegation(part: Latch, through: tuple[str, ...], partition: str) -> tuple[Document, ...]:
    """Return the statements that let the administrator's responders look, and write the latch.

    Nothing else of the organisation's: not the shield, not what is attached where. `NotAction` is
    not allowed there (AWS Organizations User Guide, "Update a resource-based delegation policy").
    """
    who = {"AWS": f"arn:{partition}:iam::{part.admin}:root"}
    ours = {"ArnLike": {KEY: _of(part.admin, through)}}
    return (
        _allowed("StanchLooks", who, list(LOOKS), "*", ours),
        _allowed(
            "StanchLatches",
            who,
            ["organizations:UpdatePolicy"],
            arn_of(part, partition),
            ours,
        ),
    )


def arn_of(part: Latch, partition: str) -> str:
    """Return the latch's ARN; before it is made, with a word in place of its id."""
    where = f"arn:{partition}:organizations::{part.management}:policy/{part.organization}"
    return f"{where}/service_control_policy/{part.policy or 'p-OFTHELATCH'}"


def _allowed(
    sid: str, who: Document, actions: list[str], resource: str, condition: Document
) -> Document:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": who,
        "Action": actions,
        "Resource": resource,
        "Condition": condition,
    }


def _of(account: str, arns: tuple[str, ...]) -> list[str]:
    return [arn for arn in arns if arn.split(":")[4] in ("*", account)]


def _trust(who: str) -> Document:
    statement = {"Effect": "Allow", "Principal": {"AWS": who}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _harmless(part: Latch, partition: str) -> Document:
    itself = f"arn:{partition}:iam::*:role/{part.canary}"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "iam:GetRole", "Resource": itself},
            {"Effect": "Allow", "Action": "ec2:DescribeRegions", "Resource": "*"},
        ],
    }
