"""Read what a SIEM sends: our own small form of a finding, or GuardDuty's unchanged."""

import hashlib
import ipaddress
import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from playbooks.intake.alert import Alert, Resource, ResourceKind, severity_id
from playbooks.intake.errors import FieldError
from playbooks.intake.identifiers import PATTERNS
from playbooks.intake.printable import printable
from playbooks.intake.read import is_guardduty, read_document
from playbooks.intake.strict_json import Json, read_object

SKEW: Final = timedelta(minutes=5)
# RFC 3339 section 5.6, with the capital T and Z that every sender writes.
_RFC3339: Final = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII
)
# One of these stands at the top of whatever GuardDuty sends, and never in our form.
_GUARDDUTY: Final = {"detail", "findings", "Findings", "accountId", "AccountId"}
_SPELLED: Final[dict[ResourceKind, str]] = {
    "instance": "instance id",
    "access_key": "access key id",
    "role": "role name",
    "bucket": "bucket name",
    "object": "bucket name",
}


def _text(name: str, limit: int, pattern: re.Pattern[str] | None = None) -> AfterValidator:
    def check(text: str) -> str:
        printable(name, text, limit)
        if not text or (pattern and not pattern.fullmatch(text)):
            raise ValueError(f"not spelled as a {name}")
        return text

    return AfterValidator(check)


def _spelled(name: str, limit: int) -> AfterValidator:
    return _text(name, limit, PATTERNS[name])


def _moment(given: object) -> datetime:
    if not isinstance(given, str) or not _RFC3339.fullmatch(given):
        raise ValueError("no time such as 2026-01-31T23:59:59Z")
    try:
        return datetime.fromisoformat(given).astimezone(UTC)
    except OverflowError as error:
        raise ValueError("no time that can be told in UTC") from error


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError("no IP address") from None


_Moment: TypeAlias = Annotated[datetime, BeforeValidator(_moment)]
_Address: TypeAlias = Annotated[str, AfterValidator(_address)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Thing(_Strict):
    kind: ResourceKind
    uid: Annotated[str, _spelled("resource name", 512)]


class _Finding(_Strict):
    uid: Annotated[str, _spelled("finding id", 64)]
    type: Annotated[str, _text("finding type", 128)]
    title: Annotated[str, _text("title", 1024)]
    severity: float = Field(ge=1, le=10)
    account: Annotated[str, _spelled("account", 12)]
    region: Annotated[str, _spelled("region", 32)]
    resource: _Thing
    first_seen: _Moment
    last_seen: _Moment
    count: int = Field(default=1, ge=1, lt=2**53)
    sample: bool = False
    remote_ips: list[_Address] = Field(default=[], max_length=64)


def read_generic(data: bytes, sender: str, *, received: datetime) -> Alert:
    """Return the alert that `sender` sent as `data` (UTF-8 JSON), received at an aware time.

    A GuardDuty finding keeps its own source, so that it is the same finding by whatever way it
    comes; what is in our form has the source `siem:SENDER`. Raises IntakeError and nothing else.
    """
    document = read_object(data)
    if document.keys() & _GUARDDUTY and is_guardduty(document):
        return read_document(document, data, received=received)
    return _alert(_parsed(document), data, sender, received)


def _parsed(document: dict[str, Json]) -> _Finding:
    try:
        return _Finding.model_validate(document)
    except ValidationError as error:
        # What is wrong and where, never what was sent: a reason is read by people.
        found = error.errors(include_url=False, include_context=False, include_input=False)
        wrong = "; ".join(f"{_where(one['loc'])}: {one['msg']}" for one in found[:5])
        raise FieldError(
            f"The finding is not in our form: {wrong[:600]}. Expected: uid, type, title, severity"
            " (1-10), account, region, resource {kind, uid}, first_seen, last_seen (RFC 3339);"
            " count, sample and remote_ips if known. Correct the sender's template."
        ) from None


def _where(path: tuple[int | str, ...]) -> str:
    return ascii(".".join(map(str, path))[:40])[1:-1]


def _alert(found: _Finding, data: bytes, sender: str, received: datetime) -> Alert:
    _check_times(found, received)
    return Alert(
        source=f"siem:{sender}",
        uid=found.uid,
        finding_type=found.type,
        title=found.title,
        severity=found.severity,
        severity_id=severity_id(found.severity),
        account=found.account,
        region=found.region,
        partition=_partition(found.region),
        resource=_resource(found.resource),
        first_seen=found.first_seen,
        last_seen=found.last_seen,
        received=received,
        count=found.count,
        sample=found.sample,
        archived=False,
        resource_role=None,
        connection_direction=None,
        remote_ips=tuple(dict.fromkeys(found.remote_ips)),
        raw_sha256=hashlib.sha256(data).hexdigest(),
    )


def _check_times(found: _Finding, received: datetime) -> None:
    if found.last_seen < found.first_seen or found.last_seen > received + SKEW:
        raise FieldError(
            "The finding's last_seen lies before its first_seen or in the future; times in order"
            " and not ahead of ours were expected. Check the sender's clock and template."
        )


def _resource(thing: _Thing) -> Resource:
    spelled = _SPELLED.get(thing.kind)
    if spelled and not PATTERNS[spelled].fullmatch(thing.uid):
        raise FieldError(
            f"The finding's resource.uid is not spelled as AWS spells the {spelled} of a"
            f" {thing.kind}. Send the id itself, not a name or an ARN."
        )

    def of(kind: ResourceKind) -> str | None:
        return thing.uid if thing.kind == kind else None

    return Resource(
        thing.kind,
        thing.uid,
        instance_id=of("instance"),
        access_key_id=of("access_key"),
        role_name=of("role"),
    )


def _partition(region: str) -> str:
    by_region = {"cn": "aws-cn", "us-gov": "aws-us-gov"}
    return next((p for r, p in by_region.items() if region.startswith(f"{r}-")), "aws")
