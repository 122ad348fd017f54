"""Links last, and what a killed writer leaves does no harm."""

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


def test_a_circle_of_links_is_an_error_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to(tmp_path / "two")
    (tmp_path / "two").symlink_to(tmp_path / "one")
    with pytest.raises(OSError, match="one|two"):
        fill(tmp_path / "one", "new")


def test_leftovers_are_removed_wherever_they_are_and_nothing_else(tmp_path: Path) -> None:
    make_folder(tmp_path / "raw")
    make_file(tmp_path / "raw/items.part")
    make_file(tmp_path / "raw/.mine.part")
    make_file(tmp_path / f"raw/.items.parquet.{'0123abcd' * 4}.part")
    make_dangling_link(tmp_path / f"raw/.events.parquet.{'4567cdef' * 4}.part")
    remove_leftovers(tmp_path)
    assert (names(tmp_path), names(tmp_path / "raw")) == (["raw"], [".mine.part", "items.part", "model.txt"])
