"""The page in a real browser, with a real detector behind it, over real DDS."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest
from browser import Page, chromium
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from graph import Probe, Process, running
from selenium.webdriver.common.keys import Keys
from viewing import Viewer, two_people_clip, viewing
from vision_msgs.msg import Detection2D, Detection2DArray, ObjectHypothesis, ObjectHypothesisWithPose

from mask_detector.model_store import load_manifest

NODE = "/entrance/mask_detector"
TILES = """const tiles = document.querySelector('.tiles')?.querySelectorAll('b') ?? [];
return [...tiles].map((one) => one.textContent)"""
# Note what is said, and when, in `said`.
LISTEN = """window.said = [];
    window.listening?.disconnect();
    const spoken = document.getElementById("spoken");
    window.listening = new MutationObserver(() => said.push([performance.now(), spoken.textContent]));
    listening.observe(spoken, { childList: true, characterData: true, subtree: true });
"""
PICTURE = "return document.querySelector('.camera canvas').toDataURL()"
CLASSES = load_manifest().class_ids


@dataclass
class Scene:
    """A page that shows a camera; the detector may be stopped and started."""

    page: Page
    viewer: Viewer
    folder: Path
    detector: Process

    def counts(self) -> list[str]:
        """Return people now in the order of the classes, as the page shows them."""
        return self.page.run(TILES)

    def until_both_are_counted(self) -> None:
        self.page.until(lambda: self.counts() == ["1", "0", "1"], "one person with a mask and one without")

    def pictures_go_on(self) -> None:
        """Wait until ten more pictures are drawn, with the camera on the screen."""
        self.page.run("scrollTo(0, 0)")
        drawn = "return Number(document.querySelector('.camera canvas')?.dataset.pictures ?? 0)"
        before = self.page.run(drawn)
        self.page.until(lambda: self.page.run(drawn) >= before + 10, "pictures that go on")


def start_detector(log: Path) -> Process:
    return Process(["detector", "--ros-args", "-r", "__ns:=/entrance"], log)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("viewer")
    clip = two_people_clip(folder / "clip.mp4")
    camera = ["camera", "--ros-args", "-p", f"source:={clip}", "-r", "image_raw:=/entrance/image"]
    with (
        chromium() as driver,
        running(*camera, log=folder / "camera.log"),
        viewing(folder / "viewer.log", "--crops") as viewer,
    ):
        scene = Scene(Page(driver, viewer.address), viewer, folder, start_detector(folder / "detector.log"))
        try:
            yield scene
        finally:
            assert scene.detector.stop() == 0


@pytest.fixture
def page(scene: Scene) -> Iterator[Page]:
    scene.page.complaints()
    scene.page.run("scrollTo(0, 0)")
    yield scene.page
    refused = [text for text in scene.page.complaints() if "Failed to load resource" not in text]
    assert refused == [], "nothing failed in the page, and nothing was kept out of it"
    assert scene.page.run("return window.hacked") is None


def test_it_shows_moving_pictures_and_the_right_counts(scene, page):
    scene.until_both_are_counted()
    scene.pictures_go_on()
    before = page.run(PICTURE)
    page.until(lambda: page.run(PICTURE) != before, "another picture")
    assert page.run("return document.querySelector('.camera canvas').width") == 640
    assert page.text(".camera h2") == "entrance" and page.text(".state") == "live"
    label = page.run("return document.querySelector('.camera canvas').ariaLabel")
    assert "1 mask worn properly, 0 mask worn improperly, 1 no mask" in label


def test_changes_are_listed_and_said_and_faces_are_shown_where_allowed(scene, page):
    page.until(lambda: "no mask" in page.text("#changes"), "the state of a person")
    assert "mask worn properly" in page.text("#changes")
    faces = "return [...document.querySelectorAll('#changes img')].filter((i) => i.naturalWidth == 96).length"
    sliders = "return document.querySelectorAll('.slider').length"
    known = lambda: page.run(sliders) and "images:" in page.text("#health")  # noqa: E731
    page.until(known, "the viewer to know the camera")
    page.run(LISTEN)
    for enabled in (False, True):  # all begin anew
        assert scene.viewer.post("/api/enable", {"camera": NODE, "enabled": enabled})[0] == 200
    page.until(lambda: page.run(faces) >= 2, "their faces")
    page.until(
        lambda: any("Person" in words for _, words in page.run("return said")), "the changes to be said"
    )


def test_a_screen_reader_hears_what_everything_is(scene, page):
    scene.until_both_are_counted()
    page.driver.execute_cdp_cmd("Accessibility.enable", {})
    tree = page.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    page.driver.execute_cdp_cmd("Accessibility.disable", {})
    names: dict[str, list[str]] = {}
    for node in tree:
        if not node["ignored"]:
            names.setdefault(node["role"]["value"], []).append(node.get("name", {}).get("value", "").strip())
    assert "Pause entrance" in names["button"] and "entrance" in names["article"]
    assert names["heading"].count("mask_detector") == 1 and len(names["slider"]) >= 10
    for role in (
        "button",
        "link",
        "slider",
        "spinbutton",
        "combobox",
        "image",
        "article",
        "region",
        "option",
    ):
        assert all(names.get(role, ())), role
    for role in ("button", "slider", "spinbutton", "region"):
        assert len(set(names[role])) == len(names[role]), f"two of the same name: {names[role]}"


def test_changes_are_said_no_faster_than_they_can_be_heard(scene, page):
    page.run(
        LISTEN
        + """
    import("/static/dom.js").then(({ speak }) => {
      for (let n = 0; n < 90; n++) setTimeout(() => speak(`${n}`), 33 * n);
    });
    """
    )
    said = page.until(
        lambda: [one for one in page.run("return said") if "89" in one[1]] and page.run("return said"),
        "the last one",
    )
    times = [at for at, _ in said]
    assert all(later - earlier > 1900 for earlier, later in pairwise(times)) and len(times) <= 4


def test_the_chart_and_its_table_tell_the_same(scene, page):
    page.until(
        lambda: page.run("return document.querySelectorAll('#chart-table tbody tr').length") >= 2, "two rows"
    )
    assert page.run("return document.querySelectorAll('#chart canvas').length") == 1
    cells = (
        "return [...document.querySelectorAll('#chart-table tr:nth-child(2) td')].map((i) => i.textContent)"
    )
    newest = page.run(cells)
    assert newest[1:] == ["1.0", "0.0", "1.0"]


def test_a_slider_changes_the_node_and_another_s_change_moves_the_slider(scene, page):
    slider = page.until(lambda: page.find("[id='set-entrance-mask_detector-face_min_size']"), "the slider")
    slider.send_keys(Keys.END)
    page.until(lambda: scene.counts() == ["0", "0", "0"], "no face to be large enough")
    with Probe() as probe:
        assert probe.get_parameters(NODE, ["face_min_size"]) == [4096]
        assert probe.set_parameter(NODE, "face_min_size", 20).successful
        number = "return arguments[0].parentNode.querySelector('input[type=number]').value"
        page.until(lambda: page.run(number, slider) == "20", "the slider to follow")
    scene.until_both_are_counted()


def test_it_pauses_and_resumes(scene, page):
    page.find(".pause").send_keys(Keys.ENTER)
    page.until(lambda: page.text(".state") == "paused" and "Resume" in page.text(".pause"), "the pause")
    assert scene.counts() == ["–"] * 3 and "Paused" in page.text(".veil")
    page.find(".pause").send_keys(Keys.ENTER)
    scene.until_both_are_counted()
    scene.pictures_go_on()


def test_it_survives_the_restart_of_the_detector(scene, page):
    assert scene.detector.stop() == 0
    page.until(lambda: "not running" in page.text(".state"), "the page to notice")
    assert page.text("#connection") == "connected"
    scene.detector = start_detector(scene.folder / "detector_3.log")
    scene.until_both_are_counted()
    scene.pictures_go_on()


def test_it_survives_the_restart_of_the_viewer(scene, page, tmp_path):
    with viewing(tmp_path / "first.log") as first:
        page.driver.get(first.address)
        scene.pictures_go_on()
    port = str(urlsplit(first.address).port)
    page.until(lambda: "lost" in page.text("#connection"), "the page to notice")
    with viewing(tmp_path / "second.log", "--port", port):  # which knows of no camera at first
        scene.pictures_go_on()
    page.driver.get(scene.viewer.address)
    page.complaints()  # the connection that was cut


def test_no_picture_is_made_while_nobody_looks(scene, page):
    with Probe() as probe:
        topic = f"{NODE}/annotated_image/compressed"
        probe.until(lambda: probe.node.count_subscribers(topic) == 1, "the viewer to look")
        page.driver.get("about:blank")
        probe.until(lambda: probe.node.count_subscribers(topic) == 0, "the viewer to look away")
        page.driver.get(scene.viewer.address)
        probe.until(lambda: probe.node.count_subscribers(topic) == 1, "the viewer to look again")
        page.complaints()  # the connection that was cut
    scene.pictures_go_on()


def test_a_picture_is_classified_on_the_spot(scene, page, astronaut, tmp_path):
    picture = tmp_path / "<img src=x onerror=hacked=1>.png"
    cv2.imwrite(str(picture), astronaut)
    page.find("#file").send_keys(str(picture))
    page.until(lambda: page.text("#answer").startswith("One face: ✕ no mask"), "the answer")
    page.until(lambda: page.run("return document.getElementById('tried').naturalWidth") == 512, "the picture")
    assert "onerror" not in page.run("return document.body.innerHTML")


def bomb() -> bytes:
    """A PNG of 40000x40000 black pixels in a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    head = (40000).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>hacked=1</script></svg>", "neither JPEG"),
        ("a.jpg", b"<script>hacked=1</script>", "neither JPEG"),
        ("a.png", bomb(), "at most 25 megapixels"),
        ("b.jpg", b"\xff\xd8\xff\xe0" + bytes(100), "damaged"),
        ("c.jpg", b"\xff\xd8\xff" + bytes(10_100_000), "more than 10 MB"),
    ],
)
def test_a_hostile_picture_does_nothing(scene, page, tmp_path, name, content, told):
    (tmp_path / name).write_bytes(content)
    page.find("#file").send_keys(str(tmp_path / name))
    page.until(lambda: told in page.text("#answer"), "the refusal")
    scene.pictures_go_on()


