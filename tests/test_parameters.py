"""Parameters without Kedro, and those that follow others."""

from pathlib import Path
from typing import Any

import pytest

from waste_risk.adapters.configuration import ConfigLoader
from waste_risk.parameters import SECTIONS, Gates, RiskClasses, Split, load
from waste_risk.settings import CONFIG_LOADER_ARGS

CONF = Path(__file__).parents[1] / "conf"
VALIDATION = CONF / "base/parameters_validation.yml"


def with_kedro(**given: Any) -> dict[str, Any]:
    """The parameters of a run with others on the command line."""
    parameters: dict[str, Any] = ConfigLoader(str(CONF), runtime_params=given, **CONFIG_LOADER_ARGS)["parameters"]
    return parameters


@pytest.mark.parametrize("name", sorted(set(SECTIONS) - {"grocy"}))
def test_a_section_is_the_same_with_kedro_and_without(name: str) -> None:
    assert load(SECTIONS[name], VALIDATION) == SECTIONS[name].model_validate(with_kedro()[name])


def test_high_confidence_begins_with_the_high_risk_class() -> None:
    assert load(Gates, VALIDATION).high_confidence == load(RiskClasses, VALIDATION).high_from == 0.7


@pytest.mark.parametrize(
    ("given", "high_confidence", "high_from"),
    [
        ({"risk_classes": {"high_from": 0.8}}, 0.8, 0.8),
        ({"gates": {"high_confidence": 0.8}}, 0.8, 0.7),
    ],
)
def test_for_one_run_the_gates_follow_the_risk_classes_and_not_the_reverse(
    given: dict[str, Any], high_confidence: float, high_from: float
) -> None:
    parameters = with_kedro(**given)
    assert parameters["gates"]["high_confidence"] == high_confidence
    assert parameters["risk_classes"]["high_from"] == high_from


def test_a_file_goes_before_those_beside_it(tmp_path: Path) -> None:
    (tmp_path / "parameters_a.yml").write_text(
        "split: {test_share: 0.1, test_days: null, n_folds: 3}\nrisk_classes: {high_from: 0.9}"
    )
    (tmp_path / "parameters_b.yml").write_text(
        "split: {test_share: 0.2, test_days: 7, n_folds: 4}\nrisk_classes: {medium_from: 0.2, high_from: 0.8}"
    )
    for file, n_folds, high_from in (("a", 3, 0.9), ("b", 4, 0.8)):
        path = tmp_path / f"parameters_{file}.yml"
        assert (load(Split, path).n_folds, load(RiskClasses, path).high_from) == (n_folds, high_from)


def test_a_section_that_no_file_holds_is_named(tmp_path: Path) -> None:
    (tmp_path / "parameters.yml").write_text("split: {test_share: 0.1, test_days: null, n_folds: 3}")
    with pytest.raises(KeyError, match="gates"):
        load(Gates, tmp_path / "parameters.yml")


def test_a_file_that_is_missing_is_not_replaced_by_those_beside_it() -> None:
    with pytest.raises(FileNotFoundError, match="parameters_absent"):
        load(Gates, CONF / "base/parameters_absent.yml")
