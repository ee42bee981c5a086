"""Let consumers read another version of a secret: the one that was put and tried."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from actions.action import Foreseen, Lens, Takes
from actions.aws.clients import Aws
from actions.aws.key_shape import key_of, opened
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
    limit: ClassVar[float] = 60.0
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
            if label == CURRENT:
                self._must_open_aws(p, value[label])
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

    def _must_open_aws(self, p: Aws, version: str) -> None:
        """Raise where the version holds an access key that opens nothing, or nothing yet.

        On the way back, too: one that was just turned on again binds some seconds later.
        """
        if login := p.logins.get("access_key"):
            key, secret = key_of(value_of(p, self.secret, version))
            if key and not login({"id": key, "secret": secret}):
                self._refuse(version, "See whether the key is active.")

    def _must_open(self, p: Aws) -> None:
        """Raise unless the version is there and, where it can be tried, lets somebody in."""
        text = value_of(p, self.secret, self.to)
        login = p.logins.get(self.secret.key)
        if login and not login(opened(text, self.secret.name)):
            self._refuse(self.to, "See whether the password was set where it is used.")

    def _refuse(self, version: str, hint: str) -> None:
        raise ProviderError(
            "login",
            "Refused",
            f"version {version} of secret {self.secret.name} does not let anybody in, so it does "
            f"not become current. {hint}",
            passing=True,
        )
