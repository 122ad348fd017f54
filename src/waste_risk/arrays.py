"""The types of arrays, by one name each wherever they are taken or returned."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]  # marks rows
