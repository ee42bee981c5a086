"""Who is who: nobody decides on what is theirs. Pure."""

from collections.abc import Iterable, Mapping

from playbooks.case.store.reviews import ReviewRow


def names_of(person: str, identities: Mapping[str, Iterable[str]]) -> frozenset[str]:
    """Return by what names a person is known: their own, and those that the settings give."""
    return frozenset(n.casefold() for n in (person, *identities.get(person, ())))


def own(names: frozenset[str], row: ReviewRow) -> str:
    """Return why the row is these people's own; nothing where it is not.

    A row is somebody's own who is its principal, a member of its group, or its owner.
    """
    name = row.principal.rpartition("/")[2]
    if names & {row.principal.casefold(), name.casefold(), *_also(row)}:
        return "it is about yourself"
    if names & {str(m).casefold() for m in row.about.get("members", ())}:
        return "you are a member of the group"
    return "you own it" if row.owner and row.owner.casefold() in names else ""


def _also(row: ReviewRow) -> set[str]:
    """Return what else its principal is called: where it is an id, by its name."""
    return {str(row.about["name"]).casefold()} if row.about.get("name") else set()
