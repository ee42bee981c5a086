"""Around every route: only this host's own names, and never a 500."""

import logging
import re
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from playbooks.intake.answers import of_status

log = logging.getLogger("stanch.intake")

# A page in somebody's browser may point a name of its own at 127.0.0.1 (DNS rebinding); the
# name then stands in Host.
_OURS: Final = re.compile(rb"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)


class Outermost:
    """Refuses other hosts' names, and answers 503 to what nobody foresaw."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or not _OURS.fullmatch(hosts[0]):
            await of_status(421).send(send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            # Its message may hold what was sent; its kind does not.
            log.error(
                "a request could not be taken in: %s. The sender is asked to send it again; "
                "`stanch doctor` says what is wrong with the database",
                type(error).__name__,
            )
            if not started:
                await of_status(503).send(send)
