"""Joins what other incidents hold on a target: waits for its turn, a bounded time."""

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

from actions.action import Action, Lens, fields_of, name_of
from actions.errors import ActionError
from actions.journal import Intent, Plan
from playbooks.case.guard import target_of
from playbooks.case.journal import AT_WORK, Allowed, Moved

if TYPE_CHECKING:
    from playbooks.case.case import Case
    from playbooks.case.store import Hold

PAUSE = 0.5  # seconds between two looks at what another incident does


class Turns:
    """One act's turns at what others hold too. In all they wait `limit` seconds at most.

    Who is past that goes on all the same: an incident that hangs must not keep another from
    containing the host.
    """

    def __init__(self, case: "Case", step: str, limit: float) -> None:
        self._case = case
        self._step = step
        self._left = limit

    async def seen(self, action: Action[Any]) -> "list[Hold]":
        """Return the steps on the target, ended ones too, once nobody else is at the same act."""
        if self._case.dry or not isinstance(action, Lens):
            return []
        name = name_of(action)

        def at_it() -> "list[Hold]":
            return [h for h in self._holds() if h.intent.action == name and self._busy(h)]

        while at_it() and await self._wait():
            pass
        return self._case.journal.seen_on(target_of(self._step))

    async def intend(
        self, action: Action[Any], plan: Plan, allowed: Allowed, seen: "Sequence[Hold]"
    ) -> Intent | None:
        """Record the intent; None when another changed the same thing since it was seen."""
        act = (name_of(action), fields_of(action))
        return await self._try(
            lambda: self._case.journal.intend(
                self._step, *act, plan, allowed, seen=seen, patient=self._left > 0
            )
        )

    async def again(self) -> Intent:
        """Return the recorded step as it is to be carried out now."""

        def record() -> Intent:
            return self._case.journal.again(self._step, patient=self._left > 0)

        while True:
            found = await self._try(record)
            if found is not None:
                return found

    async def let_go(self, allowed: Collection[str] | None) -> Intent:
        """Record that the step is being undone. Raise ActionError while others are at it."""
        while True:
            found = await self._try(lambda: self._case.journal.let_go(self._step, allowed))
            if found is not None:
                return found
            if self._left <= 0:
                raise ActionError(
                    f"{self._step}: another incident has been changing the same thing for a while. "
                    "Look at it (`stanch show`), then undo this again."
                )

    async def _try(self, record: Callable[[], Intent]) -> Intent | None:
        try:
            return await self._case.call(record)
        except Moved as moved:
            while any(self._still(h) for h in moved.at) and await self._wait():
                pass
            return None

    async def _wait(self) -> bool:
        """Wait a little; return False when the time for it is used up."""
        if self._left <= 0:
            return False
        self._left -= PAUSE
        await self._case.parts.sleep(PAUSE)
        return True

    def _still(self, one: "Hold") -> bool:
        return any(h.number == one.number and self._busy(h) for h in self._holds())

    def _busy(self, one: "Hold") -> bool:
        mine = one.incident == self._case.incident.id
        return not mine and one.busy and one.intent.phase in AT_WORK

    def _holds(self) -> "list[Hold]":
        return self._case.journal.held_on(target_of(self._step))
