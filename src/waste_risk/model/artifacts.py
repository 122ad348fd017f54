"""The files of a predictor and its SHA-256: written all or none, read only if they are those that were written.

``metadata.json`` holds the SHA-256 of every other file and the predictor's own. Nothing is unpickled here: the two
pickles are for analysts, and are derived from the other files.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from waste_risk.files import current, replace_folder

METADATA = "metadata.json"


def save(texts: Mapping[str, str], folder: str | Path, pickles: Mapping[str, bytes]) -> None:
    """Write a predictor's files into a folder; readers find the old ones or the new ones, also after a kill.

    Args:
        texts: file name to content, from ``WastePredictor.to_files``.
        folder: replaced as a whole; one writer at a time.
        pickles: further files, derived from the texts and no part of the predictor's own hash.
    """
    files = {name: text.encode() for name, text in texts.items()} | dict(pickles)
    seals = {
        "sha256": {name: _digest(content) for name, content in sorted(files.items()) if name != METADATA},
        "predictor_sha256": fingerprint(texts),
    }
    signed = to_json({**json.loads(texts[METADATA]), **seals}).encode()
    replace_folder(Path(folder), files | {METADATA: signed})


def load(folder: str | Path) -> dict[str, str]:
    """Return the texts that ``WastePredictor.to_files`` wrote, after checking every hash.

    Raises:
        FileNotFoundError: there is no such folder, or a file is missing.
        ValueError: a file is not the one that was saved; the message names it.
    """
    folder = current(Path(folder))
    metadata = _read_metadata(folder / METADATA)
    contents = {name: (folder / name).read_bytes() for name in metadata["sha256"]}
    for name, expected in metadata.pop("sha256").items():
        if _digest(contents[name]) != expected:
            raise ValueError(f"{folder / name} is not the file that was saved: its SHA-256 differs")
    expected = metadata.pop("predictor_sha256")
    texts = {name: content.decode() for name, content in contents.items() if not name.endswith(".pkl")}
    texts[METADATA] = to_json(metadata)
    if fingerprint(texts) != expected:
        raise ValueError(f"{folder / METADATA} is not the file that was saved: the predictor's SHA-256 differs")
    return texts


def exists(folder: str | Path) -> bool:
    """Return whether there is a predictor in the folder."""
    return (current(Path(folder)) / METADATA).exists()


def fingerprint(texts: Mapping[str, str]) -> str:
    """Return the SHA-256 over the SHA-256 of each text, in hexadecimal."""
    return _digest(to_json({name: _digest(text.encode()) for name, text in texts.items()}).encode())


def to_json(value: Any) -> str:
    """Convert a value to JSON: the same text for equal values, from which floats are read back bit for bit."""
    return json.dumps(value, indent=2, sort_keys=True, allow_nan=False)


def make_explainer(model: str) -> Any:
    """Return shap's TreeExplainer of a booster in LightGBM's text format."""
    import shap  # noqa: PLC0415, a second and 60 MB that few commands need

    from waste_risk.model.lightgbm_calls import read  # noqa: PLC0415

    return shap.TreeExplainer(read(model))


class Explainer:
    """A TreeExplainer, pickled as the call that creates it: the same bytes each time, for any version of shap.

    Args:
        model: the booster, in LightGBM's text format.
    """

    def __init__(self, model: str) -> None:
        self._model = model

    def __reduce__(self) -> tuple[Any, ...]:
        return make_explainer, (self._model,)


def _read_metadata(path: Path) -> dict[str, Any]:
    try:
        metadata: dict[str, Any] = json.loads(path.read_bytes())
        names = list(metadata["sha256"])
        complete = "predictor_sha256" in metadata and all(Path(name).name == name for name in names)
    except (ValueError, KeyError, TypeError):
        complete = False
    if not complete:
        raise ValueError(f"{path} is not the file that was saved: it holds no hashes")
    return metadata


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
