"""Files and folders that are either the old or the new one, whatever happens in between.

A link is kept, and what it leads to is replaced. What a killed writer leaves behind has a name by which it is found.
"""

import errno
import os
import re
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

_PART = re.compile(r"\..+\.[0-9a-f]{32}\.part")  # no name that a user would choose


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Offer a temporary file beside ``path`` to write, which takes its place when all went well.

    The rename is atomic only within one file system, hence beside; the two syncs keep it so over a loss of power.

    Raises:
        OSError: ``path`` is a folder, or cannot be written; the error names it, and not the temporary file.
    """
    path = _aim(path)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        yield temporary
        _sync(temporary)
        temporary.replace(path)
        _sync(path.parent)
    except OSError as error:
        if error.errno is None or str(error.filename or temporary) != str(temporary):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        temporary.unlink(missing_ok=True)


def replace_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Replace a folder and all that is in it, for one writer at a time; readers ask for its ``current`` place.

    Raises:
        OSError: ``folder`` is a file, or cannot be written.
    """
    folder = _aim(folder)
    if folder.is_file():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    new, old = _beside(folder, "new"), _beside(folder, "old")
    if current(folder) == old:
        old.rename(folder)  # an earlier writer was killed between its two renames
    for leftover in (new, old):
        remove(leftover)
    new.mkdir(parents=True)
    for name, content in files.items():
        _write(new / name, content)
    _sync(new)
    # A filled folder cannot be renamed over another one. Between these two lines, `current` finds the old one.
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    _sync(folder.parent)
    shutil.rmtree(old, ignore_errors=True)  # the new one is there; what stays goes with the next


def current(folder: Path) -> Path:
    """Find a folder that ``replace_folder`` has written, also where it was killed between its two renames."""
    folder = Path(os.path.realpath(folder))
    old = _beside(folder, "old")
    return old if old.is_dir() and not old.is_symlink() and not folder.exists() else folder


def remove_leftovers(folder: Path) -> None:
    """Remove what killed writers have left below a folder to which nobody writes; whoever may not leaves it there.

    Links to folders are not followed: others may be at work there.
    """
    for leftover in [path for path in folder.rglob(".*.part") if _PART.fullmatch(path.name)]:
        with suppress(OSError):
            remove(leftover)


def remove(path: Path) -> None:
    """Remove a file, a folder with all that is in it, or a link but not what it leads to; or nothing."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _aim(path: Path) -> Path:
    """Return where a path leads through all links; ``Path.resolve`` does not end a circle of them with an OSError."""
    place = Path(os.path.realpath(path))
    if place.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    return place


def _beside(folder: Path, suffix: str) -> Path:
    return folder.with_name(f".{folder.name}.{suffix}")


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    _sync(path)


def _sync(path: Path) -> None:
    if path.is_dir() and os.name == "nt":
        return  # Windows cannot open folders
    descriptor = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
