"""Links last, and what a killed writer leaves does no harm."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from waste_risk.files import current, remove_leftovers, replace_folder, replacing


def write(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text)


def fill(folder: Path, text: str) -> None:
    replace_folder(folder, {"model.txt": text.encode()})


def read(folder: Path) -> str:
    return (current(folder) / "model.txt").read_text()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("is_there", [True, False], ids=["full", "dangling"])
def test_a_link_to_a_file_is_kept_and_its_target_replaced_every_time(tmp_path: Path, is_there: bool) -> None:
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere/table", tmp_path / "table"
    link.symlink_to(target)
    if is_there:
        target.write_text("old")
    for text in ("new", "newer", "newest"):
        write(link, text)
        assert (link.is_symlink(), link.read_text(), target.read_text()) == (True, text, text)
    assert names(tmp_path / "elsewhere") == ["table"]


@pytest.mark.parametrize("is_there", [True, False], ids=["full", "dangling"])
def test_a_link_to_a_folder_is_kept_and_its_target_replaced_every_time(tmp_path: Path, is_there: bool) -> None:
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere/predictor", tmp_path / "predictor"
    link.symlink_to(target, target_is_directory=True)
    if is_there:
        fill(target, "old")
    for text in ("new", "newer", "newest"):
        fill(link, text)
        assert (link.is_symlink(), read(link), read(target)) == (True, text, text)
    assert (names(tmp_path / "elsewhere"), names(tmp_path)) == (["predictor"], ["elsewhere", "predictor"])


def make_file(path: Path) -> None:
    path.write_text("left")


def make_folder(path: Path) -> None:
    path.mkdir()
    (path / "model.txt").write_text("left")


def make_link(path: Path) -> None:
    path.symlink_to(path.parent / "precious", target_is_directory=True)


def make_dangling_link(path: Path) -> None:
    path.symlink_to(path.parent / "nowhere")


@pytest.mark.parametrize("make", [make_file, make_folder, make_link, make_dangling_link])
@pytest.mark.parametrize("leftover", [".predictor.old", ".predictor.new"])
@pytest.mark.parametrize("is_there", [True, False], ids=["over an old folder", "for the first time"])
def test_a_leftover_of_any_kind_heals_and_what_a_link_leads_to_stays(
    tmp_path: Path, make: Callable[[Path], None], leftover: str, is_there: bool
) -> None:
    make_folder(tmp_path / "precious")
    if is_there:
        fill(tmp_path / "predictor", "old")
    make(tmp_path / leftover)
    if is_there:
        assert read(tmp_path / "predictor") == "old"
    fill(tmp_path / "predictor", "new")
    assert (read(tmp_path / "predictor"), read(tmp_path / "precious")) == ("new", "left")
    assert names(tmp_path) == ["precious", "predictor"]


def test_a_folder_in_place_of_a_file_and_a_file_in_place_of_a_folder_are_named_and_kept(tmp_path: Path) -> None:
    make_folder(tmp_path / "folder")
    make_file(tmp_path / "file")
    with pytest.raises(IsADirectoryError) as of_folder:
        write(tmp_path / "folder", "new")
    with pytest.raises(NotADirectoryError) as of_file:
        fill(tmp_path / "file", "new")
    assert of_folder.value.filename == str(tmp_path / "folder")
    assert of_file.value.filename == str(tmp_path / "file")
    assert (read(tmp_path / "folder"), (tmp_path / "file").read_text()) == ("left", "left")
    assert names(tmp_path) == ["file", "folder"]


def test_leftovers_are_removed_wherever_they_are_and_nothing_else(tmp_path: Path) -> None:
    make_folder(tmp_path / "raw")
    make_file(tmp_path / "raw/items.part")
    make_file(tmp_path / "raw/.mine.part")
    make_file(tmp_path / f"raw/.items.parquet.{'0123abcd' * 4}.part")
    make_dangling_link(tmp_path / f"raw/.events.parquet.{'4567cdef' * 4}.part")
    remove_leftovers(tmp_path)
    assert (names(tmp_path), names(tmp_path / "raw")) == (["raw"], [".mine.part", "items.part", "model.txt"])


def test_leftovers_behind_a_link_stay_as_somebody_may_be_at_work_there(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    make_folder(tmp_path / "others")
    make_file(tmp_path / f"others/.items.parquet.{'0123' * 8}.part")
    (tmp_path / "mine/raw").symlink_to(tmp_path / "others", target_is_directory=True)
    remove_leftovers(tmp_path / "mine")
    assert len(names(tmp_path / "others")) == 2


@pytest.mark.parametrize("save", [write, fill])
def test_links_in_a_circle_are_named(tmp_path: Path, save: Callable[[Path, str], None]) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert not current(tmp_path / "a").exists()
    with pytest.raises(OSError, match="symbolic links") as error:
        save(tmp_path / "a", "new")
    assert (error.value.errno, error.value.filename) == (errno.ELOOP, str(tmp_path / "a"))
    assert names(tmp_path) == ["a", "b"]


@pytest.mark.parametrize("name", [None, "the temporary file"])
def test_a_disk_that_is_full_is_said_of_the_file_and_not_of_the_temporary_one(tmp_path: Path, name: str | None) -> None:
    write(tmp_path / "table", "old")
    with pytest.raises(OSError, match="No space") as error, replacing(tmp_path / "table") as temporary:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), name and str(temporary))
    assert error.value.filename == str(tmp_path / "table")
    assert (names(tmp_path), (tmp_path / "table").read_text()) == (["table"], "old")


KILLED = """
import os, signal, sys
from pathlib import Path
from waste_risk.files import replace_folder

folder, text, n_steps = Path(sys.argv[1]), sys.argv[2].encode(), int(sys.argv[3])

def count(event, _):
    global n_steps
    if event.startswith(("open", "os.", "shutil.")):
        n_steps -= 1
        if n_steps == -1:  # the kill is a step, too
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(count)
replace_folder(folder, {"model.txt": text, "again.txt": text})
"""


@pytest.mark.parametrize("is_linked", [False, True], ids=["folder", "link"])
def test_a_folder_is_whole_wherever_in_its_replacement_the_process_is_killed(tmp_path: Path, is_linked: bool) -> None:
    """Each process dies one step later than the one before, on what that one left."""
    (tmp_path / "elsewhere").mkdir()
    folder = tmp_path / "elsewhere/predictor"
    fill(folder, "0")
    (folder / "again.txt").write_text("0")
    if is_linked:
        folder = tmp_path / "predictor"
        folder.symlink_to(tmp_path / "elsewhere/predictor", target_is_directory=True)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "src")}
    before, replaced = "0", set()
    for n_steps in range(1_000):
        command = [sys.executable, "-c", KILLED, str(folder), str(n_steps + 1), str(n_steps)]
        code = subprocess.run(command, env=environment, check=False).returncode
        after = read(folder)
        assert (current(folder) / "again.txt").read_text() == after
        assert after in {before, str(n_steps + 1)}
        replaced.add(after != before)
        before = after
        if code == 0:
            break
        assert code == -9
    assert replaced == {False, True}
    assert (after, names(tmp_path / "elsewhere")) == (str(n_steps + 1), ["predictor"])
    assert folder.is_symlink() == is_linked
