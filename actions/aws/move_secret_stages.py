"""Let consumers read another version of a secret: the one that was put and tried."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from actions.action import Foreseen, Lens, Takes
from actions.aws.clients import Aws
from actions.aws.key_shape import opened
from actions.aws.secret import (
    ARN,
    CURRENT,
    PREVIOUS,
    READING,
    Secret,
    describe,
    labels,
    value_of,
)
from actions.errors import ProviderError, UnfitError
from actions.journal import Json, State
from actions.permission import Permission


@dataclass(frozen=True)
class MoveSecretStages(Lens[Aws]):
    """Move AWSCURRENT to version `to`; AWSPREVIOUS goes to the one that was current.

    State: `labels` is {"AWSCURRENT": version id, "AWSPREVIOUS": version id or None}. They are one
    key, for AWSPREVIOUS follows AWSCURRENT by itself and is set apart on the way back only
    (Secrets Manager API reference, "UpdateSecretVersionStage"). AWSPENDING stays where it is, on
    the version that is new. Where the provider knows how to log in with the secret, that is tried
    before: a version that opens nothing does not become current. `to` is empty in a plan that is
    made before there is a version.
    """

    secret: Secret
    to: str = ""

    takes: ClassVar[Takes] = "access"
    permissions: ClassVar = (
        *READING,
        Permission("secretsmanager:UpdateSecretVersionStage", ARN),
    )

    @property
    def target(self) -> str:
        return self.secret.key

    def read(self, p: Aws) -> Mapping[str, Json]:
        found = labels(describe(p, self.secret))
        return {"labels": {label: found.get(label) for label in (CURRENT, PREVIOUS)}}

    def wanted(self, before: State) -> State:
        current = before["labels"][CURRENT]
        if current == self.to:
            return dict(before)
        return {"labels": {CURRENT: self.to, PREVIOUS: current}}

    def transit(self, before: State) -> Mapping[str, Iterable[Json]]:
        return {"labels": ({CURRENT: before["labels"][CURRENT], PREVIOUS: self.to},)}

    def write(self, p: Aws, key: str, value: Json) -> None:
        for label in (CURRENT, PREVIOUS):
            found = labels(describe(p, self.secret))
            now = found.get(label)
            # AWSPREVIOUS is set apart only once AWSCURRENT, which it follows, is seen to be there.
            if now == value[label] or (label == PREVIOUS and found.get(CURRENT) != value[CURRENT]):
                continue
            move: dict[str, Any] = {"SecretId": self.secret.name, "VersionStage": label}
            move |= {"RemoveFromVersionId": now} if now else {}
            move |= {"MoveToVersionId": value[label]} if value[label] else {}
            p.secretsmanager.update_secret_version_stage(**move)

    def foresee(self, p: Aws, before: State) -> Foreseen:
        current, previous = before["labels"][CURRENT], before["labels"][PREVIOUS]
        if self.to:
            self._must_open(p)
        if current is None:
            raise UnfitError(
                f"secret {self.secret.name} has no current version, so there is nothing to go "
                "back to. Put a first value (PutSecretValue)."
            )
        loses = (f"version {previous} has no label any more, and Secrets Manager may delete it",)
        return Foreseen(
            (f"whoever reads {self.secret.name} from then on gets another value",),
            loses if previous not in (None, self.to) else (),
        )

    def _must_open(self, p: Aws) -> None:
        """Raise unless the version is there and, where it can be tried, lets somebody in."""
        text = value_of(p, self.secret, self.to)
        login = p.logins.get(self.secret.key)
        if login and not login(opened(text, self.secret.name)):
            raise ProviderError(
                "login",
                "Refused",
                f"version {self.to} of secret {self.secret.name} does not let anybody in, so it "
                "does not become current. See whether the password was set where it is used.",
                passing=True,
            )
