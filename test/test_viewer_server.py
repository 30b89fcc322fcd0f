"""The viewer as a hostile network meets it: who may see what, and what is refused."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import cv2
import numpy as np
import pytest
from viewing import Viewer, jpeg, viewing

from mask_detector.errors import ImageError
from mask_detector.viewer import uploads
from mask_detector.viewer.options import TOKEN, parse, privacy
from mask_detector.viewer.uploads import require_picture

HIDDEN = ["/", "/review", "/live", "/api/about", "/api/history", "/report", "/export/changes.csv", "/crops/1"]
FORMS = [".jpg", ".png", ".webp"]


@pytest.fixture(scope="module")
def viewer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Viewer]:
    with viewing(tmp_path_factory.mktemp("viewer") / "log") as viewer:
        yield viewer


def test_it_is_up_and_sends_strict_headers(viewer):
    assert viewer.get("/healthz") == (200, b"ok\n")
    response, body = viewer.request("GET", "/")
    policy = response.getheader("Content-Security-Policy")
    assert response.status == 200 and b"<title>mask_detector</title>" in body
    assert (
        policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        and "unsafe" not in policy
    )
    for name, value in (
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Cache-Control", "no-store"),
    ):
        assert response.getheader(name) == value
    assert "aiohttp" not in response.getheader("Server")


def test_the_page_needs_nothing_from_elsewhere(viewer):
    folder = Path(__file__).resolve().parents[1] / "mask_detector" / "viewer" / "static"
    for path in folder.glob("*"):
        if path.is_file():
            status, body = viewer.get(f"/static/{path.name}")
            assert status == 200 and body == path.read_bytes()
            assert (
                b"//" not in body.replace(b"http://www.w3.org/2000/svg", b"").replace(b"}://${", b"")
                or path.suffix == ".js"
            )
            assert b"https://" not in body.replace(b'https:"', b"")


@pytest.mark.parametrize(
    "path", ["/static/../command.py", "/static/%2e%2e%2fcommand.py", "/static//etc/passwd", "/nothing"]
)
def test_nothing_else_is_served(viewer, path):
    assert viewer.get(path)[0] == 404


@pytest.mark.parametrize("path", HIDDEN)
@pytest.mark.parametrize("host", ["evil.example", "evil.example:8642", "127.0.0.1.evil.example", "[::1", ""])
def test_a_foreign_name_that_points_here_gets_nothing(viewer, path, host):
    assert viewer.get(path, Host=host)[0] in (400, 403)


@pytest.mark.parametrize("path", ["/api/enable", "/api/settings", "/api/classify"])
def test_a_foreign_page_changes_nothing(viewer, path):
    for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"}):
        assert viewer.post(path, {}, **headers)[0] == 403
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec_WebSocket_Version": "13",
        "Sec_WebSocket_Key": "x" * 22 + "==",
    }
    assert viewer.get("/live", Origin="http://evil.example", **upgrade)[0] == 403


@pytest.mark.parametrize(
    ("path", "content", "told"),
    [
        (
            "/api/settings",
            {"camera": "/none", "name": "face_min_size", "value": 3},
            "no setting 'face_min_size'",
        ),
        ("/api/settings", {"camera": "/none", "name": "face_min_size", "value": True}, "'value' is missing"),
        ("/api/settings", [1], "'camera' is missing"),
        ("/api/enable", {"camera": "/none", "enabled": True}, "no detector '/none'"),
        ("/api/enable", {"camera": "/none", "enabled": "yes"}, "'enabled' is missing"),
        ("/api/classify", b"", "neither JPEG nor PNG nor WebP"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(viewer, path, content, told):
    status, answer = viewer.post(path, content)
    assert status == 400 and told in answer["error"] and "\n" not in answer["error"]


@pytest.mark.parametrize(
    "query",
    [
        "hours=0",
        "hours=-1",
        "hours=nan",
        "hours=1e9",
        "hours=x",
        "from=1&to=2",
        "from=2026-01-02&to=2026-01-01",
    ],
)
def test_a_strange_period_is_refused(viewer, query):
    for path in ("/api/history", "/report", "/export/presence.csv"):
        status, body = viewer.get(f"{path}?{query}")
        assert status == 400 and "error" in json.loads(body)


@pytest.mark.parametrize("form", FORMS)
def test_a_picture_is_classified_and_not_kept(viewer, astronaut, form):
    status, answer = viewer.post("/api/classify", cv2.imencode(form, astronaut)[1].tobytes())
    assert status == 200 and [one["class_id"] for one in answer["detections"]] == ["no_mask"]
    status, answer = viewer.post("/api/classify", jpeg(np.zeros((90, 120, 3), np.uint8)))
    assert status == 200 and answer["detections"] == [] and (answer["width"], answer["height"]) == (120, 90)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [(1, 1), (333, 77), (1600, 900)])
def test_the_size_of_a_picture_is_read_from_its_head(form, size, monkeypatch):
    content = cv2.imencode(form, np.zeros((size[1], size[0], 3), np.uint8))[1].tobytes()
    require_picture(content)
    with pytest.raises(ImageError, match="damaged|neither"):
        require_picture(content[:20])
    monkeypatch.setattr(uploads, "MOST_PIXELS", size[0] * size[1] - 1)
    with pytest.raises(ImageError, match=f"{size[0]} x {size[1]} pixels"):
        require_picture(content)


def test_with_a_token_only_who_has_it_comes_in(tmp_path, monkeypatch):
    token = "o+pen/ses=ame&#"
    monkeypatch.setenv(TOKEN, token)
    with viewing(tmp_path / "log") as viewer:
        assert viewer.token == quote(token, safe="")
        assert viewer.get("/healthz")[0] == 200
        for path in HIDDEN:
            assert viewer.get(path)[0] == 401
            assert viewer.get(f"{path}?token=wrong")[0] == 401
        response, _ = viewer.request("GET", f"/?token={viewer.token}")
        assert response.status == 303 and response.getheader("Location") == "/"
        cookie = response.getheader("Set-Cookie")
        assert "HttpOnly" in cookie and "SameSite=Lax" in cookie
        shown = cookie.partition(";")[0]
        assert viewer.get("/", Cookie=shown)[0] == 200
        assert viewer.get("/", Cookie=shown, Host="robot.local:8642")[0] in (200, 401)
        assert viewer.get("/api/about", Authorization=f"Bearer {token}")[0] == 200
        assert viewer.post("/api/enable", {}, Cookie=shown, Origin="http://evil.example")[0] == 403


def test_beyond_loopback_a_token_is_made(monkeypatch):
    monkeypatch.delenv(TOKEN, raising=False)
    for host in ("127.0.0.1", "::1", "localhost"):
        assert parse(["--host", host]).token == ""
    for host in ("0.0.0.0", "::", "192.168.0.7", "robot.local", ""):
        assert len(parse(["--host", host]).token) > 20


def test_what_is_stored_is_told(tmp_path):
    nothing = " ".join(privacy(parse([])))
    assert "kept in memory until the viewer ends" in nothing and "No face is kept" in nothing
    assert "without pictures of faces" in nothing and "not blurred" in nothing
    options = ["--history", "seen.sqlite", "--history-days", "7", "--collect", "faces", "--crops"]
    much = " ".join(privacy(parse(options)))
    for part in ("stored in seen.sqlite for 7 days", "stored in faces", "with pictures of faces"):
        assert part in much
    assert "are blurred in everything" in " ".join(privacy(parse(["--blur-faces"])))


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (["--port", "70000"], 2, "--port is 70000"),
        (["--history-days", "0"], 2, "--history-days is 0.0: give 0.01 to"),
        (["--collect", "x", "--blur-faces"], 2, "choose one"),
        (["--host", "192.0.2.1"], 1, "cannot listen on 192.0.2.1"),
        (["--history", "/nowhere/x.sqlite"], 1, "history '/nowhere/x.sqlite' cannot be used"),
        (["--collect", "/proc/faces"], 1, "folder '/proc/faces' cannot be written"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(options, code, told):
    command = [sys.executable, "-m", "mask_detector", "viewer", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == code and told in done.stderr and "Traceback" not in done.stderr


def test_without_aiohttp_it_says_what_to_install():
    code = (
        "import sys; sys.modules['aiohttp'] = None; from mask_detector.viewer import main; sys.exit(main([]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "sudo apt install python3-aiohttp" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_told_and_the_usual_one_gives_way(viewer, tmp_path):
    port = viewer.address.rstrip("/").rpartition(":")[2]
    command = [sys.executable, "-m", "mask_detector", "viewer", "--port", port]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "it is taken: name another --port" in done.stderr
