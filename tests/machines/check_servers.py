"""Redis servers of many kinds: with TLS, with users, full, replicas, clusters, of others; each is used or told apart."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis as client
from machines.conftest import Server

from mockserver.errors import StateError
from mockserver.state.failures import RIGHTS
from mockserver.state.places import PASSWORD, store_at
from mockserver.state.store import Limits
from tests.test_mock_server import at, process
from tests.test_state import rows
from tests.test_workers import eventually

Start = Callable[..., Server]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts servers with options of their own."""
    servers: list[Server] = []

    def started(*options: str, tls: bool = False) -> Server:
        folder = tmp_path / f"redis-{len(servers)}"
        folder.mkdir()
        servers.append(Server(folder, *options, tls=tls))
        servers[-1].start()
        return servers[-1]

    yield started
    for server in servers:
        server.stop()


def used(url: str) -> None:
    """Use a server as a mock does."""
    store = store_at(url, "c", Limits(100, 10**6))
    try:
        store.append(rows(1, 2))
        store.arm("a", b"1")
        assert (store.advance("a", "busy"), store.advance("a", "busy"), store.follow("t")) == (0, 1, 0)
        assert (store.standing().rows, store.armed(), store.turn("a", "busy")) == (2, {"a": b"1"}, 2)
        store.reset()
        store.rewind()
        assert store.clear(None) == 2
    finally:
        store.close()


def refused(url: str) -> str:
    """The sentence with which a server is not used."""
    with pytest.raises(StateError) as told:
        used(url)
    return str(told.value)


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """A folder with an authority (``ca.crt``) and certificates of it for a server and a client on this machine."""
    openssl(tmp_path, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.crt",
            "-subj", "/CN=own authority", "-days", "2")  # fmt: skip
    (tmp_path / "names").write_text("subjectAltName=IP:127.0.0.1", encoding="ascii")
    for name in ("server", "client"):
        openssl(tmp_path, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr",
                "-subj", f"/CN={name}")  # fmt: skip
        openssl(tmp_path, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
                "-out", f"{name}.crt", "-days", "2", "-extfile", "names")  # fmt: skip
    return tmp_path


@pytest.mark.parametrize("mutual", [False, True])
def test_a_connection_is_encrypted(
    start: Start, authority: Path, good: dict[str, Any], monkeypatch: pytest.MonkeyPatch, mutual: bool
) -> None:
    files = {name: str(authority / name) for name in ("ca.crt", "client.crt", "client.key")}
    server = start(
        "--tls-cert-file", str(authority / "server.crt"), "--tls-key-file", str(authority / "server.key"),
        "--tls-ca-cert-file", files["ca.crt"], "--tls-auth-clients", "yes" if mutual else "no", tls=True,
    )  # fmt: skip
    own = f"&ssl_certfile={files['client.crt']}&ssl_keyfile={files['client.key']}" if mutual else ""
    assert "its certificate is not trusted (self-signed" in refused(server.url)
    assert "SSL_CERT_FILE names" in refused(server.url)
    with_query = f"{server.url}?ssl_ca_certs={files['ca.crt']}{own}"
    used(with_query)
    assert "Hostname mismatch" in refused(with_query.replace("127.0.0.1", "localhost"))
    assert "named by rediss://" in refused(server.url.replace("rediss", "redis"))
    monkeypatch.setenv("SSL_CERT_FILE", files["ca.crt"])
    place = f"{server.url}?{own[1:]}" if mutual else server.url
    used(place)
    with process(port=0, state=place) as (_, url):
        assert at(url, value=good).status == 200


def test_a_server_that_does_not_encrypt_is_told_apart(redis: Server) -> None:
    assert "does not encrypt is named by redis://" in refused(redis.url.replace("redis", "rediss", 1))


