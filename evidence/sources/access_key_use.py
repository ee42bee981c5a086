"""A user's access keys: which there are, which work, and when each was last used."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Protocol

from evidence.sources.ask import Client, Question, ask
from evidence.sources.item import Item, Missed


class KeyClients(Protocol):
    """A boto3 IAM client in the user's account."""

    @property
    def iam(self) -> Client: ...


@dataclass(frozen=True, slots=True)
class KeyUse:
    """One access key. `used` is when it was last used (RFC 3339, UTC), or empty for never.

    Uses within 15 minutes are recorded once, as of the first (IAM User Guide, "Getting credential
    reports"), and a failed login is none: an inactive key is never used.
    """

    key: str
    active: bool
    made: str
    used: str = ""
    service: str = ""
    region: str = ""

    def json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)

    def __str__(self) -> str:
        state = "active" if self.active else "inactive"
        last = f"last used {self.used} for {self.service}" if self.used else "never used"
        return f"{self.key} ({state}, {last})"


@dataclass(frozen=True, slots=True)
class AccessKeyUse:
    """ListAccessKeys of one user, and GetAccessKeyLastUsed of each key (IAM API reference)."""

    user_name: str
    account: str
    region: str

    name: ClassVar[str] = "access_key_use"
    permissions: ClassVar[tuple[str, ...]] = ("iam:GetAccessKeyLastUsed", "iam:ListAccessKeys")

    def collect(self, clients: KeyClients) -> Iterator[Item | Missed]:
        """Yield an item or a miss for the list and for each key."""
        # A person's name stands in the item, which can be withheld, not in its name.
        operation = "list_access_keys"
        listed = Question(f"iam.{operation}", "iam", operation, {"UserName": self.user_name})
        pages = yield from ask(clients.iam, listed)
        keys = sorted(key["AccessKeyId"] for page in pages for key in page["AccessKeyMetadata"])
        for key in keys:
            operation = "get_access_key_last_used"
            name = f"iam.{operation}.{key}"
            yield from ask(clients.iam, Question(name, "iam", operation, {"AccessKeyId": key}))

    def findings(self, items: Iterable[Item]) -> list[KeyUse]:
        """Return the keys, oldest first. One whose use was missed is left out: it is not known."""
        listed: dict[str, Any] = {}
        used: dict[str, Any] = {}
        for item in items:
            for page in json.loads(item.data)["pages"]:
                listed |= {key["AccessKeyId"]: key for key in page.get("AccessKeyMetadata", [])}
                if "AccessKeyLastUsed" in page:
                    used[item.name.rpartition(".")[2]] = page["AccessKeyLastUsed"]
        found = [_use(key, used[id]) for id, key in listed.items() if id in used]
        return sorted(found, key=lambda use: (use.made, use.key))


def _use(key: dict[str, Any], used: dict[str, Any]) -> KeyUse:
    # What was never used has N/A for service and region, and no date.
    last = used.get("LastUsedDate") or ""
    service, region = (used["ServiceName"], used["Region"]) if last else ("", "")
    return KeyUse(
        key["AccessKeyId"], key["Status"] == "Active", key["CreateDate"], last, service, region
    )
