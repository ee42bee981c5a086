"""A simulated AWS, faithful where containment needs it: one WSGI application over moto.

    world = World(account="111122223333", region="eu-west-1", seed=7)
    ec2 = world.session(world.admin).client("ec2")        # in this process, no socket
    with serve(world) as endpoint:                        # or over HTTP (server.py)
        boto3.client("ec2", endpoint_url=endpoint, ...)

Every request must be signed with a key the world knows; IAM policies are evaluated for it; what
moto gets wrong is put right (corrections/); faults can be injected (injectors.py). The in-process
transport has no threads, so after `os.fork()` a child owns a copy of the whole world. moto keeps
its state in module globals: a new World resets it, and the one before must not be used again.
"""

from __future__ import annotations

import random
import time
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

import boto3
import botocore.session
from botocore.config import Config
from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.moto_api._internal import mock_random
from moto.organizations.models import organizations_backends

from playbooks.drills.range import bridge, keys, wire
from playbooks.drills.range.corrections.catalogue import mend
from playbooks.drills.range.corrections.databases import logs_in
from playbooks.drills.range.corrections.protection import shut_down_from_inside
from playbooks.drills.range.corrections.reserved_roles import sign_in
from playbooks.drills.range.digest import digest
from playbooks.drills.range.errors import StaleWorldError, UnknownThingError
from playbooks.drills.range.flows import Flow, open_flow
from playbooks.drills.range.front import Front
from playbooks.drills.range.ground import Ground, no_public_images
from playbooks.drills.range.inprocess import transport
from playbooks.drills.range.keys import Credentials, Issued, Principal
from playbooks.drills.range.metadata import session_of
from playbooks.drills.range.network import can_connect, can_egress
from playbooks.drills.range.organisation import join
from playbooks.drills.range.passing import let_pass
from playbooks.drills.range.propagation import Delays, Lag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from botocore.loaders import Loader

    from playbooks.drills.range.calls import Call
    from playbooks.drills.range.injectors import Fault

INTERNAL_KEY = "ASIAAWSINTERNALXXXXX"


@cache
def loader() -> Loader:
    """Return the loader of AWS's service models that all sessions of this process share."""
    made: Loader = botocore.session.Session().get_component("data_loader")
    return made


def _forget_earlier_worlds() -> None:
    """Drop all of moto's state, and what its reset itself makes again on the way."""
    registry: Any = BackendDict
    known = list(registry._instances)
    with no_public_images():
        registry.reset()
    for backends in known:
        backends.clear()
    # Who is whose member is kept beside the backends, and moto's reset does not reach it.
    organizations_backends.master_accounts.clear()
    reset_model_data()


