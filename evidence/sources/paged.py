"""A long listing, page by page: each page is an item of its own, so none is held beside another."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from evidence.sources.ask import Client, Question, answers, code_of, items_of
from evidence.sources.item import Item, Missed


@dataclass(frozen=True, slots=True)
class Page:
    """One response of a listing, and the items it is kept as."""

    found: dict[str, Any]
    items: tuple[Item, ...]


def paged(client: Client, question: Question) -> Iterator[Page | Missed]:
    """Yield the pages of an answer as they come, named with a number, and a miss where they end.

    Raises:
        SourceError: when the operation is not one that only reads.
    """
    number = 0
    try:
        for number, found in enumerate(answers(client, question)):
            named = Question(
                f"{question.name}.{number:06d}",
                question.service,
                question.operation,
                question.parameters,
                question.sensitive,
            )
            yield Page(found, tuple(items_of(named, [found])))
    except (ClientError, BotoCoreError) as error:
        yield Missed(question.name, question.call, code_of(error))
