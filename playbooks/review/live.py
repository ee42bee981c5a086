"""How principals stand now: what a decision is checked against, so that none is about the past."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from actions.aws.clients import Aws
from playbooks.case.store.reviews import ReviewRow
from playbooks.review import details, identity_center
from playbooks.review.holding import Holding
from playbooks.review.row import Row

PERMISSIONS = ("iam:ListAccessKeys",)


@dataclass(frozen=True, slots=True)
class Live:
    """Principals as they stand now, by key, and why rows about them are stale, by row."""

    holdings: Mapping[str, Holding]
    stale: Mapping[str, str]
    keys: Mapping[str, str]


def live(aws: Aws, rows: Iterable[ReviewRow]) -> Live:
    """Return how the principals of these rows stand, and which rows are stale.

    Policies, groups, trust and boundaries come from one sweep of the account; of keys, those of
    each user in question are listed, for the report that the rows are from is hours old: `keys`
    says which access key a row is about.
    """
    asked = list(rows)
    wanted = {row.principal for row in asked}
    if not wanted:
        return Live({}, {}, {})
    around = details.known(aws)
    found = {held.key: held for held in around.groups.values() if held.key in wanted}
    found |= {held.key: held for held in details.holdings(aws, around) if held.key in wanted}
    users = {_name(r): () for r in asked if r.privilege.startswith("key/")}
    listed = {name: access_keys(aws, name) for name in users}
    ids = {r.id: key_of(r, listed[_name(r)]) for r in asked if r.privilege.startswith("key/")}
    given = {a.id: a for a in identity_center.assignments(aws, around)} if _assigned(asked) else {}
    stale = {
        r.id: why
        for r in asked
        if (why := same(r, given) if _assigned([r]) else _stale(r, found.get(r.principal), ids))
    }
    return Live(found, stale, {row: id for row, id in ids.items() if id})


def same(row: ReviewRow, now: Mapping[str, Row]) -> str:
    """Return why a row is stale that is not among those of now as it was; nothing if it is."""
    if row.id not in now:
        return f"{row.principal} does not have {row.privilege} any more"
    changed = now[row.id].digest != row.digest
    return f"{row.principal} was changed since it was listed" if changed else ""


def _assigned(rows: Iterable[ReviewRow]) -> bool:
    return any(row.privilege.startswith("assignment/") for row in rows)


def _stale(row: ReviewRow, held: Holding | None, ids: Mapping[str, str | None]) -> str:
    kind = row.privilege.partition("/")[0]
    if kind == "root":
        return ""
    if held is None:
        return f"{row.principal} is gone"
    rights = {right.privilege: right for right in held.rights}
    if kind in ("policy", "inline", "group") and row.privilege not in rights:
        return f"{row.principal} does not have {row.privilege} any more"
    right = rights.get(row.privilege)
    now = held.digest_of(right) if right else held.digest
    if now != row.digest:
        return f"{row.principal} was changed since it was listed"
    if row.id in ids and ids[row.id] is None:
        return f"{row.privilege} of {row.principal} was changed since it was listed"
    return ""


def _name(row: ReviewRow) -> str:
    return row.principal.rpartition("/")[2]


def access_keys(aws: Aws, user: str) -> list[Mapping[str, Any]]:
    """Return a user's keys: AccessKeyId, Status and CreateDate of each; none where it is gone."""
    try:
        pages: Any = aws.iam.get_paginator("list_access_keys").paginate(UserName=user)
        return [key for page in pages for key in page["AccessKeyMetadata"]]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise
        return []


def key_of(row: ReviewRow, keys: Iterable[Mapping[str, Any]]) -> str | None:
    """Return the id of the key that a row is about, as it was then; None where there is none.

    The report names no key, so it is found by when it was made; two made in the same second are
    not told apart, and then neither is found.
    """
    made, active = row.about["made"], row.about["active"]
    named = row.privilege.partition("/")[2]
    fitting = [
        str(key["AccessKeyId"])
        for key in keys
        if (key["Status"] == "Active") == active
        and named in (key["AccessKeyId"], "1", "2")
        and key["CreateDate"].replace(microsecond=0).isoformat() == made
    ]
    return fitting[0] if len(fitting) == 1 else None
