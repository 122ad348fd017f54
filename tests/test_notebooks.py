"""The notebooks: in git without outputs, and every cell runs on the data of a small run."""

import shutil
from pathlib import Path

import nbformat
import pytest
from checkout import Checkout
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
each_notebook = pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """The project after its main job, with the notebooks."""
    made = Checkout.make(tmp_path_factory.mktemp("notebooks") / "project")
    shutil.copytree(ROOT / "notebooks", made.folder / "notebooks")
    outcome = made.run("--env", "test")
    assert outcome.code == 0, outcome.errors
    return made


def test_there_are_notebooks_in_reading_order() -> None:
    assert [path.stem[:2] for path in NOTEBOOKS] == ["01", "02", "03"]


@each_notebook
def test_a_notebook_is_in_git_without_outputs(notebook: Path) -> None:
    cells = [cell for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in cells)


@each_notebook
def test_every_cell_of_a_notebook_runs_and_its_pictures_appear(
    notebook: Path, checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = checkout.folder / "notebooks"
    monkeypatch.setenv("KEDRO_ENV", "test")
    monkeypatch.setenv("PYTHONPATH", str(checkout.folder / "src"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    ran = nbformat.read(notebook, as_version=4)
    NotebookClient(ran, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}).execute()
    outputs = [output for cell in ran.cells for output in cell.get("outputs", [])]
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []
    n_pictures = sum("image/png" in output.get("data", {}) for output in outputs)
    assert n_pictures == sum(cell.source.endswith("figure") or "\nplot_" in f"\n{cell.source}" for cell in ran.cells)
