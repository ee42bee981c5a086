"""A file with an action in it is in the catalogue, and says what it is and what it needs."""

import inspect
from pathlib import Path

import pytest

import actions
from actions.action import Action, Lens, name_of
from actions.catalogue import catalogue, revive
from actions.errors import UnfitError
from actions.one_way import OneWay


def test_every_file_with_an_action_is_in_it_by_its_stem() -> None:
    (room,) = actions.__path__
    holding = {
        path.stem
        for path in Path(room).glob("*/*.py")
        if "(Lens[" in path.read_text() or "(OneWay[" in path.read_text()
    }
    assert set(catalogue()) == holding
    assert list(catalogue()) == sorted(holding)


@pytest.mark.parametrize("name", catalogue())
def test_an_action_says_what_it_is_and_what_it_needs(name: str) -> None:
    kind = catalogue()[name]
    assert issubclass(kind, Lens) != issubclass(kind, OneWay)
    assert inspect.getdoc(kind) != inspect.getdoc(Action)
    assert kind.permissions
    assert len({(p.action, p.resource) for p in kind.permissions}) == len(kind.permissions)
    assert kind.__name__ == "".join(word.capitalize() for word in name.split("_"))


def test_an_action_of_another_version_is_not_guessed_at() -> None:
    with pytest.raises(UnfitError, match="recorded by another"):
        revive("no_such_action", {})


def test_a_name_is_the_stem_of_the_file_also_without_the_catalogue() -> None:
    host = {"account": "111122223333", "region": "eu-west-1", "instance_id": "i-0a"}
    action = revive("tag_incident", {"host": host, "incident": "INC-1"})
    assert name_of(action) == "tag_incident"
    assert action.target == "111122223333/eu-west-1/i-0a"
