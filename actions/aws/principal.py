"""Who is acted on in IAM: a user or a role of one account."""

from dataclasses import dataclass
from typing import Literal

# IAM has no regions; botocore calls the place where it is by this name (its endpoints.json).
GLOBAL = "aws-global"

Kind = Literal["user", "role"]


@dataclass(frozen=True, slots=True)
class Principal:
    """An IAM user or role, by account (12 digits) and name, without a path.

    A name is unique in its account whatever the path (IAM User Guide, "IAM identifiers"), but may
    be given anew after a deletion: the unique id (AIDA..., AROA...) tells the two apart.
    """

    account: str
    kind: Kind
    name: str

    @property
    def key(self) -> str:
        """Return account/aws-global/kind/name, which names it in steps and incidents."""
        return f"{self.account}/{GLOBAL}/{self.kind}/{self.name}"
