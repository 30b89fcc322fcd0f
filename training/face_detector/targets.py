"""How a picture's faces are laid out for the loss: one row for each, padded to a fixed number.

    kind, x1, y1, x2, y2, five landmarks (x, y each), 1 if the landmarks are known

Pixels of the network's input. A row of kind NOTHING is padding; where a cell's middle lies in a box
of kind IGNORED, and no face claims it, the cell teaches nothing.
"""

NOTHING, FACE, IGNORED = 0, 1, 2
KIND, BOX, POINTS, KNOWN = 0, slice(1, 5), slice(5, 15), 15
COLUMNS = 16
