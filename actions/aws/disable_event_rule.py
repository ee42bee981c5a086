"""Keep an EventBridge rule from firing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from actions.action import Foreseen, Lens, Takes
from actions.aws.clients import Aws
from actions.errors import TargetGoneError, UnfitError
from actions.journal import Json, State
from actions.permission import Permission

_RULE = "arn:{partition}:events:{region}:{account}:rule/*"
# The third state of a rule: it also gets CloudTrail's read-only management events. Only PutRule
# sets it, and with it all the rest of the rule (Amazon EventBridge API Reference, "PutRule").
ALL_EVENTS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
KEPT = ("ScheduleExpression", "EventPattern", "Description")


@dataclass(frozen=True)
class DisableEventRule(Lens[Aws]):
    """Disable the rule `rule` of the event bus `bus`; its pattern and targets stay.

    State: `state` is "ENABLED", "DISABLED" or ALL_EVENTS.
    """

    account: str
    region: str
    rule: str
    bus: str = "default"

    takes: ClassVar[Takes] = "service"
    permissions: ClassVar = (
        Permission("events:DescribeRule", _RULE),
        Permission("events:DisableRule", _RULE),
        Permission("events:EnableRule", _RULE),
        Permission("events:PutRule", _RULE),
    )

    @property
    def target(self) -> str:
        return f"{self.account}/{self.region}/rule/{self.bus}/{self.rule}"

    def read(self, p: Aws) -> Mapping[str, Json]:
        return {"state": self._described(p)["State"]}

    def wanted(self, before: State) -> State:
        return {"state": "DISABLED"}

    def write(self, p: Aws, key: str, value: Json) -> None:
        named: Any = {"Name": self.rule, "EventBusName": self.bus}
        if value == "DISABLED":
            p.events.disable_rule(**named)
        elif value == "ENABLED":
            p.events.enable_rule(**named)
        else:
            found = self._described(p)
            kept: Any = {field: found[field] for field in KEPT if found.get(field)}
            p.events.put_rule(**named, **kept, State=value)

    def foresee(self, p: Aws, before: State) -> Foreseen:
        found = self._described(p)
        if by := found.get("ManagedBy"):
            raise UnfitError(
                f"rule {self.rule} is managed by {by}, which alone may change it. Stop what it is "
                "for in that service."
            )
        if found["State"] == ALL_EVENTS and found.get("RoleArn"):
            raise UnfitError(
                f"rule {self.rule} is {ALL_EVENTS} and has a role: giving that back would need the "
                f"right to pass {found['RoleArn']}. Disable it by hand, and note both."
            )
        return Foreseen(blast=(f"nothing that rule {self.rule} starts is started any more",))

    def _described(self, p: Aws) -> Any:
        try:
            return p.events.describe_rule(Name=self.rule, EventBusName=self.bus)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            raise TargetGoneError(
                f"rule {self.rule} does not exist (any more) on event bus {self.bus} in "
                f"{self.region}. Look at who deleted it (CloudTrail)."
            ) from error
