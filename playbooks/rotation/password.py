"""Rotates a password in Secrets Manager, and in the database that it opens, if it opens one."""

from typing import TYPE_CHECKING

from actions.aws.database import Database
from actions.aws.move_secret_stages import MoveSecretStages
from actions.aws.put_secret_version import PutSecretVersion
from actions.aws.rotate_master_password import RotateMasterPassword
from actions.aws.secret import Secret
from playbooks.case import points
from playbooks.rotation import standing
from playbooks.rotation.leaving import may_go
from playbooks.rotation.order import Credential

if TYPE_CHECKING:
    from playbooks.case.case import Case


async def renew(case: "Case", one: Credential) -> bool:
    """Make a version, set it in the database, try it, and let consumers read it.

    Where nothing but its consumers knows the value, the old one is dead once they all have the
    new: then a person says so. A database knows one master password, so new logins with the old
    one fail from when it is set until a consumer reads the new one.
    """
    secret = secret_of(one)
    field = one.fields[0] if one.fields else ""
    put = await case.act(PutSecretVersion(secret, field))
    if not put:
        return False
    version = standing.told(put, "version")
    if one.kind == "database":
        account, region, rest = one.target.split("/", 2)
        database = Database(account, region, rest.partition("/")[2])
        if not await case.act(RotateMasterPassword(database, secret, version, field)):
            return False
    if not await case.act(MoveSecretStages(secret, version)):
        if one.kind == "database":
            points.open_point(
                case,
                f"rotation/{one.name}",
                f"{one.target} has the password of version {version} of {secret.name}, and its "
                "readers still get the old one: move AWSCURRENT there, or roll back",
            )
        return False
    standing.since(case, f"rotation/{one.name}/current")
    if one.kind == "secret":
        await may_go(case, one, version, None)
    points.shut_point(case, f"rotation/{one.name}")
    return True


async def clear(case: "Case", one: Credential) -> None:
    """Leave the version before to Secrets Manager: with no label it goes by itself."""


def secret_of(one: Credential) -> Secret:
    """Return the secret that holds it."""
    account, region, rest = (one.stored or one.target).split("/", 2)
    return Secret(account, region, rest.partition("/")[2])
