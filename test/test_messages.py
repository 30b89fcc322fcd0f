"""Detections as messages and back."""

from std_msgs.msg import Header

from mask_detector.detection import Detection
from mask_detector.messages import DetectionArrays, from_detection_array, to_detection_array

ALICE = Detection((1.0, 2.0, 30.0, 40.0), {"mask": 0.9, "no_mask": 0.1}, "1")
BOB = Detection((5.5, 6.5, 7.0, 8.0), {"no_mask": 0.5, "improper_mask": 0.3, "mask": 0.2}, "2")


def test_a_message_tells_all_that_a_detection_does():
    array = to_detection_array([ALICE, BOB], Header(frame_id="camera"))
    assert from_detection_array(array) == [ALICE, BOB]
    assert array.header.frame_id == array.detections[1].header.frame_id == "camera"


def test_a_message_out_of_used_parts_is_like_a_new_one():
    arrays = DetectionArrays()
    for number, people in enumerate(([ALICE], [BOB, ALICE, BOB], [], [ALICE], [BOB])):
        header = Header(frame_id=str(number))
        assert arrays.filled(people, header) == to_detection_array(people, header)