class World:
    """One AWS: `account` is home, other accounts exist as soon as they are named.

    `admin` are the home account's root keys. `calls` lists every request received.
    `clock` gives epoch seconds; `tick` moves the world's time on from it. `propagation` (seconds,
    lowest and highest) delays what is written to IAM (see `delay`); without it all binds at once.
    """

    newest: ClassVar[World | None] = None

    def __init__(
        self,
        account: str = "111122223333",
        region: str = "eu-west-1",
        seed: int = 0,
        clock: Callable[[], float] = time.time,
        propagation: tuple[float, float] | None = None,
    ) -> None:
        _forget_earlier_worlds()
        mock_random.seed(seed)
        World.newest = self
        # Ids and keys must repeat for a seed; nothing here protects anything.
        rng = random.Random(seed)  # noqa: S311
        self.ground = Ground(account, region, clock, rng, self.perform, seed)
        mend(self.ground)
        self.ground.settle(account, region, "autoscaling")
        self.ground.touch(account, region, "autoscaling")
        self.ground.touch(account, region, "iam")
        self.calls: list[Call] = self.ground.calls
        self.front = Front(self.ground, seed)
        self.admin = self.root_of(account)
        if propagation is not None:
            self.delay(*propagation)

    @property
    def account(self) -> str:
        """The home account's id."""
        return self.ground.account

    @property
    def region(self) -> str:
        """The home region."""
        return self.ground.region

    def now(self) -> datetime:
        """The world's time, aware UTC; the Date header of every answer follows it."""
        return self.ground.now()

    def tick(self, seconds: float) -> None:
        """Let `seconds` of the world's time pass, with what AWS does meanwhile (passing.py)."""
        self._check_newest()
        with self.front.lock:
            let_pass(self.ground, seconds)

    def delay(
        self,
        low: float,
        high: float,
        scp: tuple[float, float] = (0.5, 2.0),
        seed: int | None = None,
    ) -> None:
        """Let what is written to IAM from now on bind after `low` to `high` seconds of the world's
        time, and what is written to service control policies after `scp` (propagation.py)."""
        chosen = self.ground.seed if seed is None else seed
        self.ground.lag = Lag(self.ground, Delays((low, high), scp), chosen)

    def root_of(self, account: str) -> Credentials:
        """New root keys of an account (12 digits); the account needs no other preparation."""
        made = keys.make(self.ground.rng, temporary=False)
        arn = f"arn:aws:iam::{account}:root"
        self.issue(made, Principal("root", account, arn, account, "root"))
        return made

    def issue(self, credentials: Credentials, principal: Principal) -> None:
        """Let these credentials stand for this principal."""
        self.ground.issued[credentials.access_key] = Issued(credentials, principal)

    def session(self, credentials: Credentials, region: str = "") -> boto3.session.Session:
        """A boto3 session whose clients reach this world in-process, without sockets."""
        core: Any = botocore.session.Session()
        # Parsing EC2's model takes 0.2 s; one loader keeps it for all sessions.
        core.register_component("data_loader", loader())
        core.register("before-send", transport(self.handle))
        return boto3.session.Session(
            aws_access_key_id=credentials.access_key,
            aws_secret_access_key=credentials.secret_key,
            aws_session_token=credentials.token or None,
            region_name=region or self.region,
            botocore_session=core,
        )

    def client(self, service: str, credentials: Credentials, region: str = "") -> Any:
        """A boto3 client that reaches this world in-process."""
        session: Any = self.session(credentials, region)
        # Addresses that carry their signature are signed as AWS wants them today.
        signed = Config(signature_version="s3v4") if service == "s3" else None
        return session.client(service, config=signed)

    def perform(
        self,
        model_name: str,
        operation: str,
        params: dict[str, Any],
        region: str = "",
        account: str = "",
    ) -> dict[str, Any]:
        """Do something as AWS itself would, without authorization; the result in boto3's shape.

        Raises AwsError. Used by corrections and by `tick`.
        """
        asked = wire.ask(
            model_name,
            operation,
            params,
            region=region or self.region,
            access_key=INTERNAL_KEY,
            account=account or self.account,
        )
        return wire.result_of(asked, self.front.inner.answer(asked))

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """The WSGI application."""
        answer = self.handle(environ)
        start_response(
            f"{answer.status} {'OK' if answer.status < 300 else 'Error'}",
            list(answer.headers.items()),
        )
        return [answer.body]

    def handle(self, environ: dict[str, Any]) -> wire.Answer:
        """Answer one request (a WSGI environ); never raises for what a client sends."""
        self._check_newest()
        return self.front.handle(environ)

    def deliver(self, event: Mapping[str, Any], queue: str, rule: str) -> str:
        """Put an event into a queue as EventBridge does for a rule; returns the message's id.

        `queue` and `rule` are ARNs. The queue's own policy must let events.amazonaws.com send for
        this rule: raises AwsError AccessDenied otherwise (EventBridge would drop the event).
        """
        with self.front.lock:
            sent = bridge.deliver(self.ground, event, queue, rule)
            self.front.arrived.notify_all()
            return sent

    def inject(self, fault: Fault, operation: str, nth: int = 1, times: int = 1) -> None:
        """Play a fault (injectors.py) at the nth call of an operation from now ("*" is any)."""
        self.front.faults.order(fault, operation, nth, times)

    def _check_newest(self) -> None:
        if World.newest is not self:
            raise StaleWorldError(
                "a newer World has taken over moto's state in this process; use that one, "
                "or make worlds one after the other"
            )

    def attach_scps(self, account: str, *levels: tuple[Mapping[str, Any], ...]) -> None:
        """Put an account under service control policies, one tuple of documents a level, root
        first; none at all takes it out of its organisation."""
        self.ground.kept.scps[account] = levels

    def join(self, account: str, management: str = "", parent: str = "") -> None:
        """Put an account into the organisation of `management` (home's, unless told otherwise),
        under the unit `parent` or the root, as one that was invited and has accepted."""
        with self.front.lock:
            join(management or self.account, account, parent)
            if self.ground.lag is not None:
                self.ground.lag.observe()

    def can_connect(
        self, source: str, instance_id: str, port: int, protocol: str = "tcp", *, v6: bool = False
    ) -> bool:
        """Whether `source` (address, CIDR block or group id) may open `port` on the instance."""
        ec2 = self.ground.ec2()
        return can_connect(ec2, source, self._instance(instance_id), port, protocol, v6=v6)

    def can_egress(self, instance_id: str, target: str, port: int, protocol: str = "tcp") -> bool:
        """Whether the instance may open a connection to `target` (an address or CIDR block)."""
        return can_egress(self.ground.ec2(), self._instance(instance_id), target, port, protocol)

    def sign_in(self, user_id: str, permission_set: str, account: str = "") -> Credentials:
        """Session keys that Identity Center's portal gives a user (an id) for a permission set (an
        ARN) in an account. Raises UnknownThingError where it is not assigned to the user."""
        with self.front.lock:
            return sign_in(self.ground, user_id, permission_set, account or self.account)

    def logs_in(self, database: str, user: str, password: str) -> bool:
        """Whether an RDS instance at home lets its master user in with this password now."""
        return logs_in(self.ground, database, user, password)

    def open_flow(self, instance_id: str, peer: str, port: int, **how: Any) -> Flow:
        """Open a connection that can outlive a change of rules (flows.py: open_flow)."""
        return open_flow(self.ground, instance_id, peer, port, **how)

    def shut_down_from_inside(self, instance_id: str) -> None:
        """The guest shuts itself down: its shutdown behaviour decides what becomes of it."""
        self._instance(instance_id)
        shut_down_from_inside(self.ground, instance_id)

    def _instance(self, instance_id: str) -> Any:
        self._check_newest()
        for instance in self.ground.ec2().all_instances():
            if instance.id == instance_id:
                return instance
        raise UnknownThingError(f"there is no instance {instance_id} in this world")

    def digest(self) -> str:
        """A hash (hex) of all state that containment can change or see (digest.py)."""
        self._check_newest()
        return digest(self.ground)

    def instance_credentials(self, instance_id: str, *, renewed: bool = False) -> Credentials:
        """What the instance's metadata service would hand out now: its role's session keys.

        AWS: Retrieve security credentials from instance metadata. Temporary (ASIA) keys, six
        hours long; the same ones until five minutes before they end or the profile changes.
        `renewed` gives new ones at once; those before go on until they end.
        Raises UnknownThingError when there is no such instance or it has no profile.
        """
        return session_of(self.ground, instance_id, renewed=renewed)
