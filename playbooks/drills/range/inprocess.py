"""boto3 to the world without a socket: a before-send hook that answers in the same thread."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from moto.core.request import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playbooks.drills.range.wire import Answer


class _Raw(BytesIO):
    """A body as urllib3 gives it to botocore."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        while chunk := self.read():
            yield chunk


def transport(handle: Callable[[dict[str, Any]], Answer]) -> Callable[..., AWSResponse]:
    """A handler for botocore's `before-send` event that asks `handle` and returns its answer."""

    def send(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        environ = Request.from_primitives(
            request.method, request.url, request.headers, request.body
        ).environ
        environ["REMOTE_ADDR"] = "127.0.0.1"
        answer = handle(environ)
        headers: Any = answer.headers
        return AWSResponse(request.url, answer.status, headers, _Raw(answer.body))

    return send