def test_a_user_needs_these_rights_and_no_more(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    users = tmp_path / "users.acl"
    users.write_text(
        f"user default off\nuser mock on >geheim {RIGHTS}\nuser poor on >geheim ~others:* +@all\n"
        "user reader on >geheim ~* +@read +@connection\n",
        encoding="ascii",
    )
    server = start("--aclfile", str(users))
    for name in ("mock", "poor", "reader"):
        url = server.url.replace("//", f"//{name}@")
        monkeypatch.delenv(PASSWORD, raising=False)
        assert f"wants a password, which belongs into the environment variable {PASSWORD}" in refused(url)
        monkeypatch.setenv(PASSWORD, "falsch")
        assert f"does not take the password in {PASSWORD} for user '{name}'" in refused(url)
        assert "falsch" not in refused(url)
        monkeypatch.setenv(PASSWORD, "geheim")
        if name == "mock":
            used(url)
        else:
            assert f"user '{name}' may not do what a mock does there" in refused(url)
            assert RIGHTS in refused(url)
    assert "for user 'default'" in refused(server.url)


def test_a_replica_names_itself_and_is_taken_once_it_is_a_primary(
    start: Start, redis: Server, good: dict[str, Any]
) -> None:
    replica = start("--replicaof", "127.0.0.1", str(redis.port))
    eventually(lambda: "it is a replica, which takes no writes; name its primary" in refused(replica.url))
    with client.Redis.from_url(replica.url) as direct:
        direct.replicaof("NO", "ONE")
        used(replica.url)
        with process(port=0, state=replica.url) as (script, url):
            assert at(url, value=good).status == 200
            direct.replicaof("127.0.0.1", str(redis.port))
            assert at(url, value=good).status == 503
            direct.replicaof("NO", "ONE")
            time.sleep(0.6)
            assert at(url, value=good).status == 200
            script.terminate()
            assert script.wait(10) == 0
            assert script.stderr
            assert "it is a replica" in script.stderr.read()


def test_a_cluster_is_told_apart(start: Start) -> None:
    server = start("--cluster-enabled", "yes")
    assert "it is part of a cluster" in refused(server.url)
    second = refused(server.url[:-1] + "1")
    assert "it is part of a cluster (SELECT is not allowed in cluster mode)" in second or "out of range" in second
    with client.Redis.from_url(server.url) as direct:
        direct.execute_command("CLUSTER", "ADDSLOTS", *range(16384))
        eventually(lambda: "cluster_state:ok" in str(direct.execute_command("CLUSTER", "INFO")))
    used(server.url)  # one that holds all keys is as good as any other


def test_a_full_server_refuses_and_recovers(start: Start, good: dict[str, Any]) -> None:
    server = start("--maxmemory-policy", "noeviction")
    with process(port=0, state=server.url) as (script, url), client.Redis.from_url(server.url) as direct:
        assert at(url, value=good).status == 200
        direct.config_set("maxmemory", "1")
        told = at(url, value=good)
        assert (told.status, told.headers["retry-after"]) == (503, "1")
        health = at(url, "GET", "/__admin/health")
        assert (health.status, "it is full (maxmemory)" in health.json()["detail"]) == (503, True)
        assert "it is full (maxmemory)" in refused(server.url)
        direct.config_set("maxmemory", "0")
        time.sleep(0.6)
        assert at(url, value=good).status == 200
        script.terminate()
        assert script.wait(10) == 0
        assert script.stderr
        assert script.stderr.read().count("it is full (maxmemory)") == 1


def test_a_server_that_forgets_what_is_old_costs_records_only(start: Start, good: dict[str, Any]) -> None:
    server = start("--maxmemory", "4mb", "--maxmemory-policy", "allkeys-lru")
    with process(port=0, state=server.url) as (_, url), client.Redis.from_url(server.url) as direct:
        for number in range(600):
            direct.set(f"theirs:{number}", b"x" * 10_000)
            if number % 20 == 0:
                assert at(url, value=good).status == 200
        assert at(url, "GET", "/__admin/health").json()["status"] == "ok"
        name = at(url, value=good).headers["mock-exchange"]
        assert at(url, "GET", f"/__admin/requests/{name}").status == 200


def test_what_others_keep_there_is_left_alone(redis: Server) -> None:
    with client.Redis.from_url(redis.url) as direct:
        direct.set("theirs", "1")
        used(redis.url)
        assert direct.get("theirs") == b"1"
        for name in ("rows", "facts", "armed", "armed-order", "turns", "turns-order", "tracks"):
            direct.flushdb()
            direct.set(f"quickrouter-contract:1:{{c}}:{name}", "theirs")
            assert "another program has put something else" in refused(redis.url)
            assert direct.get(f"quickrouter-contract:1:{{c}}:{name}") == b"theirs"
        direct.flushdb()
        direct.hset("quickrouter-contract:99:{c}:facts", "version", "of another format")
        used(redis.url)


def test_what_is_no_redis_server_is_told_apart(start: Start, tmp_path: Path) -> None:
    watched = start()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    configured = tmp_path / "sentinel.conf"
    configured.write_text(f"port {port}\nsentinel monitor m 127.0.0.1 {watched.port} 1\n", encoding="ascii")
    with subprocess.Popen(["redis-server", configured, "--sentinel"], stdout=subprocess.DEVNULL) as sentinel:
        eventually(lambda: "no Sentinel" in refused(f"redis://127.0.0.1:{port}"))
        sentinel.kill()
    assert "refuses: DB index is out of range" in refused(watched.url[:-1] + "99")
    with process(port=0) as (_, url):
        assert "cannot reach the state" in refused(url.replace("http", "redis"))
