"""See who wears a face mask properly, improperly, or not at all.

The core (`pipeline` and all below it) takes BGR arrays and knows no ROS; the nodes only translate
between it and ROS messages.
"""

import os

# OpenCV reads this when it is first imported. A few kilobytes of PNG can claim a picture that fills
# all memory; no camera has more than 100 megapixels.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", "100000000")

__version__ = "0.1.0"
