"""What a search keeps, and what it shows."""

import io
from pathlib import Path

import pytest
from kedro.io import DatasetError

from waste_risk.adapters.studies import ProgressBar, StudiesDataset

URL = "postgresql+psycopg://me:s3cr3t@host/studies"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_store_is_not_made_before_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "new/a file%20with?signs.db"
    studies = StudiesDataset(str(path)).load()
    assert list(tmp_path.iterdir()) == []
    with studies.open():
        assert path.exists()


def test_an_address_takes_the_place_of_the_file_and_is_not_shown() -> None:
    dataset = StudiesDataset("data/studies.db", url=URL)
    studies = dataset.load()
    assert studies.url == URL
    assert "s3cr3t" not in repr(dataset) + str(dataset) + repr(studies) + str(studies)


def test_studies_are_not_saved_as_a_whole() -> None:
    with pytest.raises(DatasetError, match="trial by trial"):
        StudiesDataset("studies.db").save("a study")


def follow(screen: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("sys.stderr", screen)
    bar = ProgressBar()
    for finished, best in [(5, 0.8), (6, 0.9), (7, 0.9)]:
        bar(finished, 7, best)
    return screen.getvalue()


def test_a_terminal_shows_how_many_trials_have_finished_and_the_best_value(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = follow(Terminal(), monkeypatch)
    assert "7/7" in shown
    assert "best AUC 0.9000" in shown
    assert "trial/s" in shown or "s/trial" in shown


def test_a_file_gets_no_progress_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    assert follow(io.StringIO(), monkeypatch) == ""
