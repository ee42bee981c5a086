"""AWS sessions: one per account, assumed with an external id, and checked before use."""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import (
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)
from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

from playbooks.errors import SettingsError
from playbooks.wiring.gated import gated
from playbooks.wiring.settings import Settings, resolve

# Adaptive: the client slows down by itself when the account's API buckets run dry
# (boto3 guide, "Retries", adaptive mode).
CONFIG = Config(
    retries={"mode": "adaptive", "max_attempts": 6},
    connect_timeout=5,
    read_timeout=20,
    user_agent_extra="stanch",
    # One for each thread of the pool (wiring/parts.py); ten, the default, made and dropped others.
    max_pool_connections=64,
)

# What a service needs besides. S3: an address that is signed the old way covers no header, and
# would let what was uploaded be overwritten. Systems Manager: SendCommand takes no client token, so
# a client that tries again by itself could run a command twice; the engine looks first.
APART = {
    "s3": Config(signature_version="s3v4"),
    "ssm": Config(retries={"total_max_attempts": 1}),
}


class Sessions:
    """Makes boto3 clients for the accounts in the settings; one session an account."""

    def __init__(
        self, settings: Settings, now: Callable[[], datetime], config: Config = CONFIG
    ) -> None:
        self._settings = settings
        self._config = config
        self._now = now
        self._sessions: dict[str, boto3.Session] = {}
        self._clients: dict[tuple[str, str, str], Any] = {}
        # Making clients is not thread-safe (boto3 guide, "Multithreading with sessions").
        self._lock = threading.RLock()
        self._own: set[str] = set()

    def maker(self, account: str, region: str) -> Callable[[str], Any]:
        """Return a function from service name to client. Raise SettingsError if not ours."""
        self._refuse_foreign(account)
        session = self._session(account)

        def make(service: str) -> Any:
            key = (account, region, service)
            with self._lock:
                if key not in self._clients:
                    self._clients[key] = self._client(session, service, region)
                return self._clients[key]

        return make

    def storing(self, account: str, region: str, config: Config, endpoint: str | None) -> Any:
        """Return an S3 client that no gate stops: evidence is kept in a freeze, too."""
        with self._lock:
            return self._session(account).client(
                "s3",
                region_name=region,
                config=self._config.merge(config),
                endpoint_url=endpoint or self._settings.aws_endpoint,
            )

    def signing(self, account: str, region: str, config: Config) -> Any:
        """Return a KMS client that no gate stops. Raise SettingsError if not ours."""
        self._refuse_foreign(account)
        key = (account, region, "kms, ungated")
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._session(account).client(
                    "kms",
                    region_name=region,
                    config=self._config.merge(config),
                    endpoint_url=self._settings.aws_endpoint,
                )
            return self._clients[key]

    def _refuse_foreign(self, account: str) -> None:
        if account not in self._settings.accounts:
            raise SettingsError(
                f"account {account} is not in the settings; nothing was touched there. "
                f'Add [accounts."{account}"] to stanch.toml if it is yours.'
            )

    def own(self) -> frozenset[str]:
        """Return the ARNs and ids of the role and host that Stanch runs as, known so far."""
        return frozenset(self._own)

    def _client(self, session: boto3.Session, service: str, region: str) -> Any:
        apart = APART.get(service)
        if service == "s3" and not self._settings.aws_endpoint:
            # Else an address names no region, and a young bucket answers it with a redirect.
            apart = Config(signature_version="s3v4", s3={"addressing_style": "virtual"})
        made = session.client(  # type: ignore[call-overload]
            service,
            region_name=region,
            config=self._config.merge(apart) if apart else self._config,
            endpoint_url=self._settings.aws_endpoint,
        )
        return gated(made)

    def _session(self, account: str) -> boto3.Session:
        with self._lock:
            if account not in self._sessions:
                own = boto3.Session()
                self._recognise(self._sts(own, account))
                role = self._settings.accounts[account].role
                session = own if role is None else self._assumed(own, account, role)
                self._check(session, account)
                self._sessions[account] = session
            return self._sessions[account]

    def _assumed(self, own: boto3.Session, account: str, role: str) -> boto3.Session:
        """Return a session whose credentials are assumed anew before they expire."""
        sts = self._sts(own, account)

        def assume() -> dict[str, Any]:
            reference = self._settings.accounts[account].external_id
            setting = f"accounts.{account}.external_id"
            more = {"ExternalId": resolve(reference, setting)} if reference else {}
            try:
                answer = sts.assume_role(RoleArn=role, RoleSessionName="stanch", **more)
            except (ClientError, BotoCoreError) as error:
                raise SettingsError(
                    f"cannot assume {role}: {_short(error)}. "
                    + _advice(error, "its trust policy, the external id and Stanch's credentials")
                ) from None
            given = answer["Credentials"]
            return {
                "access_key": given["AccessKeyId"],
                "secret_key": given["SecretAccessKey"],
                "token": given["SessionToken"],
                "expiry_time": given["Expiration"].isoformat(),
            }

        core = botocore.session.Session()
        core.register_component(
            "credential_provider", CredentialResolver([_Assumed(assume, self._now)])
        )
        return boto3.Session(botocore_session=core)

    def _recognise(self, sts: Any) -> None:
        """Remember who Stanch is; a host's session is named after the instance."""
        try:
            arn = str(sts.get_caller_identity()["Arn"])
        except (ClientError, BotoCoreError):
            return  # No usable credentials: `_check` or `_assumed` says so, and how to mend it.
        self._own.add(arn)
        kind, _, rest = arn.rpartition(":")[2].partition("/")
        if kind == "assumed-role":
            role, _, name = rest.partition("/")
            account = arn.split(":")[4]
            self._own |= {f"{account}:role/{role}"} | ({name} if name.startswith("i-") else set())

    def _check(self, session: boto3.Session, account: str) -> None:
        try:
            found = self._sts(session, account).get_caller_identity()["Account"]
        except (ClientError, BotoCoreError) as error:
            raise SettingsError(
                f"no usable credentials for account {account}: {_short(error)}. "
                + _advice(error, "Stanch's own (the AWS_... variables, or the role of its host)")
            ) from None
        if found != account:
            raise SettingsError(
                f"the session for account {account} is in account {found}. "
                "Check the role ARN in stanch.toml."
            )

    def _sts(self, session: boto3.Session, account: str) -> Any:
        # The account's own region: STS in another partition does not know these credentials.
        regions = self._settings.accounts[account].regions
        return self._client(
            session, "sts", regions[0] if regions else session.region_name or "us-east-1"
        )


class _Assumed(CredentialProvider):
    METHOD = "stanch-assume-role"

    def __init__(self, assume: Callable[[], dict[str, Any]], now: Callable[[], datetime]) -> None:
        super().__init__()
        self._assume = assume
        self._now = now

    def load(self) -> DeferredRefreshableCredentials:
        return DeferredRefreshableCredentials(self._assume, self.METHOD, self._now)


def _advice(error: Exception, what: str) -> str:
    if isinstance(error, ConnectionError | HTTPClientError):
        return "AWS was not reached: check the network, the region and `aws_endpoint`."
    return f"Check {what}."


def _short(error: Exception) -> str:
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "error"))
    return type(error).__name__
