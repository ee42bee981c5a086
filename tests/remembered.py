"""What botocore and moto work out anew for each session, client and request, worked out once.

A range that answers in the test's own process makes hundreds of clients and thousands of calls, and
two fifths of their time went into these. Each follows from a name, a class or a service's model
alone, so that nothing a test could see depends on when it was worked out.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import botocore.hooks
from botocore.client import ClientCreator
from botocore.hooks import EventAliaser
from moto.core import responses
from moto.core.errors import ErrorLookupFactory

_names: dict[str, str] = {}
_errors: dict[str, Any] = {}
_methods: dict[tuple[str, str], dict[str, Any]] = {}


def _aliases(made: Callable[..., None]) -> Callable[..., None]:
    """Share what an event is called by now; only whoever has other aliases looks for itself."""

    @functools.wraps(made)
    def init(self: EventAliaser, *args: Any, **kwargs: Any) -> None:
        made(self, *args, **kwargs)
        if self._event_aliases == botocore.hooks.EVENT_ALIASES:
            self._alias_name_cache = _names

    return init


def _takes_more(asked: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Read from its code whether a handler takes further keywords; `inspect` takes ten times as
    long, for each handler of each client."""

    def takes(func: Any) -> Any:
        code = getattr(getattr(func, "__func__", func), "__code__", None)
        return asked(func) if code is None else bool(code.co_flags & inspect.CO_VARKEYWORDS)

    return takes


def _made_once(make: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Make a service's methods once; each client's class gets a dict of its own to add to."""

    @functools.wraps(make)
    def made(self: ClientCreator, service_model: Any) -> dict[str, Any]:
        key = (service_model.service_name, service_model.api_version)
        if key not in _methods:
            _methods[key] = make(self, service_model)
        return dict(_methods[key])

    return made


def _shared_errors(self: ErrorLookupFactory) -> None:
    self._error_lut_cache = _errors


def remember() -> None:
    """Let this process, and all that are forked from it, work these out once."""
    EventAliaser.__init__ = _aliases(EventAliaser.__init__)
    botocore.hooks.accepts_kwargs = _takes_more(botocore.hooks.accepts_kwargs)
    ClientCreator._create_methods = _made_once(ClientCreator._create_methods)
    ErrorLookupFactory.__init__ = _shared_errors
    responses.method_names_from_class = functools.cache(responses.method_names_from_class)
