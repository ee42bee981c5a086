"""A flow run shows an entry; where Prefect hangs, refuses or dies, it is run all the same."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from playbooks.case.case import Step
from playbooks.case.enter import Ending
from playbooks.case.play import show
from playbooks.compromised_instance import compromised_instance
from playbooks.errors import UnshownError

ENDING = Ending("Completed", "contained")


@contextmanager
def deaf() -> Iterator[str]:
    """Yield the URL of a server that accepts, and then says nothing: a Prefect that hangs."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/api"


@contextmanager
def refusing() -> Iterator[str]:
    """Yield a URL where nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}/api"


@contextmanager
def wrong() -> Iterator[str]:
    """Yield the URL of a server that answers 500 to everything, and closes."""
    ending = threading.Event()

    def answer(server: socket.socket) -> None:
        server.settimeout(0.1)
        while not ending.is_set():
            try:
                took, _ = server.accept()
            except TimeoutError:
                continue
            with took:
                took.recv(65536)
                took.sendall(b"HTTP/1.1 500 no\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer, args=(server,))
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/api"
        ending.set()
        thread.join()


@pytest.mark.parametrize("server", [deaf, refusing, wrong], ids=lambda s: s.__name__)
def test_a_prefect_that_does_not_take_the_run_in_time_never_begins_it(server: Any) -> None:
    begun: list[int] = []

    async def entering(step: Step) -> Ending:
        begun.append(1)
        return ENDING

    async def shown() -> None:
        await show(compromised_instance, "INC-1", 1, entering, patience=1.0, linger=0.0)

    with server() as url:
        settings = {PREFECT_API_URL: url, PREFECT_CLIENT_MAX_RETRIES: 0}
        start = time.monotonic()
        with temporary_settings(settings), pytest.raises(UnshownError, match="Prefect did not"):
            asyncio.run(shown())
        # The second is for a machine under load: what is waited for is the patience alone.
        assert time.monotonic() - start < 5.0
    assert begun == []


def test_an_entry_that_is_given_up_before_it_began_is_cancelled() -> None:
    begun: list[int] = []

    async def entering(step: Step) -> Ending:
        begun.append(1)
        return ENDING

    async def cancelled() -> None:
        task = asyncio.ensure_future(
            show(compromised_instance, "INC-1", 1, entering, patience=30.0, linger=0.0)
        )
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with deaf() as url, temporary_settings({PREFECT_API_URL: url}):
        asyncio.run(cancelled())
    assert begun == []
