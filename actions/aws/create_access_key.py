"""Make a user's next access key, put its secret where its consumers read, and forget it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from actions.action import Foreseen, Takes
from actions.aws.access_keys import LOOKING, SLOTS, USER, described, keys_of, used
from actions.aws.clients import Aws
from actions.aws.key_in_vault import InVault
from actions.aws.key_store import InSecretsManager, KeyStore, token
from actions.aws.principal import Principal
from actions.aws.secret import PUTTING, READING, Secret
from actions.errors import ProviderError, UnfitError
from actions.journal import State
from actions.one_way import OneWay, Result, Underway
from actions.permission import Permission

TAG = "stanch:new-access-key"
ONLY_OURS: Mapping[str, Mapping[str, str | list[str]]] = {
    "ForAllValues:StringEquals": {"aws:TagKeys": [TAG]},
    "Null": {"aws:TagKeys": "false"},
}
# As many as are remembered in the tag's 256 characters, with room for the mark.
LOST_AT_MOST = 8


@dataclass(frozen=True)
class CreateAccessKey(OneWay[Aws]):
    """Create an access key, and put its secret into `into` before anything else is done with it.

    `into` is account/region/secret/name of Secrets Manager, or vault/vault/mount/path of a KV
    engine in the Vault of that name, where consumers read it once it was tried. `known` are the
    ids of the keys that the user had when this was planned. The secret is in this process's
    memory between two calls and nowhere else. A key whose secret a crash lost on that way is
    deleted, named as an orphan, and made again: nobody can have it, which is checked by its never
    having been used. The user's tag `stanch:new-access-key` tells a key that this act lost from
    one that somebody else made. The result is {"key", "version", "into", "orphans": [key ids]},
    and there is one only once the key opens AWS, where that can be tried; a new one does not at
    once (IAM User Guide, "Changes that I make are not always immediately visible").
    """

    principal: Principal
    into: str
    known: tuple[str, ...]

    destroys: ClassVar = False
    takes: ClassVar[Takes] = "nothing"
    window: ClassVar[float] = 30.0
    remakes: ClassVar[bool] = True
    permissions: ClassVar = (
        *LOOKING,
        Permission("iam:ListUserTags", USER),
        Permission("iam:TagUser", USER, ONLY_OURS),
        Permission("iam:CreateAccessKey", USER),
        Permission("iam:DeleteAccessKey", USER),
        *READING,
        *PUTTING,
    )

    @property
    def target(self) -> str:
        return self.principal.key

    def facts(self, p: Aws) -> Result:
        return {"keys": [str(key) for key in described(p, self.principal)]}

    def foresee(self, p: Aws, before: State) -> Foreseen:
        there = keys_of(p, self.principal)
        self._none_unknown(set(there) - {*self.known})
        if len(there) >= SLOTS:
            raise UnfitError(
                f"user {self.principal.name} has {' and '.join(before['keys'])}, and IAM allows "
                f"{SLOTS} access keys. Delete one first (delete_access_key)."
            )
        store = self._store(p)
        store.free()
        store.frame()
        return Foreseen(
            (
                f"user {self.principal.name} gets a second access key; the first goes on",
                f"its secret goes to {self.into}, and consumers read it only once it was tried",
            )
        )

    def do(self, p: Aws, mark: str, approval: str | None) -> None:
        store = self._store(p)
        begun, orphans = self._noted(p, mark)
        new = [key for key in keys_of(p, self.principal) if key not in self.known]
        held = [key for key in new if store.holds(mark, key)]
        lost = [key for key in new if key not in held[-1:]]
        if not begun:
            self._none_unknown(set(lost) - {*held})
        if not begun or lost:
            self._note(p, mark, [*orphans, *lost])
        for key in lost:
            p.iam.delete_access_key(UserName=self.principal.name, AccessKeyId=key)
        if held:
            if self._opens(p, store, mark, held[-1]):
                store.publish(mark, held[-1])
            return
        # Before there is a key: it must not be lost for want of a place.
        frame = store.frame()
        made = p.iam.create_access_key(UserName=self.principal.name)["AccessKey"]
        store.put(mark, frame, made["AccessKeyId"], made["SecretAccessKey"])

    def find(self, p: Aws, mark: str) -> Result | Underway | None:
        store = self._store(p)
        there = keys_of(p, self.principal)
        new = [key for key in there if key not in self.known]
        held = [key for key in new if there[key] and store.holds(mark, key)]
        if not held:
            return None
        key, version = held[-1], store.version(mark, held[-1])
        lost = len(new) - 1
        if lost or version is None or not self._opens(p, store, mark, key):
            return Underway(lost + 1)
        _, orphans = self._noted(p, mark)
        return {"key": key, "version": version, "into": self.into, "orphans": orphans}

    def _store(self, p: Aws) -> KeyStore:
        place, region, rest = self.into.split("/", 2)
        kind, _, name = rest.partition("/")
        if region == "vault" and name:
            return InVault(p.vault(place), kind, name)
        if kind != "secret":
            raise UnfitError(
                f"{self.into!r} is no place for an access key. Expected "
                "account/region/secret/name, or vault/vault/mount/path."
            )
        return InSecretsManager(p, Secret(place, region, name))

    def _opens(self, p: Aws, store: KeyStore, mark: str, key: str) -> bool:
        """Return whether the key opens AWS; what cannot be tried here is taken to."""
        if (login := p.logins.get("access_key")) is None:
            return True
        key_id, secret = store.held(mark, key)
        return login({"id": key_id, "secret": secret})

    def _none_unknown(self, keys: Iterable[str]) -> None:
        if keys := sorted(keys):
            raise UnfitError(
                f"user {self.principal.name} has got access key {', '.join(keys)} since this was "
                "planned, and not from Stanch. Look at who made it (CloudTrail); then plan anew."
            )

    def _noted(self, p: Aws, mark: str) -> tuple[bool, list[str]]:
        """Return whether this act has begun, and the keys that it lost."""
        pages = p.iam.get_paginator("list_user_tags").paginate(UserName=self.principal.name)
        tags = {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}
        ours, *orphans = tags.get(TAG, "").split() or [""]
        begun = ours == token(mark)[:16]
        return begun, orphans if begun else []

    def _note(self, p: Aws, mark: str, lost: Iterable[str]) -> None:
        """Write down that this act begins, and what it lost; raise unless that can be read back."""
        orphans = list(dict.fromkeys(lost))
        for key in orphans:
            if there := used(p, key) if key in keys_of(p, self.principal) else "":
                raise UnfitError(
                    f"access key {key} of user {self.principal.name} came up while a new one was "
                    f"made, and was used {there}: it is somebody else's, and was left alone. Look "
                    "at who made it (CloudTrail)."
                )
        if len(orphans) > LOST_AT_MOST:
            raise UnfitError(
                f"{len(orphans)} new access keys of user {self.principal.name} were lost on the "
                f"way to {self.into}. Look at why none gets there before another is made."
            )
        value = " ".join([token(mark)[:16], *orphans])
        p.iam.tag_user(UserName=self.principal.name, Tags=[{"Key": TAG, "Value": value}])
        if self._noted(p, mark) != (True, orphans):
            raise ProviderError("TagUser", "NotYet", f"{TAG} does not show yet", passing=True)