def test_hostile_topics_do_nothing(scene, page):
    evil = "<img src=x onerror=hacked=1>"
    with Probe() as probe:
        publish = {
            name: probe.node.create_publisher(Detection2DArray, f"/evil/{name}", 10)
            for name in ("detections", "state_changes")
        }
        health = probe.node.create_publisher(DiagnosticArray, "/diagnostics", 10)
        status = DiagnosticStatus(name=f"evil: {evil}", message=evil, level=b"\xff", hardware_id=evil)

        def array(class_id: str, number: str) -> Detection2DArray:
            result = ObjectHypothesisWithPose(hypothesis=ObjectHypothesis(class_id=class_id, score=np.nan))
            return Detection2DArray(detections=[Detection2D(id=number, results=[result]), Detection2D()])

        def shown() -> bool:
            publish["detections"].publish(array(evil, evil))
            publish["state_changes"].publish(array(evil, evil))
            publish["state_changes"].publish(array(CLASSES[0], evil))
            health.publish(DiagnosticArray(status=[status]))
            probe.spin(0.1)
            return evil in page.text("#health") and f"Person {evil[:16]}: " in page.text("#changes")

        page.until(shown, "what was said, as text")
    titles = "return [...document.querySelectorAll('.camera h2')].map((one) => one.textContent)"
    page.until(lambda: "evil" in page.run(titles), "its camera")
    scene.pictures_go_on()


def test_it_fits_a_phone_and_the_dark(scene, page):
    page.resize(390, 844, mobile=True)
    assert page.run("return document.documentElement.scrollWidth") == 390
    colour = "return getComputedStyle(document.body).backgroundColor"
    light = page.run(colour)
    page.dark(True)
    assert page.run(colour) != light
