"""The hooks of the project, made once for each process."""

from waste_risk.adapters.lineage import LineageHook
from waste_risk.adapters.parameter_checks import ParameterHook
from waste_risk.adapters.progress import ProgressHook
from waste_risk.adapters.sources import SourceHook
from waste_risk.adapters.tracking import TrackingHook
from waste_risk.adapters.verdicts import RegistrationHook, VerdictHook

TRACKING = TrackingHook()
PROGRESS = ProgressHook(TRACKING)

# Kedro calls the last first: a source is looked at before its files are.
HOOKS = (
    *(ParameterHook(), LineageHook(), SourceHook()),
    *(TRACKING, PROGRESS, RegistrationHook(), VerdictHook(TRACKING)),
)
