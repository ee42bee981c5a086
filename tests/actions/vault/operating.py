"""Lets a test of one action act as a case does, and as those who use the Vault."""

from typing import Any

from hvac import exceptions

from actions.action import Action, Lens, fields_of, name_of, step_of
from actions.engine import Applied, apply, plan, rollback
from actions.journal import Plan
from actions.one_way import OneWay, do_once, foresee
from actions.vault.clients import Vault
from playbooks.drills.range.vault.world import VaultWorld
from tests.actions.driver import run
from tests.actions.memory_journal import MemoryJournal
from tests.actions.vault import site


class Operator:
    """Stanch in one Vault, with a journal."""

    def __init__(self, world: VaultWorld) -> None:
        self.world = world
        self.estate = site.build(world)
        self.journal = MemoryJournal()
        self.p = Vault(site.NAME, lambda: world.client(self.estate.stanch))

    def plan(self, action: Any) -> Plan:
        return plan(action, self.p) if isinstance(action, Lens) else foresee(action, self.p)

    def apply(self, action: Action[Vault], approval: str | None = "approval-1") -> Applied:
        """Do it the way a case does, first time or again."""
        step = step_of(action)
        if isinstance(action, Lens):
            return run(apply(action, self.p, self.journal, step), self.world.tick)
        assert isinstance(action, OneWay)
        known = self.journal.find(step)
        intent = known or self.journal.intend(
            step, name_of(action), fields_of(action), foresee(action, self.p)
        )
        done = do_once(action, self.p, self.journal, intent, fresh=known is None, approval=approval)
        return run(done, self.world.tick)

    def back(self, action: Any) -> Applied:
        intent = self.journal[step_of(action)]
        return run(rollback(action, self.p, self.journal, intent), self.world.tick)

    def token(self, *policies: str, **more: Any) -> str:
        """Return a new token with these policies."""
        made = self.estate.root.auth.token.create(policies=list(policies), **more)
        return str(made["auth"]["client_token"])

    def reads(self, token: str, path: str) -> bool:
        """Return whether a token may read a path, by trying."""
        try:
            self.world.client(token).adapter.get(f"/v1/{path}")
        except exceptions.Forbidden:
            return False
        except exceptions.InvalidPath:
            return True
        return True
