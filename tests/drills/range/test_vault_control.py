"""The drill's Vault as a process: its scenario works, and its owner alone can steer it."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace

import hvac
import pytest
import requests
from hvac import exceptions

from playbooks.drills.range.vault.estate import RoleLogin, build_vault_estate
from playbooks.drills.range.vault.server import serve
from playbooks.drills.range.vault.world import VaultWorld

NOW = 1_790_000_000.0


@pytest.fixture
def world() -> VaultWorld:
    return VaultWorld(seed=7, clock=lambda: NOW)


@pytest.fixture
def estate(world):
    return build_vault_estate(world)


def log_in(client, login: RoleLogin) -> None:
    client.auth.approle.login(login.role_id, login.secret_id, mount_point=login.mount)


def test_an_application_gets_all_that_is_its_own_and_no_more(world, estate):
    app = world.client()
    log_in(app, estate.apps[0])
    name = estate.apps[0].role
    assert app.adapter.get(f"/v1/secret/data/{name}/api")["data"]["data"]["key"]
    held = app.secrets.database.generate_credentials(name)["data"]
    assert world.database(estate.database).log_in(held["username"], held["password"])
    static = app.secrets.database.get_static_credentials("reporting")["data"]
    assert world.database(estate.database).log_in(static["username"], static["password"])
    assert app.secrets.transit.encrypt_data(name, "YQ==")["data"]["ciphertext"]
    issued = app.secrets.pki.generate_certificate(name, f"{name}.shop.internal")
    assert issued["data"]["serial_number"]
    other = estate.apps[1].role
    for path in (f"secret/data/{other}/api", f"database/creds/{other}", "sys/mounts"):
        with pytest.raises(exceptions.Forbidden):
            app.adapter.get(f"/v1/{path}")


def test_people_and_stanch_log_in_and_may_do_everything(world, estate):
    for person in estate.people:
        client = world.client()
        client.auth.userpass.login(person.name, person.password)
        assert client.sys.list_auth_methods()["data"]
    stanch = world.client()
    log_in(stanch, estate.stanch)
    assert stanch.auth.token.lookup_self()["data"]["path"] == "auth/stanch/login"
    assert world.audit_lines(estate.audit)


def test_the_scenario_shows_no_secret(estate):
    shown = repr(estate)
    assert estate.stanch.secret_id not in shown
    assert estate.people[0].password not in shown
    assert replace(estate.stanch, secret_id="") != estate.stanch


def order(url, token, what, /, **body) -> requests.Response:
    headers = {"X-Range-Token": token}
    return requests.post(f"{url}/_range/{what}", json=body, headers=headers, timeout=10)


def test_its_owner_steers_it_and_nobody_else(world, estate):
    with serve(world, control_token="right") as url:
        assert order(url, "wrong", "digest").status_code == 403
        assert order(url, "right", "no-such-order").status_code == 404
        assert order(url, "right", "tick").status_code == 400
        assert order(url, "right", "digest").json() == {"digest": world.digest()}
        assert order(url, "right", "tick", seconds=60).json() == {"now": NOW + 60}
        refusal = {"fault": "Refuse", "with": {"status": 503}, "path": "sys/health"}
        assert order(url, "right", "inject", **refusal).status_code == 200
        assert requests.get(f"{url}/v1/sys/health", timeout=10).status_code == 503
        assert requests.get(f"{url}/v1/sys/health", timeout=10).status_code == 200
        calls = order(url, "right", "calls", **{"from": len(world.calls) - 2}).json()["calls"]
        assert [(c["path"], c["status"]) for c in calls] == [
            ("sys/health", 503),
            ("sys/health", 200),
        ]
        assert order(url, "right", "audit", device=estate.audit).json()["lines"]
        account = {"url": estate.database, "name": "vault", "password": "wrong"}
        assert order(url, "right", "log_in", **account).json() == {"in": False}
        order(url, "right", "database", url=estate.database, down=True)
        assert world.database(estate.database).down
        order(url, "right", "throttle", capacity=1, refill=0)
        assert world.core.iam_bucket is not None


def test_without_a_token_there_is_no_steering(world):
    with serve(world) as url:
        assert order(url, "", "digest").status_code == 404


def test_it_runs_as_a_process_until_it_is_told_to_end(tmp_path):
    state = tmp_path / "vault.json"
    module = "playbooks.drills.range.vault"
    command = [sys.executable, "-m", module, "--seed", "3", "--estate", "--state", str(state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = json.loads(process.stdout.readline())
        assert json.loads(state.read_text()) == line
        assert state.stat().st_mode & 0o077 == 0
        client = hvac.Client(url=line["endpoint"], token=line["root_token"])
        assert client.is_authenticated()
        login = line["estate"]["apps"][0]
        assert client.auth.approle.login(login["role_id"], login["secret_id"])["auth"]
        client.adapter.close()
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(timeout=20) == 0
