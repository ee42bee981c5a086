"""Latch, probe and sweep together, against an attacker who goes on while IAM is late."""

from contextlib import suppress
from types import SimpleNamespace

from botocore.exceptions import ClientError

from actions import engine
from actions.action import step_of
from actions.aws.latch_principal import LatchPrincipal
from evidence.sources.item import Item
from evidence.sources.principal_changes import PrincipalChanges, quiet
from playbooks.drills.range.keys import Credentials
from playbooks.latch.probe import borrow, watch
from tests.actions.aws.operating import Operator
from tests.actions.driver import run
from tests.playbooks.latch.realm import ADMIN, HOME, REGION, apart, document


class Attacker:
    """Holds keys; at each turn mints a user with every one of them that still works."""

    def __init__(self, world, keys, limit):
        self.world, self.keys, self.limit = world, [keys], limit
        self.clients = {keys: world.client("iam", keys)}

    def turn(self) -> int:
        """Try everything with everything; return how much of it worked."""
        before = len(self.world.calls)
        for keys in [*self.keys]:
            with suppress(ClientError):
                self.mint(self.clients[keys])
        return sum(not c.error for c in self.world.calls[before:])

    def mint(self, iam) -> None:
        iam.list_users()
        if len(self.keys) >= self.limit:
            return
        name = f"minted-{len(self.keys)}"
        iam.create_user(UserName=name)
        iam.put_user_policy(
            UserName=name, PolicyName="x", PolicyDocument=document(Action="*", Resource="*")
        )
        made = iam.create_access_key(UserName=name)["AccessKey"]
        keys = Credentials(made["AccessKeyId"], made["SecretAccessKey"])
        self.keys.append(keys)
        self.clients[keys] = self.world.client("iam", keys)


def swept(realm, start, users):
    """What CloudTrail tells of these users, as Stanch's role in the account reads it."""
    world, p = realm.world, realm.provider(HOME)
    source = PrincipalChanges(
        users=users,
        roles=(),
        access_key_ids=(),
        start=start,
        end=world.now(),
        account=HOME,
        region=REGION,
    )
    here = {REGION: p.cloudtrail, "us-east-1": world.client("cloudtrail", world.admin, "us-east-1")}
    found = source.collect(SimpleNamespace(cloudtrails=here))
    return source.findings([one for one in found if isinstance(one, Item)])


@apart
def test_once_the_deny_shows_the_denied_never_get_through_and_the_sweep_ends_with_all_of_them(
    realm,
):
    world, part = realm.world, realm.part
    mallory = realm.person(HOME, "mallory")
    bird = borrow(realm.provider(HOME), part.canary, (REGION,), realm.borrowed, world.now)
    world.delay(0.5, 4.0, scp=(0.5, 3.0), seed=9)
    start = world.now()
    attacker = Attacker(world, mallory, limit=6)
    assert attacker.turn() > 3

    def meanwhile(seconds):
        world.tick(seconds)
        attacker.turn()

    def latched(*users):
        op = Operator(world)
        op.p = realm.provider(ADMIN)
        arns = tuple(f"arn:aws:iam::{HOME}:user/{name}" for name in users)
        canary = f"arn:aws:iam::{HOME}:role/{part.canary}"
        action = LatchPrincipal(ADMIN, part.policy, (*arns, canary))
        run(engine.apply(action, op.p, op.journal, step_of(action)), meanwhile)

    before = bird.look()
    asked = world.now()
    latched("mallory")
    proof = run(watch(bird.look, before, asked), meanwhile)
    assert proof.verdict == "effective"
    mine = [c for c in world.calls if c.access_key == mallory.access_key]
    assert any(not c.error for c in mine if c.at < proof.since)
    assert all(c.error for c in mine if c.at >= proof.since)

    known, mark = {"mallory"}, world.now()
    for _ in range(6):
        for _ in range(16):
            meanwhile(80.0)  # CloudTrail lags; the attacker does not wait for it
        found = swept(realm, start, ("mallory",))
        new = {f.name for f in found if f.kind == "user"} - known
        if not new and quiet(found, world.now(), mark):
            break
        known |= new
        latched(*sorted(known))
        world.tick(3.0)
        mark = world.now()
    assert quiet(found, world.now(), mark)
    assert known == {"mallory", *(f"minted-{n}" for n in range(1, 6))}
    for _ in range(12):
        world.tick(5.0)
        assert attacker.turn() == 0
