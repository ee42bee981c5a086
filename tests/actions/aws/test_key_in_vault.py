"""A new key in a Vault: apart until it was tried, then read; made again when a crash loses it."""

import json

import hvac
import pytest

from actions.aws.clients import Aws
from actions.aws.create_access_key import CreateAccessKey
from actions.aws.key_in_vault import WAITING
from actions.errors import ProviderError, UnfitError
from actions.vault.clients import Vault
from playbooks.drills.range.vault import inprocess
from playbooks.drills.range.vault.world import URL, VaultWorld
from tests.actions.aws.rotating import USER, hold, keys, text_of, who
from tests.actions.scene import in_child, mutates

PATH = "shop/ci"
INTO = f"prod/vault/secret/{PATH}"


@pytest.fixture
def vault(world):
    return VaultWorld(seed=5, aws=world)


@pytest.fixture
def root(vault):
    return vault.client(vault.root_token)


@pytest.fixture
def held(world, root):
    found = hold(world)
    root.secrets.kv.v2.create_or_update_secret(PATH, text_of(world))
    return found


@pytest.fixture
def action(held):
    return CreateAccessKey(held.user, INTO, (held.key,))


class Counting:
    """Counts what changes AWS or the Vault, and ends the process after the nth."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.ends_after = 0

    def __call__(self, operation: str) -> None:
        self.made.append(operation)
        if len(self.made) == self.ends_after:
            raise KeyboardInterrupt(operation)


@pytest.fixture
def counting(op, world, vault):
    """The operator's provider, with a Vault, and what it changes counted."""
    count = Counting()

    def handle(environ):
        answer = vault.handle(environ)
        method = environ["REQUEST_METHOD"]
        if method not in ("GET", "LIST"):
            count(f"{method} {environ['PATH_INFO']}")
        return answer

    session = inprocess.session(handle, URL, "127.0.0.1")
    made = Vault("prod", lambda: hvac.Client(url=URL, token=vault.root_token, session=session))
    clients = world.session(world.admin).client
    op.p = Aws(world.account, world.region, clients, "aws", lambda name: made)

    def after(model, **_):
        if mutates(model.name):
            count(model.name)

    op.p.iam.meta.events.register("after-call", after)
    return count


def read(root, path=PATH):
    return root.secrets.kv.v2.read_secret_version(path, raise_on_deleted_version=True)["data"]


def waiting(root) -> list[str]:
    listed = root.secrets.kv.v2.list_secrets("shop")["data"]["keys"]
    return [name for name in listed if name.endswith(WAITING)]


def test_consumers_read_the_new_key_and_nothing_waits_any_more(
    world, root, held, action, op, counting
):
    made = op.apply(action).after
    found = read(root)
    assert found["data"]["aws_access_key_id"] == made["key"]
    assert found["data"].keys() == text_of(world).keys()
    assert made["version"] == str(found["metadata"]["version"]) == "2"
    assert USER in who(world, found["data"])
    assert keys(world) == {held.key: "Active", made["key"]: "Active"}
    assert waiting(root) == []
    assert found["data"]["aws_secret_access_key"] not in json.dumps(op.journal.rows)


def test_until_it_opens_aws_nobody_reads_it(world, root, held, action, op, counting):
    seen = []

    def login(key):
        seen.append(read(root)["data"]["aws_access_key_id"])
        return len(seen) > 4

    op.p.logins["access_key"] = login
    made = op.apply(action).after
    assert set(seen[:5]) == {held.key}
    assert read(root)["data"]["aws_access_key_id"] == made["key"]


def test_a_crash_after_any_call_leaves_one_read_usable_new_key_and_no_orphan(
    world, root, held, action, op, counting
):
    def entered(n: int) -> str:
        counting.ends_after = n
        with pytest.raises(KeyboardInterrupt):
            op.apply(action)
        counting.ends_after = 0
        made = op.apply(action).after
        assert keys(world) == {held.key: "Active", made["key"]: "Active"}
        assert read(root)["data"]["aws_access_key_id"] == made["key"]
        assert USER in who(world, read(root)["data"])
        assert waiting(root) == []
        created = [c for c in world.calls if c.operation == "CreateAccessKey"]
        assert len(created) == 2 + len(made["orphans"])
        return ""

    in_all = in_child(lambda: str(op.apply(action) and len(counting.made)))
    calls = int(in_all)
    assert calls == 5  # tag, create, put apart, put where it is read, take away
    assert [in_child(lambda n=n: entered(n)) for n in range(1, calls + 1)] == [""] * calls


def test_a_version_that_somebody_wrote_meanwhile_is_not_written_over(
    world, root, held, action, op, counting
):
    store = action._store(op.p)
    store.put("m", store.frame(), "AKIANEW", "s")
    now = store._now
    store._now = lambda: now() - 1 if now() > 1 else now()
    root.secrets.kv.v2.create_or_update_secret(PATH, {"aws_access_key_id": "theirs"})
    with pytest.raises(ProviderError, match="400"):
        store.publish("m", "AKIANEW")
    assert read(root)["data"] == {"aws_access_key_id": "theirs"}


def test_where_there_is_no_secret_yet_no_key_is_made(world, held, op, counting):
    nowhere = CreateAccessKey(held.user, "prod/vault/secret/shop/nowhere", (held.key,))
    with pytest.raises(UnfitError, match="Write a first version"):
        op.apply(nowhere)
    assert keys(world) == {held.key: "Active"}
