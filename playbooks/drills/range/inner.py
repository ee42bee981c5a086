"""moto behind the corrections: takes a request, gives moto's answer."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from itertools import count
from typing import TYPE_CHECKING, Any

from moto.moto_api._internal import mock_random
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from playbooks.drills.range import wire
from playbooks.drills.range.corrections.catalogue import corrections_for
from playbooks.drills.range.corrections.correction import AS_IT_IS
from playbooks.drills.range.errors import AwsError
from playbooks.drills.range.ground import no_public_images
from playbooks.drills.range.targets import is_read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flask import Flask

    from playbooks.drills.range.corrections.correction import Correction
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Answer, Asked


VERSIONED_PATHS = ("/v20180820/", "/v2/")


@cache
def _application(service: str, target: str, path: str) -> Flask:
    """moto's application for a service; it keeps no state, so all worlds of a process share it.

    moto looks through all its packages for each request to find this out; `target` and `path`
    are what its choice depends on besides the service.
    """
    environ = {
        "PATH_INFO": path,
        "HTTP_X_AMZ_TARGET": target,
        "HTTP_HOST": "localhost",
        "HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 Credential=x/0/us-east-1/{service}/aws4_request",
    }
    before = mock_random.getstate()
    with no_public_images():
        # It makes a backend to read the service's URLs from, which draws ids.
        made = DomainDispatcherApplication(create_backend_app).get_application(environ)
    mock_random.setstate(before)
    return made


class Inner:
    """moto's applications and the corrections in front of them."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._messages = count()

    def answer(self, asked: Asked) -> Answer:
        """The corrected answer to an authorized request. Raises AwsError for a refusal."""
        corrections = corrections_for(asked.model_name, asked.operation)
        result = self._through(corrections, asked) if corrections else AS_IT_IS
        return self.uncorrected(asked) if result is AS_IT_IS else wire.answer(asked, result)

    def uncorrected(self, asked: Asked) -> Answer:
        """moto's own answer, in the account of the signer."""
        environ = {
            **asked.environ,
            "wsgi.input": BytesIO(asked.body),
            # moto reads the account from this header before anything else.
            "HTTP_X_MOTO_ACCOUNT_ID": asked.account,
        }
        seen: dict[str, Any] = {}

        def start(status: str, headers: list[tuple[str, str]], _error: Any = None) -> Any:
            seen.update(status=int(status.split()[0]), headers=dict(headers))

        # The API version that elasticloadbalancing and ses tell apart by, and DynamoDB's target.
        path = next((p for p in VERSIONED_PATHS if asked.environ["PATH_INFO"].startswith(p)), "/")
        target = str(asked.environ.get("HTTP_X_AMZ_TARGET", ""))
        application = _application(asked.service, target.partition(".")[0] + ".", path)
        before = mock_random.getstate()
        draws_apart = asked.service == "sqs"
        if draws_apart:
            mock_random.seed(f"{self._ground.seed}/sqs/{next(self._messages)}")
        try:
            body = b"".join(application(environ, start))
        except NotImplementedError as missing:
            raise AwsError(
                "NotImplemented", f"the range has no {asked.service}:{asked.operation}", 501
            ) from missing
        if is_read(asked.operation) or draws_apart:
            # moto draws ids even for reads; only writes may move what comes next. How often a
            # queue is asked is a matter of time, and may not either.
            mock_random.setstate(before)
        answer = wire.Answer(seen["status"], seen["headers"], body)
        return answer if answer.status < 300 else wire.named(asked, answer)

    def _through(self, corrections: Sequence[Correction], asked: Asked) -> Mapping[str, Any]:
        def onward(params: Mapping[str, Any] | None = None) -> dict[str, Any]:
            here = asked if params is None else wire.changed(asked, params)
            result = self._through(corrections[1:], here) if len(corrections) > 1 else AS_IT_IS
            if result is not AS_IT_IS:
                return dict(result)
            return wire.result_of(here, self.uncorrected(here))

        return corrections[0](self._ground, asked, onward)
