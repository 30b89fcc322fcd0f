"""The demo's page in the browser: a viewer in a process of its own, without which the demo goes on."""

import subprocess
import sys
from threading import Event, Thread

from mask_detector.child import end

_PATIENCE = 30.0  # seconds


class DemoViewer:
    """Runs the viewer as long as the block lasts.

    Attributes:
        address: where the page is; empty until the viewer has said so.
    """

    def __init__(self) -> None:
        self.address = ""
        self._settled = Event()  # it has told its address, or will never

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
            self._settled.set()
        self._settled.set()

    def wait(self) -> None:
        """Wait until the address is printed, so that it stands before the lines of JSON."""
        self._settled.wait(_PATIENCE)

    def __exit__(self, *_: object) -> None:
        end(self._process, 5.0)
        self._reader.join(1)
