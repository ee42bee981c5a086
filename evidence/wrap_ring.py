"""The wrapping key in use, with those before it: what they wrapped stands in manifests for good."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from evidence.keys import Wrapper


@dataclass(frozen=True, slots=True)
class WrapRing:
    """A `Wrapper` that wraps with the key in use; `former` ones only open what they wrapped."""

    used: Wrapper
    former: Mapping[str, Wrapper] = field(repr=False)

    @property
    def reference(self) -> str:
        """The reference of the key in use."""
        return self.used.reference

    @property
    def form(self) -> str:
        """How the key in use wraps."""
        return self.used.form

    def wrap(self, key: bytes, about: Mapping[str, str]) -> bytes:
        """Return the key wrapped by the key in use."""
        return self.used.wrap(key, about)

    def unwrap(self, wrapped: bytes, about: Mapping[str, str]) -> bytes:
        """Return what the key in use wrapped. Raise ValueError where it was altered."""
        return self.used.unwrap(wrapped, about)


def ring(used: Wrapper, former: Iterable[Wrapper]) -> Wrapper:
    """Return the key in use with those before it; itself where there are none."""
    known = {one.reference: one for one in former}
    return WrapRing(used, known) if known else used


def opener(wrap: Wrapper, reference: str) -> Wrapper:
    """Return the key of that reference where `wrap` is a ring that has it; else `wrap`."""
    return wrap.former.get(reference, wrap) if isinstance(wrap, WrapRing) else wrap
