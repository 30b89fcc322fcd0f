"""The errors that a user can mend: each message names the value and what to do about it."""


class MaskDetectorError(Exception):
    """Base of the errors shown to a user as one line, without a trace."""


class ModelError(MaskDetectorError):
    """A model file or the manifest is missing, damaged or not what it should be."""


class CopyError(MaskDetectorError):
    """One annotated copy cannot be written as it is asked for; others can."""


class ImageError(MaskDetectorError):
    """A picture, video, stream or image message cannot be read."""
