"""The closing lines of a run."""

import pandas as pd
from measured import LIMITS, MEASURED
from planted import OBSERVATION

from waste_risk.reporting.console import (
    count_observations,
    summarise_observations,
    summarise_source,
    summarise_verdict,
)
from waste_risk.validation.gates import check_gates


def test_the_source_is_its_size_and_what_was_wasted_of_it() -> None:
    items = pd.DataFrame({"item_id": [1, 2, 3, 4], "category": ["dairy", "dairy", "meat", "meat"]})
    events = pd.DataFrame({"item_id": [1, 3, 4, 2], "kind": ["wasted", "wasted", "wasted", "consumed"]})
    assert summarise_source(pd.DataFrame(index=range(1_000)), items, events) == [
        "Source:       1,000 households, 4 items, 4 events",
        "Items:        75.0 % wasted so far (meat 100.0 %, dairy 50.0 %)",
    ]


def test_all_observations_stand_beside_those_whose_label_is_known() -> None:
    counts = count_observations(pd.DataFrame(index=range(5)), pd.DataFrame({"wasted": [True, False, False, False]}))
    assert counts == {"observations": 5, "mature": 4, "mature_wasted_share": 0.25}
    assert summarise_observations(counts, OBSERVATION) == [
        "Observations: 5 of open items, 4 with a known label, 25.0 % wasted within 30 days"
    ]


def test_a_refused_model_ends_in_its_reasons() -> None:
    strict = LIMITS.model_copy(update={"min_auc": 0.88})
    assert summarise_verdict(MEASURED, check_gates(MEASURED, strict)) == [
        "Model:        AUC 0.8723, of 0.9312 with latent states known; expected calibration error 0.0567",
        "Verdict:      FAIL, 3 of 4 gates",
        "              AUC 0.8723 is below 0.88",
    ]
