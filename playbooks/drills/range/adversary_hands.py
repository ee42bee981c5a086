"""What the attacker holds, and each call it makes with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from playbooks.drills.range.keys import Credentials
    from playbooks.drills.range.world import World

# "Not you", as the services say it; any other error means that the call was let through.
REFUSALS = {
    *("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthFailure"),
    *("InvalidClientTokenId", "InvalidAccessKeyId", "UnrecognizedClientException"),
    *("ExpiredToken", "ExpiredTokenException", "SignatureDoesNotMatch"),
}
# These prove nothing, and do not count: STS answers the first two also to those who are denied
# everything, and a session of a role that is denied everything can still be had from outside.
PROVES_NOTHING = {"GetCallerIdentity", "GetSessionToken", "AssumeRole"}
# Its calls wait for nobody, and are not tried again on their own.
ONCE = Config(retries={"total_max_attempts": 1}, parameter_validation=False)


@dataclass(frozen=True, slots=True)
class Held:
    """A credential that the attacker got. `of` says whose: user/NAME, role/NAME or outside.

    `lasting` is False for sessions; `foreign` for what belongs to the attacker's own account.
    """

    credentials: Credentials
    of: str
    lasting: bool = True
    foreign: bool = False


@dataclass(slots=True)
class Hands:
    """Makes calls with a credential in hand, and counts those that got through.

    `successes` are the epoch seconds (the world's) of calls that needed a permission in the
    victim's account and had it; `calls` counts all.
    """

    world: World
    successes: list[float] = field(default_factory=list)
    calls: int = 0
    held: Held | None = None
    refused: bool = False
    _session: Any = None
    _clients: dict[str, Any] = field(default_factory=dict)

    def take(self, held: Held) -> None:
        """Use this credential from now on; clients are made once and change keys, as they are dear
        to make."""
        self.held = held
        if self._session is None:
            self._session = self.world.session(held.credentials)
        worn = self._session.get_credentials()
        worn.access_key = held.credentials.access_key
        worn.secret_key = held.credentials.secret_key
        worn.token = held.credentials.token or None

    def call(self, service: str, operation: str, **params: Any) -> dict[str, Any] | None:
        """The answer, or None when there is an error; `refused` tells a refusal from any other."""
        client = self._client(service)
        act: Callable[..., dict[str, Any]] = getattr(client, operation)
        self.calls += 1
        self.refused = False
        try:
            answer = act(**params)
        except ClientError as error:
            self.refused = error.response["Error"]["Code"] in REFUSALS
            return None
        name = client.meta.method_to_api_mapping[operation]
        if name not in PROVES_NOTHING and self.held is not None and not self.held.foreign:
            self.successes.append(self.world.ground.seconds())
        return answer

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self._session.client(service, config=ONCE)
        return self._clients[service]
