"""A process that this one has started, and its end."""

import signal
import subprocess


def end(process: subprocess.Popen, patience: float = 10.0) -> None:
    """Interrupt a process as Ctrl-C does, if it runs; kill it if it takes longer than `patience` seconds."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
