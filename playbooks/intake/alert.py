"""One alert in normal form, named as OCSF names things, whatever machine sent it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias

from playbooks.intake.strict_json import Json

ResourceKind: TypeAlias = Literal[
    "instance",
    "access_key",
    "role",
    "bucket",
    "object",
    "function",
    "database",
    "eks_cluster",
    "ecs_cluster",
    "container",
    "snapshot",
    "image",
    "recovery_point",
    "attack_sequence",
    "unknown",
]
SEVERITY_NAMES = {1: "Informational", 2: "Low", 3: "Medium", 4: "High", 5: "Critical"}
# Lower bound of each band and its OCSF severity_id ("GuardDuty finding severity levels").
_BANDS: Final = ((9.0, 5), (7.0, 4), (4.0, 3))


def severity_id(score: float) -> int:
    """Return the OCSF severity_id, 2 to 5, of a score from 1.0 to 10.0."""
    return next((band for least, band in _BANDS if score >= least), 2)


@dataclass(frozen=True, slots=True)
class Resource:
    """What the finding is about. Ids are as the source gave them; None means it gave none."""

    kind: ResourceKind
    uid: str | None
    """The id that a containment of this kind names: instance id, access key id, role name..."""
    instance_id: str | None = None
    instance_profile_arn: str | None = None
    access_key_id: str | None = None
    principal_id: str | None = None
    user_name: str | None = None
    user_type: str | None = None
    role_name: str | None = None

    def to_json(self) -> dict[str, Json]:
        """Return an OCSF resource: `type`, `uid`, and the ids that are known under `data`."""
        ids: dict[str, Json] = {
            "instance_id": self.instance_id,
            "instance_profile_arn": self.instance_profile_arn,
            "access_key_id": self.access_key_id,
            "principal_id": self.principal_id,
            "user_name": self.user_name,
            "user_type": self.user_type,
            "role_name": self.role_name,
        }
        known: dict[str, Json] = {name: value for name, value in ids.items() if value is not None}
        return {"type": self.kind, "uid": self.uid, "data": known}


@dataclass(frozen=True, slots=True)
class Alert:
    """A finding as its source states it; what it means is decided elsewhere."""

    source: str
    uid: str
    finding_type: str
    title: str
    severity: float
    """1.0 to 10.0, as GuardDuty scales it."""
    severity_id: int
    """OCSF severity_id, 1 (Informational) to 5 (Critical)."""
    account: str
    region: str
    partition: str
    resource: Resource
    first_seen: datetime
    last_seen: datetime
    received: datetime
    count: int
    sample: bool
    archived: bool
    resource_role: str | None
    """ACTOR or TARGET as given; often misleading, see `meaning`."""
    connection_direction: str | None
    """INBOUND, OUTBOUND or UNKNOWN as given."""
    remote_ips: tuple[str, ...]
    """Of the latest occurrence only ("GuardDuty finding aggregation")."""
    raw_sha256: str
    """Hex digest of the bytes received."""
    problems: tuple[str, ...] = ()
    """What was read but cannot be trusted; anything here keeps a person in the loop."""

    @property
    def dedupe_key(self) -> str:
        """The same for every occurrence of one finding, however often it is sent or counted."""
        return ":".join((self.source, self.account, self.region, self.uid))

    def to_json(self) -> dict[str, Json]:
        """Return an OCSF Detection Finding (class 2004) of JSON values, without floats.

        What OCSF has no name for stands under `unmapped`; there `severity_number` is text,
        because canonical JSON in the ledger holds no floats. Times are RFC 3339 in UTC.
        """
        ips: list[Json] = [{"src_endpoint": {"ip": ip}} for ip in self.remote_ips]
        return {
            "class_uid": 2004,
            "class_name": "Detection Finding",
            "metadata": {
                "product": {"name": self.source, "vendor_name": "AWS"},
                "logged_time_dt": _rfc3339(self.received),
            },
            "finding_info": {
                "uid": self.uid,
                "title": self.title,
                "types": [self.finding_type],
                "first_seen_time_dt": _rfc3339(self.first_seen),
                "last_seen_time_dt": _rfc3339(self.last_seen),
            },
            "severity_id": self.severity_id,
            "severity": SEVERITY_NAMES[self.severity_id],
            "status": "Archived" if self.archived else "New",
            "count": self.count,
            "cloud": {
                "provider": "AWS",
                "account": {"uid": self.account},
                "region": self.region,
            },
            "resources": [self.resource.to_json()],
            "evidences": ips,
            "unmapped": {
                "severity_number": str(self.severity),
                "partition": self.partition,
                "sample": self.sample,
                "archived": self.archived,
                "resource_role": self.resource_role,
                "connection_direction": self.connection_direction,
                "dedupe_key": self.dedupe_key,
                "raw_sha256": self.raw_sha256,
                "problems": list(self.problems),
            },
        }


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
