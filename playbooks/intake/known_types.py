"""The table of GuardDuty finding types, as data beside this file."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias, get_args

import yaml

from playbooks.intake.alert import ResourceKind
from playbooks.intake.errors import FindingTypesError

Reflex: TypeAlias = Literal[
    "none", "protect", "session_deny", "isolate", "key_disable", "bucket_block"
]
Suspect: TypeAlias = Literal["yes", "no", "by_role", "by_direction", "unknown"]

BY_WORKLOAD: Final = "by_workload"
_TEXT: Final = {
    "type": re.compile(r"[A-Za-z0-9]+:[A-Za-z0-9]+/[A-Za-z0-9&.!]+"),
    "means": re.compile(r"[^\s].{8,118}[^\s.]"),
    "status": re.compile(r"active|retired"),
    "severity": re.compile(r"low|medium|high|critical|varies"),
    "suspect": re.compile("|".join(get_args(Suspect))),
    "reflex": re.compile("|".join(get_args(Reflex))),
    "play": re.compile(r"[a-z]+(_[a-z]+)*"),
    "confidence": re.compile(r"seen|inferred"),
}
_LISTS: Final = {
    "resource": re.compile("|".join(get_args(ResourceKind))),
    "techniques": re.compile(r"T\d{4}(\.\d{3})?|AML\.T\d{4}"),
}


@dataclass(frozen=True, slots=True)
class FindingType:
    """What one finding type means; the fields are explained in `finding_types/README.md`."""

    type: str
    means: str
    status: Literal["active", "retired"]
    severity: Literal["low", "medium", "high", "critical", "varies"]
    resource: tuple[ResourceKind, ...]
    suspect: Suspect
    reflex: Reflex
    play: str
    techniques: tuple[str, ...]
    confidence: Literal["seen", "inferred"]


@cache
def known_types() -> Mapping[str, FindingType]:
    """Return every type that ships with Stanch, keyed by its name in lower case."""
    folder = files("playbooks.intake") / "finding_types"
    texts = {each.name: each.read_text("utf-8") for each in folder.iterdir()}
    return read_types({name: text for name, text in texts.items() if name.endswith(".yaml")})


def read_types(texts: Mapping[str, str]) -> Mapping[str, FindingType]:
    """Return the types in `texts` (file name -> YAML), keyed by name in lower case.

    Raises FindingTypesError for a field or value outside the schema, and for a type that
    stands twice.
    """
    found: dict[str, FindingType] = {}
    for name, text in sorted(texts.items()):
        for each in _entries(name, text):
            key = each.type.lower()
            if key in found:
                raise FindingTypesError(
                    f"{name}: {each.type} stands twice in the table; once was expected."
                    " Remove one of the two entries."
                )
            found[key] = each
    return MappingProxyType(found)


# libyaml's parser: the table loads in a sixth of the time, and the reflex waits for it.
class _OnceLoader(yaml.CSafeLoader):
    """YAML's safe loader, but a key given twice is an error and not the last one's win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [str(key.value) for key, _ in node.value]
        if len(set(keys)) != len(keys):
            raise yaml.YAMLError(f"a key stands twice among {keys}")
        return super().construct_mapping(node, deep)


def _entries(name: str, text: str) -> Iterator[FindingType]:
    try:
        document = yaml.load(text, _OnceLoader)  # noqa: S506  (a SafeLoader)
    except yaml.YAMLError as error:
        raise FindingTypesError(f"{name} is not YAML as expected: {error}") from error
    if not isinstance(document, dict) or set(document) != {"shared", "types"}:
        raise FindingTypesError(f"{name}: exactly `shared` and `types` were expected at the top.")
    shared, entries = document["shared"], document["types"]
    if not isinstance(shared, dict) or not isinstance(entries, list):
        raise FindingTypesError(f"{name}: `shared` as a mapping and `types` as a list expected.")
    for entry in entries:
        if not isinstance(entry, dict) or set(entry) & set(shared):
            raise FindingTypesError(
                f"{name}: {entry!r:.80} is no mapping or repeats what is shared; each field was"
                " expected in one place."
            )
        yield _entry(name, shared | entry)


def _entry(name: str, entry: dict[str, Any]) -> FindingType:
    where = f"{name}, {entry.get('type', 'an entry without type')}"
    expected = {field.name for field in fields(FindingType)}
    if set(entry) != expected:
        odd = sorted(map(str, set(entry) ^ expected))
        raise FindingTypesError(f"{where}: fields missing or unknown: {odd}. See README.md.")
    for key, value in entry.items():
        values, pattern = ([value], _TEXT[key]) if key in _TEXT else (value, _LISTS[key])
        good = isinstance(values, list) and all(
            isinstance(each, str) and pattern.fullmatch(each) for each in values
        )
        if not good or not values:
            raise FindingTypesError(
                f"{where}: {key} is {value!r:.80}; text that matches {pattern.pattern} was"
                " expected (quote yes and no). See README.md."
            )
    made: dict[str, Any] = {k: tuple(v) if k in _LISTS else v for k, v in entry.items()}
    return FindingType(**made)
