"""The way of one request: read, met by a fault or not, signed, allowed, answered, logged."""

from __future__ import annotations

import random
import time
from email.utils import format_datetime
from threading import Condition
from typing import TYPE_CHECKING, Any
from uuid import UUID

from playbooks.drills.range import wire
from playbooks.drills.range.authorize import authorize
from playbooks.drills.range.bucket_owner import must_be_as_expected
from playbooks.drills.range.calls import Call
from playbooks.drills.range.corrections.queues import patience
from playbooks.drills.range.corrections.trail_record import elements
from playbooks.drills.range.errors import AwsError, UnknownServiceError
from playbooks.drills.range.faults import Faults, PlainStage
from playbooks.drills.range.identity import authenticate
from playbooks.drills.range.implied import completed
from playbooks.drills.range.injectors import Delay
from playbooks.drills.range.inner import Inner
from playbooks.drills.range.organisation import routed
from playbooks.drills.range.targets import is_read
from playbooks.drills.range.usage import note

if TYPE_CHECKING:
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.injectors import Fault
    from playbooks.drills.range.keys import Principal

REPLACED_HEADERS = {"date", "content-length", "x-amzn-requestid"}
# Seconds between two looks at a queue that is waited for.
LOOK_AGAIN = 0.25


class Front:
    """Takes requests one at a time; holds no state of the simulated cloud itself."""

    def __init__(self, ground: Ground, seed: int) -> None:
        self.ground = ground
        self.inner = Inner(ground)
        self.faults = Faults(ground)
        self.lock = ground.lock
        self.arrived = Condition(self.lock)
        # Apart from moto's, so that reading does not change the ids of what is made later.
        self._rng = random.Random(f"requests {seed}")  # noqa: S311

    def handle(self, environ: dict[str, Any]) -> wire.Answer:
        """Answer one request (a WSGI environ); never raises for what a client sends."""
        request_id = str(UUID(int=self._rng.getrandbits(128), version=4))
        try:
            asked = wire.read(environ)
        except UnknownServiceError as error:
            refused = AwsError("UnknownOperationException", str(error), 404)
            return self._dressed(wire.refuse_unparsed(refused), request_id)
        except AwsError as error:
            return self._dressed(wire.refuse_unparsed(error), request_id)
        fault = self.faults.meeting(asked.operation)
        if isinstance(fault, Delay):
            # Before the lock: a slow answer must not hold up other clients.
            fault.sleep(fault.seconds)
        with self.lock:
            self.faults.due(asked)
            principal, answer = self._answer(asked, fault)
            if self.ground.lag is not None and not is_read(asked.operation):
                self.ground.lag.observe()
            if principal and (waits := patience(asked, principal.account)):
                answer = self._polled(asked, answer, time.monotonic() + waits)
            elif asked.service == "sqs":
                self.arrived.notify_all()
            self._log(asked, principal, answer, request_id)
            return self._dressed(answer, request_id)

    def _polled(self, asked: wire.Asked, answer: wire.Answer, end: float) -> wire.Answer:
        """The answer to a long poll: the first that is not empty, or an empty one at its end."""
        while answer.body.strip() == b"{}" and (left := end - time.monotonic()) > 0:
            # Lets go of the lock: others send meanwhile. A hidden message comes back unannounced.
            self.arrived.wait(min(left, LOOK_AGAIN))
            _, answer = self._answer(asked, None)
        return answer

    def _answer(
        self, asked: wire.Asked, fault: Fault | None
    ) -> tuple[Principal | None, wire.Answer]:
        principal: Principal | None = None

        def ready() -> wire.Asked:
            nonlocal principal
            principal = authenticate(self.ground, asked)
            here = completed(wire.of_account(asked, principal.account), principal)
            self.ground.settle(here.account, here.region, here.service)
            authorize(self.ground, here, principal)
            must_be_as_expected(here)
            if here.service == "ec2" and here.params.get("DryRun"):
                raise AwsError(
                    "DryRunOperation",
                    "Request would have succeeded, but DryRun flag is set.",
                    412,
                )
            here = wire.of_account(here, routed(here, here.account))
            if not is_read(here.operation):
                self.ground.touch(here.account, here.region, here.service)
            return here

        try:
            if fault is None:
                answer = self.faults.answered(ready(), self.inner)
            else:
                if not fault.early:
                    ready()
                answer = fault.play(PlainStage(self.faults, self.inner, asked, ready))
        except AwsError as error:
            answer = wire.refuse(asked, error)
        return principal, answer

    def _log(
        self, asked: wire.Asked, principal: Principal | None, answer: wire.Answer, request_id: str
    ) -> None:
        reads = is_read(asked.operation) or asked.service == "sts" or asked.params.get("DryRun")
        call = Call(
            operation=asked.operation,
            service=asked.service,
            region=asked.region,
            params=asked.params,
            principal=principal,
            access_key=asked.access_key,
            source_ip=asked.source_ip,
            user_agent=asked.user_agent,
            at=self.ground.now(),
            status=answer.status,
            error=answer.error,
            mutating=not reads,
            request_id=request_id,
            elements=elements(asked, answer),
        )
        self.ground.calls.append(call)
        note(self.ground, call)

    def _dressed(self, answer: wire.Answer, request_id: str) -> wire.Answer:
        headers = {k: v for k, v in answer.headers.items() if k.lower() not in REPLACED_HEADERS}
        headers["Date"] = format_datetime(self.ground.now(), usegmt=True)
        headers["x-amzn-RequestId"] = request_id
        # moto writes a fixed id; AWS and CloudTrail need the one that this request has.
        body = (answer.body or b"").replace(b">request-id<", f">{request_id}<".encode())
        headers["Content-Length"] = str(len(body))
        return wire.Answer(answer.status, headers, body, answer.error)
