"""The demo's page in the browser: a viewer in a process of its own, without which the demo goes on."""

import signal
import subprocess
import sys
from threading import Thread


class DemoViewer:
    """Runs the viewer as long as the block lasts.

    Attributes:
        address: where the page is; empty until the viewer has said so.
    """

    def __init__(self) -> None:
        self.address = ""

    def __enter__(self) -> "DemoViewer":
        command = [sys.executable, "-m", "mask_detector", "viewer"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def _read(self) -> None:
        for line in self._process.stdout:
            self.address = line.partition(" ")[2].strip()
            print(f"demo: open {self.address} in a browser to see it", file=sys.stderr)

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(1)
