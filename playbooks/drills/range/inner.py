"""moto behind the corrections: takes a request, gives moto's answer."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

from moto.moto_api._internal import mock_random
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from playbooks.drills.range import wire
from playbooks.drills.range.corrections.catalogue import corrections_for
from playbooks.drills.range.errors import AwsError
from playbooks.drills.range.targets import is_read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from playbooks.drills.range.corrections.correction import Correction
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Answer, Asked


@cache
def _moto() -> DomainDispatcherApplication:
    """The application keeps no state of its own, so every world of a process shares it."""
    return DomainDispatcherApplication(create_backend_app)


class Inner:
    """One moto application and the corrections in front of it."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._moto = _moto()

    def answer(self, asked: Asked) -> Answer:
        """The corrected answer to an authorized request. Raises AwsError for a refusal."""
        corrections = corrections_for(asked.model_name, asked.operation)
        if not corrections:
            return self.uncorrected(asked)
        return wire.answer(asked, self._through(corrections, asked))

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

        before = mock_random.getstate()
        made = len(self._moto.app_instances)
        self._moto.get_application(environ)
        if len(self._moto.app_instances) > made:
            # The first use of a service in a process makes a backend to read its URLs from.
            mock_random.setstate(before)
        try:
            body = b"".join(self._moto(environ, start))
        except NotImplementedError as missing:
            raise AwsError(
                "NotImplemented", f"the range has no {asked.service}:{asked.operation}", 501
            ) from missing
        if is_read(asked.operation):
            # moto draws ids even for reads; only writes may move what comes next.
            mock_random.setstate(before)
        answer = wire.Answer(seen["status"], seen["headers"], body)
        return answer if answer.status < 300 else wire.named(asked, answer)

    def _through(self, corrections: Sequence[Correction], asked: Asked) -> Mapping[str, Any]:
        def onward(params: Mapping[str, Any] | None = None) -> dict[str, Any]:
            here = asked if params is None else wire.changed(asked, params)
            if len(corrections) > 1:
                return dict(self._through(corrections[1:], here))
            return wire.result_of(here, self.uncorrected(here))

        return corrections[0](self._ground, asked, onward)
