"""How the door listens: loopback only, saying and believing nothing that it need not."""

from typing import Final

import uvicorn
from fastapi import FastAPI

LOOPBACK: Final = "127.0.0.1"
# Each connection may hold one body of the largest size in memory.
CONNECTIONS: Final = 512


def listening(app: FastAPI, port: int) -> uvicorn.Config:
    """Return uvicorn's settings for the app on a loopback port; 0 takes any free one.

    No access log, since a path is the sender's text; no trust in Forwarded headers; a request
    line and headers of at most 16 KiB. TLS and other hosts belong to a proxy in front.
    """
    return uvicorn.Config(
        app,
        host=LOOPBACK,
        port=port,
        access_log=False,
        log_config=None,
        lifespan="off",
        ws="none",
        proxy_headers=False,
        server_header=False,
        date_header=False,
        limit_concurrency=CONNECTIONS,
        backlog=1024,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=10,
        h11_max_incomplete_event_size=16_384,
    )
