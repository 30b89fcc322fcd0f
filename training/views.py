"""What a classifier sees: the whole crop, its middle, or both at once.

Seen wide and coarse, a face has its surroundings: what hangs from an ear, what is a collar, whether the
box is loose or tight. Seen close and fine, it shows the nose above the cloth. Each view has a network of
its own and errs in its own way, so that their mean is better than either.
"""

import keras

from training.config import View

Pixels = keras.KerasTensor


def viewed(pixels: Pixels, view: View) -> Pixels:
    """Return the middle of crops (N, size, size, 3), made smaller: (N, side, side, 3)."""
    side = pixels.shape[1]
    border = (side - view.window(side)) // 2
    if border:
        pixels = keras.layers.Cropping2D(border)(pixels)
    # a mean of whole pixels: exact, and alike in every runtime
    return keras.layers.AveragePooling2D(view.shrink)(pixels) if view.shrink > 1 else pixels
