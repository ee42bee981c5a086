"""The queues of this deployment: each is polled by a thread of its own."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from playbooks.case.store import Store
from playbooks.desk.door import taking
from playbooks.intake.counted import polls
from playbooks.intake.queue import Poller, Pull
from playbooks.respond.responder import Responder
from playbooks.wiring.parts import Parts


@contextmanager
def polled(parts: Parts, db: Store, responder: Responder) -> Iterator[None]:
    """Take findings from every queue in the settings while the block runs.

    On leaving, a poll that waits is left to end with the process: what it may still receive is
    not recorded, so it stays in its queue.
    """
    accept, reject = taking(parts, db, responder)
    accounts = frozenset(parts.settings.accounts)
    pollers = [
        Poller(
            Pull(
                name=name,
                url=queue.url,
                account=queue.account,
                accounts=accounts,
                connect=partial(_client, parts, queue.account, queue.region),
                accept=accept,
                reject=reject,
                now=parts.now,
            )
        )
        for name, queue in sorted(parts.settings.queues.items())
    ]
    parts.metrics.watch(lambda: polls([p.state for p in pollers], parts.now()))
    ending = threading.Event()
    for poller in pollers:
        threading.Thread(
            target=poller.run, args=(ending,), name=f"queue {poller.state.queue}", daemon=True
        ).start()
    try:
        yield
    finally:
        ending.set()


def _client(parts: Parts, account: str, region: str) -> object:
    return parts.maker(account, region)("sqs")
