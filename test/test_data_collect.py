"""Collecting from a real web server on loopback: what is kept, refused, and asked again."""

import csv
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest

from training.collect import main
from training.collected import RECORD, Collection
from training.errors import TrainingError
from training.likeness import signs
from training.sources import read_sources, write_sources

pytest.importorskip("icrawler", reason="collecting needs icrawler")

from icrawler.builtin import BingImageCrawler  # noqa: E402
from icrawler.builtin.bing import BingFeeder  # noqa: E402

from training.crawl import Pace, crawl_words  # noqa: E402

REPOSITORY = Path(__file__).resolve().parents[1]


def picture(seed: int, suffix: str = ".jpg", side: int = 120) -> bytes:
    """Return a picture unlike those of other seeds."""
    blots = np.random.default_rng(seed).integers(0, 256, (9, 9, 3), np.uint8)
    image = cv2.resize(blots, (side, side), interpolation=cv2.INTER_CUBIC)
    return cv2.imencode(suffix, image)[1].tobytes()


def mirrored(content: bytes) -> bytes:
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    return cv2.imencode(".png", cv2.resize(image[:, ::-1], (200, 200)))[1].tobytes()


class Site(ThreadingHTTPServer):
    """A web site of pages held in memory; it counts what it is asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pages: dict[str, bytes | int | str] = {}
        self.asked: Counter[str] = Counter()
        self.delay = 0.0
        self.broken = False  # whether the connection breaks off amid broken.jpg
        self.url = f"http://127.0.0.1:{self.server_port}"

    def listed(self, path: Path, *names: str) -> Path:
        path.write_text("# pictures\n\n" + "".join(f"{self.url}/{name}\n" for name in names))
        return path


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        site, name = self.server, self.path.lstrip("/").partition("?")[0]
        site.asked[name] += 1
        page = site.pages.get(name, 404)
        time.sleep(3 if page == "asleep" else site.delay)
        broken = site.broken and name == "broken.jpg"
        if isinstance(page, int):
            self.send_error(page)
        elif isinstance(page, str):
            self.send_response(302)
            self.send_header("Location", page)
            self.end_headers()
        else:
            self.send_response(200)
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page[:1000] if broken else page)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def lines_of(folder: Path) -> dict[str, dict]:
    """Return the last line of each address, by the last part of it."""
    lines = map(json.loads, (folder / RECORD).read_text().splitlines())
    return {line["url"].rpartition("/")[2]: line for line in lines}


def test_good_pictures_are_kept_and_all_others_refused_with_the_reason(site, tmp_path, capsys):
    whole = picture(1)
    site.pages = {
        "good.jpg": whole,
        "good.webp": picture(2, ".webp"),
        "moved.jpg": "/good.png",
        "good.png": picture(3, ".png"),
        "same.jpg": whole,
        "mirrored.png": mirrored(whole),
        "page.jpg": b"<html><body>Sign in to see this picture</body></html>",
        "cut.jpg": picture(4)[:1500],
        "small.png": picture(5, ".png", 20),
        "picture.tiff": picture(6, ".tiff"),
        "script.jpg": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 200 200\n%%EndComments\nshowpage\n",
        "busy.jpg": 503,
        "asleep.jpg": "asleep",
        "loop.jpg": "/loop.jpg",
    }
    names = [*site.pages, "gone.jpg"]
    options = ["--out", str(tmp_path / "got"), "--pause", "0", "--timeout", "1"]
    main(["--urls", str(site.listed(tmp_path / "urls.txt", *names)), *options])
    lines = lines_of(tmp_path / "got")
    assert set(lines) == set(names)
    kept = {name for name, line in lines.items() if line["status"] == "kept"}
    assert {"good.webp"} <= kept and kept & {"moved.jpg", "good.png"}
    assert len(kept & {"good.jpg", "same.jpg", "mirrored.png"}) == 1  # whichever came first
    assert len(kept) == 3
    for name, reason in {
        "page.jpg": "not a picture",
        "cut.jpg": "damaged picture",
        "small.png": "only 20 x 20 pixels",
        "picture.tiff": "a TIFF picture",
        "script.jpg": "a EPS picture",
        "gone.jpg": "server answers 404",
        "busy.jpg": "server answers 503",
        "asleep.jpg": "no answer within 1 s",
        "loop.jpg": "redirects",
    }.items():
        assert reason in lines[name]["reason"], name
    assert {name for name, line in lines.items() if line["status"] == "failed"} == {"busy.jpg", "asleep.jpg"}
    files = {path.name for path in (tmp_path / "got").iterdir()}
    assert files == {lines[name]["file"] for name in kept} | {RECORD, "sources.csv"}
    assert "3 pictures kept" in capsys.readouterr().out
    with open(tmp_path / "got" / "sources.csv") as file:
        rows = list(csv.DictReader(file))
    assert {row["source"] for row in rows} == {"127.0.0.1"}
    assert {(row["width"], row["height"]) for row in rows} == {("120", "120")}
    assert all(row["time"].startswith("20") and len(row["sha256"]) == 64 for row in rows)


def test_a_second_run_asks_only_for_what_failed(site, tmp_path):
    site.pages = {"a.jpg": picture(1), "b.jpg": b"no picture", "c.jpg": 503, "broken.jpg": picture(3)}
    site.broken = True
    urls = site.listed(tmp_path / "urls.txt", *site.pages)
    for _ in range(2):
        main(["--urls", str(urls), "--out", str(tmp_path / "got"), "--pause", "0"])
        site.pages["c.jpg"], site.broken = picture(2), False
    assert site.asked == {"a.jpg": 1, "b.jpg": 1, "c.jpg": 2, "broken.jpg": 2}
    lines = lines_of(tmp_path / "got")
    assert lines["c.jpg"]["status"] == lines["broken.jpg"]["status"] == "kept"


def test_a_killed_run_goes_on_without_loss(site, tmp_path):
    site.delay = 0.15
    site.pages = {f"{number}.jpg": picture(number) for number in range(24)}
    urls, got = site.listed(tmp_path / "urls.txt", *site.pages), tmp_path / "got"
    command = [
        sys.executable,
        "-m",
        "training.collect",
        "--urls",
        str(urls),
        "--out",
        str(got),
        "--pause",
        "0.05",
    ]
    process = subprocess.Popen(command, cwd=REPOSITORY, env=os.environ | {"PYTHONPATH": str(REPOSITORY)})
    deadline = time.monotonic() + 60
    while not (got / RECORD).is_file() or (got / RECORD).read_bytes().count(b"\n") < 5:
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = [line for line in (got / RECORD).read_text().splitlines() if line.endswith("}")]
    assert len(before) < 24
    with open(got / RECORD, "a") as file:
        file.write('{"url": "http://cut sh')  # what a kill amid a line leaves
    asked = Counter(site.asked)
    main(["--urls", str(urls), "--out", str(got), "--pause", "0"])
    lines = lines_of(got)
    assert len(lines) == 24 and all(line["status"] == "kept" for line in lines.values())
    done = {json.loads(line)["url"].rpartition("/")[2] for line in before}
    assert all(site.asked[name] == asked[name] for name in done)
    assert all((got / line["file"]).is_file() for line in lines.values())
    assert len(list(got.glob("*.jpg"))) == 24


def test_a_picture_that_was_thrown_out_stays_out_and_most_stops(site, tmp_path):
    site.pages = {f"{number}.jpg": picture(number) for number in range(9)}
    urls, got = site.listed(tmp_path / "urls.txt", *site.pages), tmp_path / "got"
    main(["--urls", str(urls), "--out", str(got), "--pause", "0", "--most", "3"])
    assert 3 <= len(list(got.glob("*.jpg"))) <= 6  # four threads may be under way
    unwanted = next(got.glob("*.jpg"))
    unwanted.unlink()
    main(["--urls", str(urls), "--out", str(got), "--pause", "0"])
    assert not unwanted.exists()
    assert len(list(got.glob("*.jpg"))) == Collection(got).kept() == 8
    with open(got / "sources.csv") as file:
        assert sorted(row["file"] for row in csv.DictReader(file)) == sorted(
            p.name for p in got.glob("*.jpg")
        )


def test_a_kill_between_picture_and_line_leaves_neither_copy_nor_gap(tmp_path):
    first, copy, details = picture(1), mirrored(picture(1)), {"width": 120, "height": 120}
    hashes = signs(cv2.imdecode(np.frombuffer(first, np.uint8), cv2.IMREAD_COLOR))
    collection = Collection(tmp_path)
    collection.keep("http://a/1", first, ".jpg", hashes, details)
    orphan = tmp_path / f"{hashlib.sha256(copy).hexdigest()[:16]}.png"
    orphan.write_bytes(copy)
    collection.keep("http://a/2", copy, ".png", hashes[::-1], details)
    assert not orphan.exists()
    again = Collection(tmp_path)
    assert again.is_done("http://a/1") and again.is_done("http://a/2")
    again.keep("http://b/1", first, ".jpg", hashes, details)
    assert len(list(tmp_path.glob("*.jpg"))) == 1


def test_words_go_through_a_search_engine_s_pages(site, tmp_path):
    class LoopbackFeeder(BingFeeder):
        def feed(self, keyword, offset, max_num, filters=None):
            self.out_queue.put(f"{site.url}/search?q={keyword}")

    class LoopbackBing(BingImageCrawler):
        def __init__(self, **arguments):
            super().__init__(feeder_cls=LoopbackFeeder, **arguments)

    results = "".join(
        f"""<div class="imgpt"><a m='{{"murl":"{site.url}/{number}.jpg","t":"x"}}'></a></div>"""
        for number in range(30)
    )
    site.pages = {f"{number}.jpg": picture(number) for number in range(30)}
    site.pages |= {"search": f"<html><body>{results}</body></html>".encode(), "empty": b"<html></html>"}
    collection = Collection(tmp_path)
    wants = {"collection": collection, "most": 100, "smallest": 64, "pace": Pace(0.0), "timeout": 5.0}
    crawl_words("mask", LoopbackBing, wants)
    assert collection.kept() == 30
    assert {line["query"] for line in collection.lines} == {"mask"}


def test_requests_to_one_host_keep_their_distance(site, tmp_path):
    site.pages = {f"{number}.jpg": picture(number) for number in range(5)}
    started = time.monotonic()
    urls = site.listed(tmp_path / "urls.txt", *site.pages)
    main(["--urls", str(urls), "--out", str(tmp_path / "got"), "--pause", "0.8"])
    assert time.monotonic() - started >= 4 * 0.8


@pytest.mark.parametrize(
    ("content", "message"),
    [("ftp://host/a.jpg\n", "'ftp://host/a.jpg' is no address"), ("# none\n", "holds no address")],
)
def test_a_bad_list_is_told(tmp_path, capsys, content, message):
    (tmp_path / "urls.txt").write_text(content)
    with pytest.raises(SystemExit) as end:
        main(["--urls", str(tmp_path / "urls.txt"), "--out", str(tmp_path / "got")])
    assert end.value.code == 2
    assert message in capsys.readouterr().err


def test_a_damaged_record_is_told_and_left_alone(tmp_path, capsys):
    (tmp_path / RECORD).write_text("no json\n")
    (tmp_path / "urls.txt").write_text("http://127.0.0.1:9/a.jpg\n")
    with pytest.raises(SystemExit):
        main(["--urls", str(tmp_path / "urls.txt"), "--out", str(tmp_path)])
    assert f"{tmp_path / RECORD} is damaged" in capsys.readouterr().err
    assert (tmp_path / RECORD).read_text() == "no json\n"


def test_what_a_user_wrote_into_sources_and_threw_out_stays_so(tmp_path):
    def keep(number: int, url: str) -> Collection:
        content = picture(number)
        collection = Collection(tmp_path)
        collection.keep(url, content, ".jpg", signs(cv2.imdecode(np.frombuffer(content, np.uint8), 1)), {})
        collection.list_sources()
        return collection

    keep(0, "http://a/0")
    (row,) = read_sources(tmp_path)
    write_sources([row | {"person": "anna"}], [*row, "person"], tmp_path)
    keep(1, "http://a/1")
    assert sorted(row["person"] for row in read_sources(tmp_path)) == ["", "anna"]
    (tmp_path / row["file"]).unlink()
    assert keep(0, "http://b/0").kept() == 1
    assert [one["person"] for one in read_sources(tmp_path)] == [""]


def test_columns_of_sources_may_be_written_in_capitals_and_short_rows_are_read(tmp_path):
    (tmp_path / "sources.csv").write_text("File, Source ,PERSON\na.jpg,here\n\nb.jpg,there,anna,more\n")
    assert read_sources(tmp_path) == [
        {"file": "a.jpg", "source": "here", "person": ""},
        {"file": "b.jpg", "source": "there", "person": "anna"},
    ]
    (tmp_path / "sources.csv").write_text("")
    assert read_sources(tmp_path) == []
    (tmp_path / "sources.csv").write_text("name\na.jpg,here\n")
    with pytest.raises(TrainingError, match="no column 'file' but name: add it"):
        read_sources(tmp_path)
