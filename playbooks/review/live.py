"""How principals stand now: what a decision is checked against, so that none is about the past."""

from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from actions.aws.clients import Aws
from playbooks.case.store.reviews import ReviewRow
from playbooks.review import details


def changed(aws: Aws, rows: Iterable[ReviewRow]) -> dict[str, str]:
    """Return why a row is stale, by its id, for each that is: its principal changed since.

    Policies, groups, trust and boundaries come from one sweep of the account; of keys, those of
    each user in question are listed, for the report that the rows are from is hours old.
    """
    asked = {row.id: row for row in rows}
    if not asked:
        return {}
    around = details.known(aws)
    digests = {held.key: held.digest for held in around.groups.values()}
    digests |= {held.key: held.digest for held in details.holdings(aws, around)}
    found: dict[str, str] = {}
    keys: dict[str, list[Mapping[str, Any]]] = {}
    for id, row in asked.items():
        kind = row.privilege.partition("/")[0]
        if kind == "root":
            continue
        if row.principal not in digests:
            found[id] = f"{row.principal} is gone"
        elif digests[row.principal] != row.digest:
            found[id] = f"{row.principal} was changed since it was listed"
        elif kind == "key":
            name = row.principal.rpartition("/")[2]
            if name not in keys:
                keys[name] = access_keys(aws, name)
            if key_of(row, keys[name]) is None:
                found[id] = f"{row.privilege} of {name} was changed since it was listed"
    return found


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
    fitting = [
        str(key["AccessKeyId"])
        for key in keys
        if key["CreateDate"].replace(microsecond=0).isoformat() == made
        and (key["Status"] == "Active") == active
    ]
    return fitting[0] if len(fitting) == 1 else None
