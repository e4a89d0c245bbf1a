"""The inspector in a real browser: what a person sees, reaches by keyboard and is told, and what hostile data cannot do.

Not collected unless named: the tox environment ``browser`` installs selenium, and Chromium has to be on the machine.
"""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from mockserver.journal import Entry, Journal
from mockserver.server import Running, background
from mockserver.settings import Settings
from tests.browser.pictures import png
from tests.conftest import KEY

HEADERS = {"Authorization": f"Bearer {KEY}", "Accept": "application/json"}


class Page:
    """The page of one mock, and what a person does with it."""

    def __init__(self, driver: webdriver.Chrome, origin: str) -> None:
        self.driver, self.origin = driver, origin

    def open(self, anchor: str = "", width: int = 1280, state: str = "live") -> None:
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500},
        )
        self.driver.get("about:blank")
        self.driver.get(f"{self.origin}/__admin/{anchor}")
        self.until(lambda: self.one("#state").get_attribute("data-state") == state)

    def until(self, met: Callable[[], Any], seconds: float = 10) -> Any:
        # what is found may be replaced before it is read: then it is looked for again
        patient = WebDriverWait(self.driver, seconds, 0.05, [NoSuchElementException, StaleElementReferenceException])
        return patient.until(lambda _: met())

    def one(self, selector: str) -> Any:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[Any]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        return str(self.one(selector).text)

    def rows(self, count: int) -> list[Any]:
        self.until(lambda: len(self.all(".row")) == count)
        return self.all(".row")

    def ask(self, body: Any, **headers: str) -> httpx.Response:
        return httpx.post(f"{self.origin}/v1/images/generations", json=body, headers={**HEADERS, **headers})

    def complaints(self) -> list[str]:
        return [entry["message"] for entry in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]


@pytest.fixture
def running() -> Iterator[Running]:
    with background(Settings(journal_entries=20_000, journal_bytes=256 << 20, max_body=16 << 20)) as mock:
        yield mock


@pytest.fixture
def journal(running: Running) -> Journal:
    return running.journal


@pytest.fixture
def page(browser: webdriver.Chrome, running: Running) -> Iterator[Page]:
    made = Page(browser, running.url)
    made.complaints()
    yield made
    assert made.complaints() == [], "no script failed, and nothing was refused by the Content-Security-Policy"
    browser.get("about:blank")


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_requests_arrive_by_themselves_and_tell_their_verdict(page: Page, good: dict[str, Any]) -> None:
    page.open()
    assert "curl -sS" in page.text("#empty pre"), "an empty page says how to begin"
    page.ask(good)
    page.ask({**good, "n": 12}, **{"Mock-Session": "shop"})
    newest, oldest = page.rows(2)
    assert "400" in newest.text
    assert "1 violation" in newest.text
    assert "n must be at most 10; got 12" in newest.text
    assert "shop" in newest.text
    assert "200" in oldest.text
    assert "clean" in oldest.text
    page.until(lambda: "2 new requests, 1 with violations" in page.text("#said"))
    page.one("#pause").click()
    page.ask(good)
    page.until(lambda: "1 new" in page.text("#pause"))
    assert len(page.all(".row")) == 2
    page.one("#pause").click()
    page.rows(3)
    with pytest.raises(httpx.RemoteProtocolError):
        page.ask(good, Prefer="cut=20")
    newest = page.rows(4)[0]
    assert "cut short" in newest.text
    assert "connection closed after 20 bytes of the body" in newest.text


def test_an_opened_request_marks_the_place_and_quotes_the_page(page: Page, good: dict[str, Any]) -> None:
    page.open()
    page.ask({**good, "n": 12})
    page.rows(1)[0].send_keys(Keys.ENTER)
    page.until(lambda: page.all("#opened"))
    assert page.driver.switch_to.active_element.get_attribute("id") == "opened"
    card = page.text("#finding-1")
    assert "n must be at most 10" in card
    assert "必须介于 1 和 10 之间" in card
    assert page.one("#finding-1 a").get_attribute("href").startswith("https://doc.quickrouter.ai/")
    marked = page.all(".line.marked")
    assert [one.find_element(By.CSS_SELECTOR, ".key").text for one in marked] == ['"n"']
    page.one("#finding-1 .link").click()
    assert page.driver.switch_to.active_element.get_attribute("id") == "mark-1"
    assert "Bearer [redacted]" in page.text(".headers")
    assert "$QUICKROUTER_API_KEY" in page.text("#detail pre")
    assert KEY not in page.driver.page_source
    ActionChains(page.driver).send_keys(Keys.ESCAPE).perform()
    assert not page.one("#detail").is_displayed()
    assert "row" in page.driver.switch_to.active_element.get_attribute("class"), "the caret is where it came from"


