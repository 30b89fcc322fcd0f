"""A network's worker threads leave the core to the thread that waits for them."""

import os
import sys
import threading

import cv2
import numpy as np
import pytest

from mask_detector.classifiers import make_classifier
from mask_detector.face_detectors import make_face_detector
from mask_detector.model_store import load_manifest
from mask_detector.workers import Workers, threads_now

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="threads are moved on Linux only")


def cores() -> list[int]:
    found = sorted(os.sched_getaffinity(0))
    if len(found) < 2:
        pytest.skip("this machine has one processor core")
    return found


def test_the_face_detector_s_workers_run_elsewhere(astronaut):
    cores()
    pytest.importorskip("ai_edge_litert")
    file = load_manifest().face_detector_files("masked_yunet")["litert"].path
    detector = make_face_detector(model=str(file), threads=2)
    picture, allowed = cv2.resize(astronaut, (320, 320)), os.sched_getaffinity(0)
    before = threads_now()
    expected = detector.detect(picture)
    (worker,) = threads_now() - before
    np.testing.assert_array_equal(detector.detect(picture), expected)
    assert len(os.sched_getaffinity(worker)) == len(allowed) - 1


def test_the_worker_of_a_face_alone_runs_elsewhere():
    cores()
    pytest.importorskip("ai_edge_litert")
    before, allowed = threads_now(), os.sched_getaffinity(0)
    classifier = make_classifier(runtime="litert", threads=2)  # which tries it on a blank face
    (worker,) = threads_now() - before
    assert len(os.sched_getaffinity(worker)) == len(allowed) - 1
    assert classifier.classify(np.zeros((1, *[classifier.info.input_size] * 2, 3), np.uint8)).shape[0] == 1


def test_where_there_is_one_core_and_where_threads_have_ended_nothing_happens():
    first = cores()[0]
    before, ended, let_go = threads_now(), threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: (ended.set(), let_go.wait()))
    thread.start()
    ended.wait()
    (number,) = threads_now() - before
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {first})
        Workers([number]).keep_off_this_core()
        assert os.sched_getaffinity(number) == allowed
    finally:
        os.sched_setaffinity(0, allowed)
        let_go.set()
        thread.join()
    Workers([number]).keep_off_this_core()  # it has ended: nothing to do, and nothing goes wrong
