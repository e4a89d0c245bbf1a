"""What several mocks share: what a store keeps, how exchanges and scenarios get through it, and which places are taken.

``tests/machines`` runs the same against a Redis server.
"""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mockserver.app import Mock
from mockserver.contract import Contract
from mockserver.errors import StateError, UsageError
from mockserver.journal import OVERHEAD
from mockserver.openapi import load
from mockserver.scenarios import SESSIONS_AT_MOST, read_scenarios, scenario_of
from mockserver.server import Running, background
from mockserver.settings import Settings
from mockserver.state.packing import packed_scenario, scenario_in
from mockserver.state.places import store_at
from mockserver.state.shared import SharedJournal, SharedStage
from mockserver.state.store import Limits, Row, Standing, Store
from tests.conftest import ask
from tests.test_journal import entry, plain
from tests.test_mock_server import at, process

Make = Callable[..., Store]


@pytest.fixture
def place(tmp_path: Path) -> str:
    return str(tmp_path / "state")


@pytest.fixture
def make(place: str) -> Iterator[Make]:
    """Opens the place anew, as another process would."""
    stores: list[Store] = []

    def opened(entries: int = 100, size: int = 10**6) -> Store:
        stores.append(store_at(place, "contract", Limits(entries, size)))
        return stores[-1]

    yield opened
    for store in stores:
        store.close()


def rows(*numbers: int, size: int = 10, session: str = "") -> list[Row]:
    return [Row(f"x-{number}", session, size, b"%d\n\0" % number) for number in numbers]


def test_what_one_wrote_the_other_reads(make: Make) -> None:
    one, other = make(), make()
    one.append(rows(1, 2))
    other.append(rows(3, session="a"))
    assert one.rows(None) == other.rows(None) == [b"1\n\0", b"2\n\0", b"3\n\0"]
    assert one.rows("a") == [b"3\n\0"]
    assert other.row("x-2") == b"2\n\0"
    assert other.row("x-9") is None
    assert other.since("x-1") == [b"2\n\0", b"3\n\0"]
    assert other.since("x-3") == []
    assert other.since("x-9") is None
    assert other.standing() == Standing(3, 0, 0, "x-3")
    assert make().clear("a") == 1
    assert one.standing() == Standing(2, 0, 1, "x-2")
    assert (one.clear(None), one.clear(None), one.rows(None), one.standing()) == (2, 0, [], Standing(0, 0, 3, ""))


def test_rows_far_back_are_found(make: Make) -> None:
    store = make(1000)
    store.append(rows(*range(350)))
    assert store.row("x-0") == b"0\n\0"
    for last in (0, 49, 249, 250, 348, 349):
        assert store.since(f"x-{last}") == [b"%d\n\0" % number for number in range(last + 1, 350)]
    assert (store.since("x-350"), store.row("x-350")) == (None, None)


def test_the_bounds_hold_for_all_together(make: Make) -> None:
    one, other = make(5, 1000), make(5, 1000)
    for number in range(6):
        (one, other)[number % 2].append(rows(2 * number, 2 * number + 1))
    assert one.rows(None) == [b"%d\n\0" % number for number in range(7, 12)]
    assert one.standing().dropped == 7
    one.append(rows(20, size=960))
    assert other.rows(None) == [b"8\n\0", b"9\n\0", b"10\n\0", b"11\n\0", b"20\n\0"]
    other.append(rows(21, size=900))
    assert one.rows(None) == [b"21\n\0"]
    one.append(rows(22, size=5000))
    assert one.rows(None) == [b"22\n\0"], "the newest is kept even when it is alone too large"
    one.clear(None)
    one.append(rows(*range(30, 34), size=250))
    assert len(other.rows(None)) == 4, "what was cleared no longer counts"


def test_a_row_is_replaced_where_it_stands(make: Make) -> None:
    one, other = make(3), make(3)
    one.append(rows(1, 2, 3))
    other.amend("x-2", b"new")
    other.amend("x-9", b"nowhere")
    assert one.rows(None) == [b"1\n\0", b"new", b"3\n\0"]
    assert (one.row("x-2"), one.since("x-1")) == (b"new", [b"new", b"3\n\0"])
    assert one.standing() == Standing(3, 0, 0, "x-3")
    one.append(rows(4, 5))
    other.amend("x-2", b"newer")
    other.amend("x-5", b"last")
    assert one.rows(None) == [b"3\n\0", b"4\n\0", b"last"]
    one.clear(None)
    one.append(rows(5))
    assert one.rows(None) == [b"5\n\0"], "what took the place of a row went with it"