def test_from_one_opened_request_to_the_next(page: Page, good: dict[str, Any]) -> None:
    names = [page.ask(good).headers["mock-exchange"] for _ in range(3)]
    page.open(f"#{names[0]}")
    page.rows(3)
    newer, older = page.until(lambda: page.all("[data-step]"))
    assert (newer.get_attribute("aria-disabled"), older.get_attribute("aria-disabled")) == ("false", "true")
    newer.click()
    page.until(lambda: names[1] in page.text("#detail .facts"))
    assert page.one(".row[aria-current]").get_attribute("href").endswith(names[1])
    page.driver.back()
    page.until(lambda: names[0] in page.text("#detail .facts"))
    page.one(".close").click()
    ActionChains(page.driver).send_keys(Keys.ARROW_UP, Keys.ENTER).perform()
    page.until(lambda: page.all("#detail .facts") and names[1] in page.text("#detail .facts"))


def test_pictures_are_known_by_what_they_are(page: Page, journal: Journal, good: dict[str, Any]) -> None:
    coded = base64.b64encode(png(64, 48, (200, 0, 0))).decode()
    step = {"response": {"status": 200, "body": {"any": [{"thing": coded}, {"other": f"data:image/png;base64,{coded[:-2]}x="}],
                                                 "far": "https://img.example/a.png"}}}  # fmt: skip
    httpx.put(f"{page.origin}/__admin/scenarios", json={"name": "pictures", "steps": [step]})
    name = page.ask(good).headers["mock-exchange"]
    page.open(f"#{name}")
    image = page.until(lambda: page.one(".gallery img"))
    page.until(lambda: image.get_property("naturalWidth") == 64)
    assert image.get_attribute("alt") == "Picture 1 of the answer"
    assert "64 × 48" in page.text(".gallery figcaption")
    far = page.one(".gallery .far")
    assert "https://img.example/a.png" in far.text
    assert not far.find_elements(By.TAG_NAME, "img")
    assert len(journal) == 1, "looking sends no request to the mock's API"


def test_hostile_data_stays_text(page: Page, good: dict[str, Any]) -> None:
    evil = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>\u202e]]>{{1}}"
    page.open()
    page.ask(
        {**good, "n": 12, "prompt": evil, evil: evil}, **{"Mock-Session": "<b>bold</b>", "X-Evil": "<svg onload=1>"}
    )
    httpx.post(f"{page.origin}/%3Cimg%20src=x%3E<script>", content=evil.encode(), headers=HEADERS)
    first, second = page.rows(2)
    for row in (second, first):
        row.click()
        page.until(lambda: page.all("#opened"))
        time.sleep(0.2)
    assert page.driver.title != "owned"
    assert not page.all("#rows img, #rows script, #rows b, #detail script, #detail svg, #detail b")
    assert "\\u202e" in page.text("#detail")
    assert "\u202e" not in page.driver.page_source
    assert "<b>bold</b>" in second.text


def test_filter_session_scenario_and_reset(page: Page, journal: Journal, good: dict[str, Any]) -> None:
    page.open()
    page.ask(good)
    page.ask({**good, "n": 12}, **{"Mock-Session": "shop"})
    page.rows(2)
    page.one("#filter").send_keys("body.maximum")
    assert "shop" in page.rows(1)[0].text
    page.one("#filter").send_keys(" nothing-like-it")
    page.rows(0)
    page.one("#empty button").click()
    page.rows(2)
    Select(page.one("#verdict")).select_by_value("clean")
    page.rows(1)
    Select(page.one("#verdict")).select_by_value("all")
    page.until(lambda: len(page.all("#scenario option")) > 3)
    Select(page.one("#session")).select_by_value("shop")
    Select(page.one("#scenario")).select_by_value("rate-limited")
    page.one("#arm").click()
    page.until(lambda: "rate-limited is armed for session shop" in page.text("#armed"))
    assert page.ask(good, **{"Mock-Session": "shop"}).status_code == 429
    assert page.ask(good).status_code == 200
    page.rows(2)
    page.one("#disarm").click()
    page.until(lambda: not page.one("#armed").is_displayed())
    page.one("#reset").click()
    assert page.one("#sure").is_displayed()
    page.one("#sure-no").click()
    assert len(journal) == 4
    page.one("#reset").click()
    page.one("#sure-yes").click()
    page.rows(0)
    Select(page.one("#session")).select_by_value("*")
    page.rows(2)


