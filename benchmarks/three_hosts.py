"""Camera, detector and viewer on three hosts, and what goes over the network between them.

    sudo .venv/bin/python benchmarks/three_hosts.py

The hosts are network namespaces of this machine on one bridge, each with an address and a shared memory
of its own; nodes find each other by Fast DDS's discovery server on the detector's host, without
multicast. Needs root and iproute2, and removes what it made.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))
from mask_detector.child import end  # noqa: E402
from mask_detector.demo_clip import make_demo_clip  # noqa: E402

_HOSTS = {"camera": "10.66.6.1", "detector": "10.66.6.2", "viewer": "10.66.6.3"}
_SERVER = f"{_HOSTS['detector']}:11811"
_BRIDGE = "mdbridge"
_SECONDS = 15.0
_RATE = 10.0
_VIEW = """
import sys, time, rclpy
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage
from vision_msgs.msg import Detection2DArray
rclpy.init()
node, counts = Node("viewer"), {"detections": 0, "with a face": 0, "annotated images": 0}
def take(message):
    counts["detections"] += 1
    counts["with a face"] += bool(message.detections)
def look(message):
    counts["annotated images"] += 1
node.create_subscription(Detection2DArray, "/mask_detector/detections", take, 10)
node.create_subscription(CompressedImage, "/mask_detector/annotated_image/compressed", look, 2)
while not counts["detections"]:
    rclpy.spin_once(node, timeout_sec=0.1)
print("ready", flush=True)
for name in counts: counts[name] = 0
end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end:
    rclpy.spin_once(node, timeout_sec=0.1)
print(counts, flush=True)
"""


def main() -> int:
    if os.geteuid() != 0:
        print("three_hosts: needs root, to make network namespaces", file=sys.stderr)
        return 1
    clip = make_demo_clip(Path("/tmp/mask_detector_three_hosts.mp4"))
    with _network():
        for transport in ("raw", "compressed"):
            _measure(transport, clip)
    return 0


def _measure(transport: str, clip: Path) -> None:
    """Print what the viewer receives, and what the camera and the detector send."""
    source = ["-p", f"source:={clip}", "-p", f"rate:={_RATE}"]
    with ExitStack() as stack:
        server = REPOSITORY / ".venv" / "bin" / "fast-discovery-server"
        stack.enter_context(_on("detector", [str(server), "-i", "0", "-p", _SERVER.split(":")[1]]))
        stack.enter_context(
            _node("detector", "detector", "-p", f"image_transport:={transport}", "-r", "image:=image_raw")
        )
        stack.enter_context(_node("camera", "camera", *source))
        viewer = stack.enter_context(_on("viewer", [sys.executable, "-c", _VIEW, str(_SECONDS)]))
        assert viewer.stdout.readline() == "ready\n"
        before = {host: _sent(host) for host in _HOSTS}
        counts = viewer.communicate()[0].strip()
        sent = {host: (_sent(host) - before[host]) / _SECONDS for host in _HOSTS}
    print(f"{transport}: in {_SECONDS:.0f} s the viewer received {counts}")
    for host, rate in sent.items():
        print(
            f"  {host} sent {rate / 1e6:.2f} MB/s, {rate / 1e3 / _RATE:.1f} kB for each frame of the camera"
        )


def _node(host: str, *arguments: str):
    name, *rest = arguments
    return _on(host, [sys.executable, "-m", "mask_detector", name, "--ros-args", *rest])


@contextmanager
def _network() -> Iterator[None]:
    """Make the hosts and the bridge between them."""
    try:
        _ip("link", "add", _BRIDGE, "type", "bridge")
        _ip("link", "set", _BRIDGE, "up")
        for host, address in _HOSTS.items():
            _ip("netns", "add", f"md_{host}")
            _ip("link", "add", f"md_{host}", "type", "veth", "peer", "name", "eth0", "netns", f"md_{host}")
            _ip("link", "set", f"md_{host}", "master", _BRIDGE, "up")
            _ip("-n", f"md_{host}", "address", "add", f"{address}/24", "dev", "eth0")
            for device in ("lo", "eth0"):
                _ip("-n", f"md_{host}", "link", "set", device, "up")
        yield
    finally:
        for host in _HOSTS:
            subprocess.run(["ip", "netns", "delete", f"md_{host}"], stderr=subprocess.DEVNULL)
        subprocess.run(["ip", "link", "delete", _BRIDGE], stderr=subprocess.DEVNULL)


@contextmanager
def _on(host: str, command: list[str]) -> Iterator[subprocess.Popen]:
    """Run a command on a host, with a shared memory of its own as on another machine."""
    private = 'mount --make-rprivate / && mount -t tmpfs tmpfs /dev/shm && exec "$@"'
    inside = ["ip", "netns", "exec", f"md_{host}", "unshare", "--mount", "sh", "-c", private, "sh", *command]
    environment = os.environ | {"ROS_DISCOVERY_SERVER": _SERVER}
    process = subprocess.Popen(inside, env=environment, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY)
    try:
        yield process
    finally:
        end(process)


def _sent(host: str) -> int:
    """Return how many bytes a host has sent."""
    return int(Path(f"/sys/class/net/md_{host}/statistics/rx_bytes").read_text())


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


if __name__ == "__main__":
    sys.exit(main())
