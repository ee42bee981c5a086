"""The witness over HTTP: its limits, TLS beyond loopback, and what survives a kill."""

import datetime
import http.client
import ipaddress
import json
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from evidence import witness_server
from evidence.__main__ import main
from evidence.note import vkey
from evidence.witness import MAX_BODY, request_body
from evidence.witness_command import listening
from evidence.witness_folder import CONFIG, STATE, Config, create_witness
from tests.evidence.growing_log import LOG, GrowingLog

ROOT = Path(__file__).resolve().parents[2]
CONFIGURED = Config("witness.example/one", (vkey(LOG.verifier),), port=0)


@pytest.fixture
def served(tmp_path):
    folder = tmp_path / "witness"
    create_witness(folder, CONFIGURED)
    with listening(folder) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def post(port, body, headers=None, path="/add-checkpoint"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("POST", path, body, headers or {})
    answer = connection.getresponse()
    found = answer.status, answer.getheader("Content-Type"), answer.read().decode()
    connection.close()
    return found


def test_a_head_is_cosigned_over_http_and_a_conflict_names_the_size(served):
    log = GrowingLog().grow(5)
    status, _, line = post(served, request_body(0, [], log.note()))
    assert (status, line[:2]) == (200, "\N{EM DASH} ")
    status, kind, body = post(served, request_body(0, [], log.note()))
    assert (status, kind, body) == (409, "text/x.tlog.size", "5\n")


def test_one_connection_serves_many_requests(served):
    log = GrowingLog().grow(3)
    connection = http.client.HTTPConnection("127.0.0.1", served, timeout=10)
    for size in (1, 2, 3):
        body = request_body(size - 1, log.prove(size - 1, size), log.note(size))
        connection.request("POST", "/add-checkpoint", body)
        answer = connection.getresponse()
        assert (answer.status, answer.read()[:3]) == (200, "\N{EM DASH}".encode())
    connection.close()


def test_what_is_too_large_is_not_read(served):
    assert post(served, b"x" * (MAX_BODY + 1))[0] == 413
    assert post(served, b"", {"Content-Length": "9" * 30})[0] == 413


def test_only_a_body_of_stated_length_is_read(served):
    assert post(served, iter([b"old 0"]), {"Transfer-Encoding": "chunked"})[0] == 411
    assert post(served, b"", {"Content-Length": "-1"})[0] == 411


def test_nothing_else_is_served(served):
    assert post(served, b"", path="/")[0] == 404
    connection = http.client.HTTPConnection("127.0.0.1", served, timeout=10)
    connection.request("GET", "/add-checkpoint")
    assert connection.getresponse().status == 501
    connection.close()


def test_who_sends_half_a_request_holds_up_nobody(served):
    half = socket.create_connection(("127.0.0.1", served))
    half.sendall(b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 100\r\n\r\nold")
    assert post(served, request_body(0, [], GrowingLog().grow(1).note()))[0] == 200
    half.close()


def test_who_drips_a_request_is_hung_up_on(served, monkeypatch):
    monkeypatch.setattr(witness_server, "LONGEST", 0.5)
    slow = socket.create_connection(("127.0.0.1", served))
    slow.settimeout(20)
    slow.sendall(b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 100\r\n\r\n")
    begun = time.monotonic()
    ended = False
    while not ended and time.monotonic() < begun + 9:
        try:
            slow.sendall(b"x")
            slow.settimeout(0.1)
            # Either the answer to what was cut off, or the end.
            slow.recv(100)
            ended = True
        except TimeoutError:
            continue
        except OSError:
            ended = True
    assert ended
    # Well before the silence after which any connection ends.
    assert time.monotonic() < begun + 5
    slow.close()
    assert post(served, request_body(0, [], GrowingLog().grow(1).note()))[0] == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "witness.example"])
def test_without_tls_it_listens_on_loopback_only(tmp_path, host, capsys):
    create_witness(tmp_path / "w", CONFIGURED)
    path = tmp_path / "w" / CONFIG
    path.write_text(json.dumps(json.loads(path.read_text()) | {"host": host}))
    assert main(["witness", "serve", str(tmp_path / "w")]) == 1
    assert "not loopback" in capsys.readouterr().err
    new = ["witness", "init", str(tmp_path / "new"), "--name", "w", "--log", CONFIGURED.logs[0]]
    assert main([*new, "--host", host]) == 1
    assert not (tmp_path / "new").exists()


def certificate(folder: Path) -> tuple[str, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "witness")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    (folder / "c.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "k.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return str(folder / "c.pem"), str(folder / "k.pem")


def test_with_tls_it_cosigns_and_plain_http_gets_nothing(tmp_path):
    cert, key = certificate(tmp_path)
    folder = tmp_path / "w"
    create_witness(folder, Config("w", CONFIGURED.logs, "127.0.0.1", 0, cert, key))
    with listening(folder) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        port = server.server_address[1]
        body = request_body(0, [], GrowingLog().grow(2).note())
        with pytest.raises((http.client.HTTPException, OSError)):
            post(port, body)
        context = ssl.create_default_context(cafile=cert)
        secure = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=context)
        secure.request("POST", "/add-checkpoint", body)
        assert secure.getresponse().status == 200
        secure.close()
        server.shutdown()
        thread.join()


def serve(folder: Path) -> tuple[subprocess.Popen, int]:
    started = subprocess.Popen(
        [sys.executable, "-m", "evidence", "witness", "serve", str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    ready = started.stdout.readline()
    assert ready.startswith("ready http://127.0.0.1:")
    return started, int(ready.rpartition(":")[2])


def test_what_was_cosigned_outlives_a_kill(tmp_path):
    folder, log = tmp_path / "w", GrowingLog().grow(8)
    create_witness(folder, CONFIGURED)
    for size in (3, 8):
        started, port = serve(folder)
        old = {3: 0, 8: 3}[size]
        assert post(port, request_body(old, log.prove(old, size), log.note(size)))[0] == 200
        started.send_signal(signal.SIGKILL)
        started.wait()
        started.stdout.close()
    started, port = serve(folder)
    fork = log.fork(2, 9)
    assert post(port, request_body(3, fork.prove(3), fork.note()))[0::2] == (409, "8\n")
    assert post(port, request_body(8, fork.prove(8), fork.note()))[0] == 422
    started.terminate()
    started.wait()
    started.stdout.close()


def test_the_commands_say_what_they_did(tmp_path, capsys):
    folder = str(tmp_path / "w")
    init = ["witness", "init", folder, "--name", "witness.example/one", "--log", CONFIGURED.logs[0]]
    assert main(init) == 0
    key = capsys.readouterr().out.split()[1]
    assert key.startswith("witness.example/one+")
    assert main(init) == 1
    assert "never begun over" in capsys.readouterr().err
    with listening_on_any_port(Path(folder)) as server:
        log = GrowingLog().grow(4)
        witness = server.witness
        assert witness.add_checkpoint(request_body(0, [], log.note())).status == 200
        assert witness.add_checkpoint(request_body(4, [], log.fork(1, 3).note())).status == 409
    assert main(["witness", "show", folder]) == 0
    shown = capsys.readouterr().out
    assert key in shown
    assert "4 entries" in shown
    assert log.fork(1, 3).note() in shown
    (tmp_path / "w" / STATE).unlink()
    assert main(["witness", "serve", folder]) == 1
    assert "retire it" in capsys.readouterr().err


def listening_on_any_port(folder: Path):
    path = folder / CONFIG
    path.write_text(json.dumps(json.loads(path.read_text()) | {"port": 0}))
    return listening(folder)
