"""What every test of an action on AWS does: bind a provider, apply, enter again, undo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actions import engine, one_way
from actions.action import Lens, fields_of, name_of, step_of
from actions.aws.clients import Aws
from actions.aws.instance import Instance
from tests.actions.driver import run
from tests.actions.memory_journal import MemoryJournal

if TYPE_CHECKING:
    from playbooks.drills.range.world import World


def host_of(world: World, estate: Any) -> Instance:
    """The estate's suspect host, as a target."""
    return Instance(world.account, world.region, estate.target)


def provider(world: World) -> Aws:
    """The world as actions see it, with administrator's rights."""
    session: Any = world.session(world.admin)
    return Aws(world.account, world.region, session.client)


class Operator:
    """Carries actions out in one world, with one journal; waits move the world's clock."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.p = provider(world)
        self.journal = MemoryJournal()

    def apply(self, action: Any, *, approval: str | None = None) -> engine.Applied:
        """Apply a lens or do a one-way act, first time or again."""
        step = step_of(action)
        if isinstance(action, Lens):
            return run(engine.apply(action, self.p, self.journal, step), self.world.tick)
        intent = self.journal.find(step)
        fresh = intent is None
        intent = intent or self.journal.intend(
            step, name_of(action), fields_of(action), one_way.foresee(action, self.p)
        )
        return run(
            one_way.do_once(action, self.p, self.journal, intent, fresh=fresh, approval=approval),
            self.world.tick,
        )

    def intend(self, action: Any) -> None:
        """Record the intent only, as a process that dies right after does."""
        plan = engine.plan(action, self.p)
        self.journal.intend(step_of(action), name_of(action), fields_of(action), plan)

    def undo(self, action: Any) -> engine.Applied:
        """Roll a recorded lens back."""
        intent = self.journal[step_of(action)]
        return run(engine.rollback(action, self.p, self.journal, intent), self.world.tick)

    def finish(self, action: Any) -> bool:
        """Finish what a crash left half-way, as start-up does."""
        return run(engine.finish(action, self.p, self.journal[step_of(action)]), self.world.tick)

    def written(self, since: int = 0) -> list[Any]:
        """The mutating calls that the world received, from the `since`-th call on."""
        return [c for c in self.world.calls[since:] if c.mutating]
