"""What goes wrong in training and can be mended by who reads the message."""

from mask_detector.errors import MaskDetectorError


class TrainingError(MaskDetectorError):
    """A setting, the training data or a run folder is not as it should be."""