def test_turns_are_counted_once_each(make: Make) -> None:
    counted: list[int] = []

    def work() -> None:
        store = make()
        counted.extend(store.advance("a", "busy") for _ in range(50))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counted) == list(range(200))
    store = make()
    assert (store.turn("a", "busy"), store.turn("b", "busy"), store.turn("a", "idle")) == (200, 0, 0)
    store.advance("ab", "busy")
    store.arm("a", b"null")
    assert (store.turn("a", "busy"), store.turn("ab", "busy")) == (0, 1)
    assert [store.follow("t"), store.follow("t"), make().follow("t"), store.follow("u")] == [0, 1, 2, 0]
    store.reset()
    assert (store.turn("ab", "busy"), store.follow("t")) == (0, 3)
    store.rewind()
    assert store.follow("t") == 0


def test_every_change_of_what_is_armed_has_a_version(make: Make) -> None:
    one, other = make(), make()
    seen = [one.version()]
    for change in (
        lambda: one.arm("", b"1"), lambda: other.arm("a", b"2"), lambda: one.arm("", b"3"), lambda: one.arm("a", None),
    ):  # fmt: skip
        change()
        seen.append(other.version())
    assert len(set(seen)) == 5
    assert one.armed() == {"": b"3"}
    other.reset()
    assert one.version() not in seen
    assert one.armed() == {}


def test_the_oldest_sessions_make_room(make: Make) -> None:
    store = make()
    for number in range(SESSIONS_AT_MOST + 3):
        store.arm(f"s{number}", b"1")
        store.advance(f"s{number}", "busy")
    armed = store.armed()
    assert len(armed) == SESSIONS_AT_MOST
    assert "s2" not in armed
    assert "s3" in armed
    assert (store.turn("s2", "busy"), store.turn("s3", "busy")) == (0, 1)


def test_exchanges_come_back_as_they_were(make: Make, start: Callable[..., Running], good: dict[str, Any]) -> None:
    mock = start()
    ask(mock, value=good, headers={"Mock-Session": "é"})
    ask(mock, value={**good, "n": 99, "prompt": "\x00 \ud83d\ude00"}, headers={"Prefer": "scenario=cut, nonsense"})
    ask(mock, value=good)
    ask(mock, "GET", "/no%00where?a=%ff", body=b"\xff\x00\n\n", headers={"X-Odd": "\xff"})
    ask(mock, value=good, headers={"Prefer": "cut=3"})
    told = mock.journal.entries()
    assert any(one.violations and one.notes for one in told)
    assert any(one.cut for one in told)
    journal = SharedJournal(make())
    for row in (*told, plain(7, 40)):
        journal.append(row)
    assert len(journal) == 0, "nobody was answered yet"
    journal.commit()
    assert journal.entries()[:-1] == told
    assert journal.entries("é") == [one for one in told if one.session == "é"]
    assert journal.get(told[1].id) == told[1]
    assert [one.id for one in journal.since(told[-1].id) or []] == [journal.newest] == ["7"]
    assert [one.id for one in journal.exchanges()] == [one.id for one in journal.entries()]


def test_a_plain_exchange_counts_as_in_memory(make: Make) -> None:
    journal = SharedJournal(make(100, 3 * (OVERHEAD + 50)))
    for number in range(5):
        journal.append(entry(number, 40))
        journal.commit()
    assert (len(journal), journal.dropped, journal.cleared) == (3, 2, 0)


def test_scenarios_come_back_as_they_were() -> None:
    contract: Contract = load()
    own = scenario_of("own", {"steps": [{"times": 2, "response": {"status": 299, "text": "ü\0"}}], "then": "repeat"})
    for scenario in (None, own, *read_scenarios(contract.document).values()):
        assert scenario_in(packed_scenario(scenario)) == scenario


