"""Pictures in the mock's answers, over real sockets: what was asked for, by address, off the loop, within bounds."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image

from mockserver import gallery
from mockserver.gallery import PATH, Gallery, MalformedAddressError, UndrawnError, address_of, picture_at
from mockserver.meaning import Session
from mockserver.pictures import Picture
from mockserver.server import Running, background
from mockserver.settings import Settings
from tests.conftest import Answer, ask

EASEL = str(Path(__file__).parent / "pictured")


@pytest.fixture(scope="module")
def _studio() -> Iterator[Running]:
    with background(Settings(contract=EASEL)) as running:
        yield running


@pytest.fixture
def studio(_studio: Running) -> Running:
    """A mock of the contract with pictures, with an empty journal."""
    _studio.journal.clear()
    return _studio


def painted(running: Running, headers: dict[str, str | None] | None = None, **wishes: Any) -> list[dict[str, str]]:
    answer = ask(running, path="/studio/canvases", value={"motif": "a heron", **wishes}, headers=headers)
    assert answer.status == 200, answer.body
    return list(answer.json()["canvases"])


def opened(text: str) -> Image.Image:
    image = Image.open(io.BytesIO(base64.b64decode(text, validate=True)))
    image.load()
    return image


def hung(running: Running, link: str) -> Answer:
    assert urlsplit(link).netloc == f"127.0.0.1:{running.port}"
    return ask(running, "GET", urlsplit(link).path)


@pytest.mark.parametrize("file", ["png", "jpeg", "webp"])
@pytest.mark.parametrize("ground", ["transparent", "opaque"])
@pytest.mark.parametrize("extent", ["320x200", "200x320"])
def test_size_format_and_background_are_those_asked_for(studio: Running, file: str, ground: str, extent: str) -> None:
    (canvas,) = painted(studio, file=file, ground=ground, extent=extent)
    answer = hung(studio, canvas["link"])
    assert answer.headers["content-type"] == f"image/{file}"
    for image in (opened(canvas["inline"]), Image.open(io.BytesIO(answer.body))):
        assert f"{image.width}x{image.height}" == extent
        assert image.format == file.upper()
        corner = image.convert("RGBA").getpixel((0, 0))
        assert isinstance(corner, tuple)
        assert (corner[3] == 0) == (ground == "transparent" and file != "jpeg")  # JPEG has no transparency


def test_what_is_left_open_is_what_the_contract_says(studio: Running) -> None:
    (canvas,) = painted(studio)
    image = opened(canvas["inline"])
    assert (image.size, image.format) == ((240, 160), "PNG")
    assert image.convert("RGBA").getchannel("A").getextrema() == (255, 255)


def test_quality_is_the_encoder_s(studio: Running) -> None:
    sizes = [len(painted(studio, file="jpeg", extent="512x512", fineness=q)[0]["inline"]) for q in (5, 60, 95)]
    assert sizes == sorted(set(sizes))


def test_all_pictures_differ_and_equal_requests_get_equal_ones(studio: Running) -> None:
    first = [canvas["inline"] for canvas in painted(studio, copies=4)]
    other = [canvas["inline"] for canvas in painted(studio, copies=4, motif="an egret")]
    assert len({*first, *other}) == 8
    assert [canvas["inline"] for canvas in painted(studio, copies=4)] == first


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(
    studio: Running, start: Callable[..., Running]
) -> None:
    seven = [painted(studio, {"Prefer": "seed=7"})[0] for _ in range(2)]
    assert seven[0]["inline"] == seven[1]["inline"] != painted(studio, {"Prefer": "seed=8"})[0]["inline"]
    assert seven[0]["link"] == seven[1]["link"]
    assert picture_at(urlsplit(seven[0]["link"]).path)[1] == 0, "an address of a seeded answer has no end"
    again = start(contract=EASEL, seed=7)
    assert painted(again)[0]["inline"] == seven[0]["inline"]


def test_every_picture_keeps_the_contract(studio: Running) -> None:
    for wishes in ({}, {"copies": 3}, {"file": "webp", "ground": "transparent"}, {"motif": ""}, {"motif": "猫 😀 قطة"}):
        painted(studio, **wishes)
    session = Session()
    exchanges = [entry.exchange for entry in studio.journal.entries()]
    exchanges = [replace(e, request=replace(e.request, path=e.request.path.removeprefix("/studio"))) for e in exchanges]
    assert len(exchanges) == 5
    found = [v for e in exchanges for v in studio.mock.pipeline.judge.exchange(e, session)]
    assert [f"{v.rule} {v.pointer}: {v.message}" for v in found] == []


def test_an_address_names_the_host_that_was_called_and_ends(studio: Running) -> None:
    for host, shown in (("studio.test:81", "studio.test:81"), ("[::1]:4010", "[::1]:4010"), ('ev"il', "localhost")):
        (canvas,) = painted(studio, {"Host": host})
        assert canvas["link"].startswith(f"http://{shown}{PATH}")
    (canvas,) = painted(studio)
    answer = hung(studio, canvas["link"])
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "max-age" in answer.headers["cache-control"]
    picture, expires = picture_at(urlsplit(canvas["link"]).path)
    assert 0 < expires - time.time() <= 2
    gone = ask(studio, "GET", address_of(picture, int(time.time()) - 1))
    assert (gone.status, gone.headers["content-type"]) == (410, "application/problem+json")


def test_a_page_of_another_site_may_show_it(studio: Running) -> None:
    path = urlsplit(painted(studio)[0]["link"]).path
    page = {"Origin": "https://app.example", "Sec-Fetch-Site": "cross-site", "Host": f"studio.test:{studio.port}"}
    assert ask(studio, "GET", path, headers=page).status == 200
    assert ask(studio, "HEAD", path).status == 200
    assert ask(studio, "POST", path, b"").status == 405


@pytest.mark.parametrize(
    "values",
    [
        [],
        {},
        [1, 2, 3],
        [99999, 99999, "png", False, 85, "", "", 1, 1, 0, 0.0, 0],
        [0, 10, "png", False, 85, "", "", 1, 1, 0, 0.0, 0],
        [-10, -10, "png", False, 85, "", "", 1, 1, 0, 0.0, 0],
        [64, 64, "tiff", False, 85, "", "", 1, 1, 0, 0.0, 0],
        [64, 64, "png", False, "x", "", "", 1, 1, 0, 0.0, 0],
        [64, 64, "png", False, 85, ["x"], "", 1, 1, 0, 0.0, 0],
        [64, 64, "png", False, 85, "", "", 1, 1, 0, 1e300, 0],
    ],
)
def test_an_address_that_nobody_gave_draws_nothing(studio: Running, values: Any) -> None:
    name = base64.urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).decode().rstrip("=")
    for path in (
        f"{PATH}{name}.png",
        f"{PATH}{name}.tiff",
        f"{PATH}{name}",
        f"{PATH}{'A' * 9000}.png",
        f"{PATH}%00.png",
    ):
        assert ask(studio, "GET", path).status == 404


def test_addresses_and_pictures_mean_each_other() -> None:
    picture = Picture(64, 48, "webp", True, 50, 'a "heron" 猫\ud800', "m", 2, 3, 2**63 + 1)
    path = address_of(picture, 17)
    found, expires = picture_at(path)
    assert (found.design, found.prompt[:11], expires) == (picture.design, 'a "heron" 猫', 17)
    assert address_of(found, 17) == path
    with pytest.raises(MalformedAddressError):
        picture_at(path.replace(".webp", ".png"))


def test_the_gallery_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = [Picture(128, 128, design=number) for number in range(12)]
    shown = Gallery("plain")
    size = len(shown.file(pictures[0]))
    monkeypatch.setattr(gallery, "KEPT_AT_MOST", 4 * size)
    for picture in pictures:
        shown.file(picture)
    with pytest.raises(UndrawnError):
        shown.kept(pictures[0])
    assert len(shown.kept(pictures[-1])) <= 4 * size


def test_plain_pictures_are_flat_and_still_differ(start: Callable[..., Running]) -> None:
    plain = start(contract=EASEL, image_style="plain")
    canvases = painted(plain, copies=4, extent="512x512") + painted(plain, motif="x", extent="512x512")
    images = [opened(canvas["inline"]) for canvas in canvases]
    assert all(len(image.getcolors() or ()) == 2 for image in images)
    assert len({image.tobytes() for image in images}) == 5


def test_drawing_does_not_hold_up_other_answers(studio: Running) -> None:
    """While big pictures are drawn, small questions are answered at once."""
    waits: list[float] = []
    done = threading.Event()

    def wait() -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{studio.port}") as client:
            client.get("/__admin/health")
            while not done.is_set():
                began = time.perf_counter()
                assert client.post("/studio/canvases", json={"motif": 5}).status_code == 400
                waits.append(time.perf_counter() - began)

    painted(studio)  # Pillow is there
    thread = threading.Thread(target=wait)
    thread.start()
    began = time.perf_counter()
    for number in range(2):
        painted(studio, motif=f"heron {number}", copies=4, extent="1024x1024", file="webp")
    took = time.perf_counter() - began
    done.set()
    thread.join()
    assert len(waits) > 8, f"{len(waits)} answers in {took:.2f} s"
    assert sorted(waits)[len(waits) // 2] < took / 8, "half of them waited for less than one picture"


def test_a_mock_without_pictures_never_imports_pillow(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom mockserver.server import background\nfrom mockserver.settings import Settings\n"
        "from tests.conftest import ask\n"
        f"with background(Settings(contract={EASEL!r})) as running:\n"
        "    assert ask(running, path='/studio/canvases', value={'motif': 5}).status == 400\n"
        "    before = 'PIL' in sys.modules\n"
        "    assert ask(running, path='/studio/canvases', value={'motif': 'x'}).status == 200\n"
        "    print(before, 'PIL' in sys.modules)\n"
    )
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == ["False", "True"]
