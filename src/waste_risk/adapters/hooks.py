"""The hooks of the project, created once for each process."""

from waste_risk.adapters.lineage import LineageHook
from waste_risk.adapters.parameter_checks import ParameterHook
from waste_risk.adapters.progress import ProgressHook
from waste_risk.adapters.registry_hooks import RegistrationHook, VerdictHook
from waste_risk.adapters.sources import SourceHook
from waste_risk.adapters.tracking import TrackingHook

TRACKING = TrackingHook()
PROGRESS = ProgressHook(TRACKING)

# Kedro calls the last first: a source is checked before its files are.
HOOKS = (
    *(ParameterHook(), LineageHook(), SourceHook()),
    *(TRACKING, PROGRESS, RegistrationHook(), VerdictHook(TRACKING)),
)