def test_a_stage_plays_what_another_armed(make: Make) -> None:
    first, second = (scenario_of(name, {"steps": [{"times": 2}]}) for name in ("first", "second"))
    one, other = SharedStage(make(), first), SharedStage(make(), first)
    assert not one.idle
    assert other.armed("a") == first
    one.arm("a", second)
    assert (other.armed("a"), other.armed("")) == (second, first)
    assert [bool(stage.play("a", second)) for stage in (one, other, one)] == [True, True, False]
    assert other.turn("a", second) == 3
    other.arm("a", None)
    assert (one.armed("a"), one.turn("a", second)) == (None, 0)
    other.reset("a")
    assert one.armed("a") == first
    idle = SharedStage(make())
    other.reset(None)
    assert idle.idle
    other.arm("", None)
    assert not idle.idle, "somebody plays normal answers where another scenario is the first one"


def test_what_a_file_holds_is_there_for_the_next_mock(
    start: Callable[..., Running], tmp_path: Path, good: dict[str, Any]
) -> None:
    place = str(tmp_path / "kept")
    mock = start(state=place)
    names = [ask(mock, value=good).headers["mock-exchange"], ask(mock, value={}).headers["mock-exchange"]]
    assert ask(mock, "PUT", "/__admin/scenarios", value={"name": "rate-limited"}).status == 200
    second = start(state=place)
    assert [one["id"] for one in ask(second, "GET", "/__admin/requests").json()["requests"]] == names
    assert ask(second, value=good).status == 429
    assert ask(mock, "DELETE", "/__admin/scenarios").status == 200
    assert ask(second, value=good).status == 200
    assert (Path(place).stat().st_mode & 0o777) == 0o600


def test_a_broken_file_is_told_of(tmp_path: Path) -> None:
    place = tmp_path / "kept"
    limits = Limits(1000, 10**6)
    store = store_at(str(place), "", limits)
    for number in range(500):
        store.append(rows(number, size=1000))
    store.close()
    pages = place.stat().st_size // 4096
    told = set()
    for page in range(0, pages, 2):
        whole = place.read_bytes()
        place.write_bytes(whole[: page * 4096] + b"\xff" * 4096 + whole[(page + 1) * 4096 :])
        try:
            with closing(store_at(str(place), "", limits)) as store:
                store.append(rows(page))
                store.rows(None)
        except StateError as wrong:
            told.add(str(wrong).removeprefix(f"cannot keep the state in {place}: "))
        place.write_bytes(whole)
        for beside in tmp_path.glob("kept-*"):
            beside.unlink()
    assert told == {"file is not a database; name another file", "database disk image is malformed; name another file"}


def test_who_is_killed_while_making_a_file_leaves_one_that_can_be_used(make: Make, place: str) -> None:
    program = f"""
import os, sqlite3
from mockserver.state import file
from mockserver.state.store import Limits
class Killed(sqlite3.Connection):
    def execute(self, statement, *given):
        if statement.startswith("INSERT INTO facts"):
            os._exit(9)
        return super().execute(statement, *given)
connect = sqlite3.connect
file.sqlite3.connect = lambda *given, **more: connect(*given, factory=Killed, **more)
file.FileStore({place!r}, "contract", Limits(1, 1))
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 9
    store = make()
    store.append(rows(1))
    assert store.standing() == Standing(1, 0, 0, "x-1")


def test_an_answer_whose_record_is_lost_is_not_sent(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when it is just then that another client is found to be gone, which is recorded as well."""
    sent: list[bytes] = []

    class Wire(asyncio.WriteTransport):
        def is_closing(self) -> bool:
            return False

        def write(self, data: bytes | bytearray | memoryview) -> None:
            sent.append(bytes(data))

    def lost(_: Any) -> None:
        raise StateError("the disk is full")

    async def turn() -> None:
        with closing(Mock(Settings(state=place))) as mock:
            mock.journal.append(entry(1, 10))
            mock.outbox.put(asyncio.get_running_loop(), Wire(), b"HTTP/1.1 200 OK")
            monkeypatch.setattr(mock.state.store, "append", lost)
            mock.missed("x-0")
            await asyncio.sleep(0)

    asyncio.run(turn())
    assert [data[:12] for data in sent] == [b"HTTP/1.1 503"]


