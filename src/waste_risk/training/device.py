"""Whether the LightGBM installed here can train on a device."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from waste_risk.model.lightgbm_calls import LightGBMError, fit, make_bins

_STDERR = 2


def why_unavailable(device_type: str) -> str:
    """Fit one tree on the device, and return LightGBM's reason why it cannot; an empty text if it can."""
    parameters = {"objective": "binary", "device_type": device_type, "num_threads": 1, "verbosity": -1}
    X, y = np.arange(100, dtype=np.float32)[:, np.newaxis], np.tile([0.0, 1.0], 50)
    try:
        with _silence():
            fit(parameters, make_bins(X, y, parameters, ["x"]), 1)
    except LightGBMError as error:
        return str(error).partition("\n")[0].rstrip(".")
    return ""


@contextmanager
def _silence() -> Iterator[None]:
    """Redirect the process's stderr, to which LightGBM writes fatal errors past Python, whatever its verbosity."""
    kept, nowhere = os.dup(_STDERR), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _STDERR)
    try:
        yield
    finally:
        os.dup2(kept, _STDERR)
        os.close(kept)
        os.close(nowhere)
