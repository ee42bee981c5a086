"""Whose access key it is: asked of IAM once, and the same on re-entry."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from actions.aws.clients import Aws
from actions.aws.principal import GLOBAL, Principal
from actions.engine import calling
from playbooks.case import store
from playbooks.case.subject import HOLDER, subject
from playbooks.errors import RefusedError

if TYPE_CHECKING:
    from playbooks.case.case import Case


async def holder(case: "Case") -> Principal:
    """Return whom the incident's credentials belong to: of a key its user, asked of IAM once.

    Raises RefusedError where the account has no such key.
    """
    if case.incident.kind != "access_key":
        return case.principal
    known = case.store.read(lambda conn: store.kept(conn, case.incident.id, HOLDER))
    if known is not None:
        return Principal(case.place, "user", known["user"])
    key = case.incident.target["id"].partition("/")[2]
    aws = case.parts.aws(case.place, GLOBAL)
    name = await case.call(lambda: calling(aws, lambda: _user(aws, key)))
    if not name:
        raise RefusedError(
            f"account {case.place} has no access key {key} (any more), or Stanch may not ask. Look "
            "in CloudTrail for its user, then: "
            "stanch open --play leaked-access-key --target user/NAME"
        )
    if not case.dry:
        case.store.commit(
            lambda conn: store.keep_newest(conn, case.incident.id, HOLDER, {"user": name})
        )
    return Principal(case.place, "user", name)


def own(case: "Case") -> str:
    """Return the target, place/region/id, that is the incident's own, once that is known."""
    return case.store.read(lambda conn: subject(conn, case.incident))


def _user(aws: Aws, key: str) -> str:
    try:
        return aws.iam.get_access_key_last_used(AccessKeyId=key).get("UserName", "")
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchEntity", "AccessDenied"):
            return ""  # IAM answers so for keys of other accounts too.
        raise
