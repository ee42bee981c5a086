"""No secret of the Vault gets into the journal, a result, an error or a description, by any act."""

import json
import re
from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from actions.action import Lens
from actions.catalogue import catalogue
from actions.errors import ActionError
from playbooks.drills.range.vault.routes import Engine
from tests.actions.scene import Scene, apart, in_child, mutates, on_vault, scene

ON_VAULT = [name for name in catalogue() if on_vault(name)]
# Attributes of the simulator's state that hold what nobody may see.
SECRET = {"id_secret", "value", "role_id", "password", "accounts", "secret_key", "salt", "shares"}


def secrets(core: Any) -> set[str]:
    """Return every token, secret id, role id, password and stored value in a Vault."""
    found = set(core.tokens.by_id)
    todo, seen = [*vars_of(core).values()], set()
    while todo:
        value = todo.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, dict):
            todo += value.values()
        elif isinstance(value, (list, tuple, set)):
            todo += value
        elif is_dataclass(value) or isinstance(value, Engine):
            for name, inner in vars_of(value).items():
                if name in SECRET or (name == "data" and type(value).__name__ == "Version"):
                    found |= set(texts(inner))
                todo.append(inner)
    return {text for text in found if len(text) > 7}


def vars_of(value: Any) -> dict[str, Any]:
    if is_dataclass(value):
        return {f.name: getattr(value, f.name) for f in fields(value) if f.name != "rng"}
    return dict(vars(value))


def texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for inner in value.values() for text in texts(inner)]
    if isinstance(value, (list, tuple)):
        return [text for inner in value for text in texts(inner)]
    return [value] if isinstance(value, str) else []


def told(found: Scene) -> str:
    return json.dumps(found.journal.rows) + repr(found.action)


@pytest.mark.parametrize("name", ON_VAULT)
@apart
def test_no_secret_is_recorded_returned_or_shown(name: str) -> None:
    found = scene(name)
    held = secrets(found.world.core)
    assert {found.estate.stanch, found.estate.apps["web"].secret_id, "hunter-web"} <= held
    said = repr(found.run(found.enter()))
    if isinstance(found.action, Lens):
        said += repr(found.run(found.back()))
    held |= secrets(found.world.core)
    assert [s for s in held if s in said + told(found)] == []


def quoted(found: Scene, operation: str) -> str:
    """Let Vault refuse a call and quote it; return the secrets that are told of then."""
    held = secrets(found.world.core)
    found.inject("echoed", operation, 1)
    type(found.action).limit = 1.0
    said = ""
    try:
        found.run(found.enter())
    except ActionError as error:
        said = str(error)
    assert said or found.action.target.endswith("leases/database/creds/web"), "not refused"
    if re.search("/data/|role-id$|secret-id/lookup$", operation):
        # What was refused is not in the world, and was sent all the same.
        bodies = [body for _, op, body in found.seen if op == operation]
        held |= {text for text in texts(bodies) if len(text) > 7}
    return " ".join(s for s in held if s in said + told(found))


@pytest.mark.parametrize("name", ON_VAULT)
@apart
def test_no_secret_is_told_when_vault_quotes_what_it_refuses(name: str) -> None:
    found = scene(name)

    def names() -> str:
        found.run(found.enter())
        return json.dumps(sorted({op for _, op, _ in found.seen if mutates(op)}))

    for operation in json.loads(in_child(names)):
        said = in_child(lambda operation=operation: quoted(found, operation))
        assert said == "", operation
