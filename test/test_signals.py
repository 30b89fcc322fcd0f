"""A node's end while the thread in which rclpy handles signals is far behind, as on a busy machine."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from graph import Process

NODE = "greeter"  # which node it is makes no difference: they all end in node_main
# Stands before rcl's own function, which rclpy calls in that thread to wake the executor.
LATE_WAKING = r"""
#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>
extern "C" int rcl_trigger_guard_condition(void * condition) {
  if (gettid() != getpid()) {
    fputs("woken late\n", stderr);
    usleep(300000);
  }
  void * rcl = dlopen("librcl.so", RTLD_LAZY);
  return reinterpret_cast<int (*)(void *)>(dlsym(rcl, "rcl_trigger_guard_condition"))(condition);
}
"""


@pytest.fixture
def late_waking(tmp_path: Path) -> Path:
    """A library that makes rclpy's signal thread late, for LD_PRELOAD."""
    compiler = os.environ.get("CXX") or shutil.which("c++")
    if not compiler:
        pytest.skip("no C++ compiler: set CXX or install g++")
    source, library = tmp_path / "late.cpp", tmp_path / "late.so"
    source.write_text(LATE_WAKING)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


@pytest.mark.parametrize("signals", [1, 2], ids=["once", "and sent on by launch"])
def test_ctrl_c_ends_a_node_whose_signal_thread_is_late(probe, tmp_path, monkeypatch, late_waking, signals):
    monkeypatch.setenv("LD_PRELOAD", str(late_waking))
    node = Process([NODE], tmp_path / "log")
    monkeypatch.delenv("LD_PRELOAD")
    probe.until(lambda: NODE in probe.node.get_node_names(), "the node")
    time.sleep(0.3)  # it is seen a little before it spins
    for _ in range(signals):
        node.send(signal.SIGINT)
        time.sleep(0.003)
    assert node.wait() == 0, node.output
    assert "woken late" in node.output and "Traceback" not in node.output