@pytest.mark.skipif(sys.platform != "linux", reason="limits on files are told of in other ways elsewhere")
def test_without_room_a_mock_refuses_and_recovers(tmp_path: Path, good: dict[str, Any]) -> None:
    place, room = tmp_path / "kept", 512 * 1024
    with process(port=0, state=str(place)) as (script, url):
        names = [at(url, value=good).headers["mock-exchange"]]
        resource.prlimit(script.pid, resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
        statuses = [at(url, value=good).status for _ in range(60)]
        assert set(statuses) == {200, 503}
        refused = at(url, value=good)
        assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        assert "cannot keep its state" in refused.json()["error"]["message"]
        for _ in range(10):  # what is left may be enough for a look, but not for long
            health = at(url, "GET", "/__admin/health")
        assert (health.status, health.headers["content-type"]) == (503, "application/problem+json")
        assert f"cannot keep the state in {place}: disk I/O error" in health.json()["detail"]
        assert names[0] in {one["id"] for one in at(url, "GET", "/__admin/requests").json()["requests"]}
        resource.prlimit(script.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert at(url, "GET", "/__admin/health").status == 200
        names.append(at(url, value=good).headers["mock-exchange"])
        kept = [one["id"] for one in at(url, "GET", "/__admin/requests").json()["requests"]]
        assert (kept[0], kept[-1]) == (names[0], names[1])


def test_a_place_that_cannot_be_meant_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other"
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE theirs (a)")
    database.close()
    text = tmp_path / "text"
    text.write_text("this is a letter to somebody, no database" * 30)
    limits = Limits(1, 1)

    def kept(name: str, change: str) -> str:
        place = str(tmp_path / name)
        store_at(place, "", limits).close()
        with sqlite3.connect(place) as database:
            database.execute(change)
        database.close()
        return place

    for place, wrong in (
        (str(other), "another program's database"), (str(text), "not a database"), (str(tmp_path), "s a directory"),
        (str(tmp_path / "no" / "where"), "No such file"), (f"unix://{tmp_path}/none", "cannot reach the state"),
        (kept("newer", f"PRAGMA application_id = {0x515243FF}"), "another version of this program's"),
        (kept("theirs", "UPDATE facts SET contract = 'garden'"), "that of a mock of the contract garden"),
        (f"rediss://127.0.0.1?ssl_ca_certs={tmp_path}/none", "a file that cannot be read: ssl_ca_certs="),
    ):  # fmt: skip
        with pytest.raises(StateError, match=wrong):
            store_at(place, "", limits)
    with background(Settings()) as web, pytest.raises(StateError, match="does not speak Redis's protocol"):
        store_at(f"redis://127.0.0.1:{web.port}", "", limits)
    for place, wrong in (
        ("", "--state is empty"), ("http://127.0.0.1", "begins with redis://"), ("redis://:geheim@127.0.0.1", "takes no password"),
        ("redis://127.0.0.1?password=geheim", "takes no password"), ("redis://[", "no address"),
        ("redis://127.0.0.1?pass%77ord=geheim", "takes no password"), ("redis://127.0.0.1:99999", "no address"),
        ("redis:127.0.0.1", "without the //"), ("redis://127.0.0.1/first", "a database by its number"),
        ("redis://127.0.0.1/0?ssl=1", "knows no ssl="), ("redis:///0", "names a host"),
        ("unix://", "the path of a socket"), ("unix:///run/redis.sock?db=x", "a database by its number"),
    ):  # fmt: skip
        with pytest.raises(UsageError, match=wrong) as told:
            store_at(place, "", limits)
        assert "geheim" not in str(told.value)
    for place, wrong in ((str(other), "another program's database"), ("redis://a:geheim@b", "takes no password")):
        command = [sys.executable, "-m", "mockserver", "mock", "--port", "0", "--state", place]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
        assert (done.returncode, done.stdout) == (2, "")
        assert wrong in done.stderr
        assert "Traceback" not in done.stderr
        assert "geheim" not in done.stderr


def test_a_file_stays_small_on_the_disk(tmp_path: Path) -> None:
    place, size = tmp_path / "kept", 2_000_000
    store = store_at(str(place), "contract", Limits(1000, size))
    for number in range(0, 2000, 20):
        store.append([Row(f"x-{one}", "", 20_000, bytes(19_000)) for one in range(number, number + 20)])
    assert store.standing() == Standing(100, 1900, 0, "x-1999")
    taken = sum(one.stat().st_size for one in tmp_path.iterdir())
    assert taken < 2 * size + 5_000_000, "the write-ahead log begins again after 4 MB"
    store.close()
    assert sum(one.stat().st_size for one in tmp_path.iterdir()) < 2 * size, "and is gone with its last user"
