"""A DB instance of Amazon RDS as a target, and the one look at it that actions start from."""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from actions.aws.clients import Aws
from actions.errors import TargetGoneError, UnfitError


@dataclass(frozen=True, slots=True)
class Database:
    """One DB instance: `account` is 12 digits, `region` as in eu-west-1, `name` its identifier."""

    account: str
    region: str
    name: str

    @property
    def key(self) -> str:
        """Return account/region/database/name, which names it in steps and incidents."""
        return f"{self.account}/{self.region}/database/{self.name}"


def describe(p: Aws, database: Database) -> dict[str, Any]:
    """Return DescribeDBInstances' answer for it.

    Raises TargetGoneError when there is none, and UnfitError when the provider is bound to
    another account or region than the database's.
    """
    if (p.account, p.region) != (database.account, database.region):
        raise UnfitError(
            f"{database.key} was to be acted on in {p.account}/{p.region}. Sessions are made per "
            "account and region; this one is not the database's."
        )
    try:
        found: Any = p.rds.describe_db_instances(DBInstanceIdentifier=database.name)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("DBInstanceNotFound", "DBInstanceNotFoundFault"):
            raise
        raise TargetGoneError(
            f"DB instance {database.name} does not exist (any more) in "
            f"{database.account}/{database.region}. Look at who deleted it (CloudTrail)."
        ) from error
    return dict(found["DBInstances"][0])
