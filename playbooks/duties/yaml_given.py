"""Reads YAML that somebody else wrote: small, flat, each key once; and words stay what they are.

YAML 1.1 takes NO for false, 0501 for 321, 16:30 for 990 and makes dates without zones of text.
Here a scalar is a number, true, false or null only where nobody could have meant anything else.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from playbooks.duties.errors import DutiesError

LARGEST = 1_000_000
DEEPEST = 30
# Values with every alias written out: the longest rule file that is shipped has 12,000.
MOST = 100_000
_WORDS = (
    ("bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z", re.ASCII), "tTfF"),
    ("null", re.compile(r"(?:~|null|Null|NULL|)\Z", re.ASCII), ("~", "n", "N", "")),
    ("int", re.compile(r"-?(?:0|[1-9][0-9]{0,17})\Z", re.ASCII), "-0123456789"),
    ("float", re.compile(r"-?[0-9]+\.[0-9]+\Z", re.ASCII), "-0123456789"),
)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 (PyYAML wants it so)


for _name, _form, _firsts in _WORDS:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", _form, list(_firsts))


def yaml_given(path: Path, error: type[DutiesError]) -> Any:
    """Return what the file says. Raises the error where it is no such YAML, OSError as `open`."""
    with path.open("rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise error(f"{path}: larger than {LARGEST:,} bytes; is it the right file?")
    try:
        text = data.decode("utf-8-sig")
        _flat_enough(text)
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            _size(node, {})
            return None if node is None else loader.construct_document(node)
        finally:
            loader.dispose()
    except UnicodeDecodeError:
        raise error(f"{path}: not YAML: it is not text in UTF-8; is it the right file?") from None
    except (yaml.YAMLError, ValueError) as wrong:
        said = " ".join(str(wrong).split())[:300].replace("<unicode string>", "the file")
        raise error(f"{path}: not YAML: {said}") from None


def _flat_enough(text: str) -> None:
    # The parser in C composes by recursion: a file of brackets would end the process.
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise _wrong(event, f"more than {DEEPEST} levels within each other; flatten it")


def _size(node: yaml.Node | None, sizes: dict[int, int]) -> int:
    """Return how many values the node holds. Raises for a key given twice, a loop, a bomb."""
    if not isinstance(node, yaml.CollectionNode):
        return 1
    if (known := sizes.get(id(node))) is not None:
        if not known:
            raise _wrong(node, "an alias of what it stands in itself; write it out")
        return known
    sizes[id(node)] = 0
    keys: set[str] = set()
    size = 1
    for part in node.value:
        key, value = part if isinstance(part, tuple) else (None, part)
        if isinstance(key, yaml.ScalarNode):
            if key.value in keys:
                raise _wrong(key, f"{key.value} is given twice; keep one of them")
            keys.add(key.value)
        size += _size(key, sizes) + _size(value, sizes)
        if size > MOST:
            raise _wrong(node, f"more than {MOST:,} values once its aliases are written out")
    sizes[id(node)] = size
    return size


def _wrong(where: yaml.Node | yaml.Event, says: str) -> yaml.YAMLError:
    line = f"line {where.start_mark.line + 1}: " if where.start_mark else ""
    return yaml.YAMLError(f"{line}{says}")