def test_a_record_can_be_kept(page: Page, folder: Path, good: dict[str, Any]) -> None:
    page.open()
    page.ask(good)
    page.rows(1)
    file = folder / "mock.har"
    page.one("#har").click()
    page.until(file.exists)
    assert json.loads(file.read_text())["log"]["entries"][0]["request"]["url"].endswith("/v1/images/generations")


def test_ten_thousand_requests_and_bodies_of_five_megabytes(page: Page, journal: Journal, good: dict[str, Any]) -> None:
    page.ask({**good, "prompt": "x" * 5_000_000})
    sample: Entry = journal.entries()[0]
    for number in range(10_000):
        journal.append(sample._replace(id=f"many-{number}", body=b"{}"))
    started = time.monotonic()
    page.open()
    page.rows(200)
    assert time.monotonic() - started < 8
    assert page.text("#count") == "10,001 requests"
    page.one("#filter").send_keys("many-77")
    page.until(lambda: page.text("#count") == "111 of 10,001 requests")
    page.one("#filter").clear()
    page.one("#filter").send_keys("many ")
    page.rows(200)
    page.driver.execute_script("arguments[0].click()", page.one("#older"))  # type: ignore[no-untyped-call]
    page.rows(400)
    started = time.monotonic()
    page.open(f"#{sample.id}")
    page.until(lambda: "5,000,000 characters" in page.driver.page_source)
    assert time.monotonic() - started < 8
    assert len(page.driver.page_source) < 400_000


def test_where_no_stream_gets_through_it_asks_again_and_again(page: Page, good: dict[str, Any]) -> None:
    script = page.driver.execute_cdp_cmd(
        "Page.addScriptToEvaluateOnNewDocument", {"source": "delete window.EventSource"}
    )
    try:
        page.open(state="polling")
        page.ask(good)
        page.rows(1)
        page.ask(good)
        page.rows(2)
    finally:
        page.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


def test_a_mock_that_starts_again_is_found_again(
    browser: webdriver.Chrome, good: dict[str, Any], unused_port: int, tmp_path: Path
) -> None:
    command = [sys.executable, "-P", "-m", "mockserver", "mock", "--port", str(unused_port)]

    @contextmanager
    def started() -> Iterator[None]:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as mock:
            assert mock.stdout is not None
            assert mock.stderr is not None
            mock.stdout.readline()
            yield
            mock.terminate()
            assert mock.wait(10) == 0
            assert mock.stderr.read() == "", "an open page does not make the end of the mock noisy"

    url = f"http://127.0.0.1:{unused_port}"
    page = Page(browser, url)
    with started():
        page.open()
        page.ask(good)
        page.ask(good)
        page.rows(2)
    page.until(lambda: page.one("#state").get_attribute("data-state") == "lost")
    with started():
        page.until(lambda: page.one("#state").get_attribute("data-state") == "live")
        page.rows(0)
        page.ask(good)
        page.rows(1)
    browser.get("about:blank")


@pytest.mark.parametrize("width", [360, 390, 820, 1280])
def test_nothing_is_cut_off_at_the_side(page: Page, good: dict[str, Any], width: int) -> None:
    name = page.ask({**good, "n": 12, "prompt": "w" * 3000}).headers["mock-exchange"]
    for anchor in ("", f"#{name}"):
        page.open(anchor, width)
        page.until(lambda: page.all(".line" if anchor else ".row"))  # noqa: B023
        sizes = page.driver.execute_script("return [document.documentElement.scrollWidth, innerWidth]")  # type: ignore[no-untyped-call]
        assert sizes[0] <= width
    assert page.one("#list").is_displayed() == (width > 700), "a phone shows the opened request alone"


def test_everything_has_a_name_and_a_place(page: Page, good: dict[str, Any]) -> None:
    name = page.ask({**good, "n": 12}).headers["mock-exchange"]
    page.open(f"#{name}")
    page.until(lambda: page.all("#opened"))
    tree = page.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    found: dict[str, list[str]] = {}
    for node in tree:
        if not node.get("ignored"):
            found.setdefault(node["role"]["value"], []).append(node.get("name", {}).get("value", ""))
    for role in ("button", "link", "textbox", "searchbox", "combobox", "region", "main", "list"):
        assert all(found.get(role, [])) or role == "list", f"a {role} has no name: {found[role]}"
    assert len(found["main"]) == 1
    assert {"Pause", "Arm", "Close", "Newer request", "Older request", "Copy"} <= set(found["button"])
    assert {"banner", "main", "search"} <= set(found)
