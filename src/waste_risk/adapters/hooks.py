"""The hooks of the project, made once for each process."""

from waste_risk.adapters.parameter_checks import ParameterHook
from waste_risk.adapters.progress import ProgressHook
from waste_risk.adapters.sources import SourceHook
from waste_risk.adapters.tracking import TrackingHook
from waste_risk.adapters.verdicts import VerdictHook

_tracking = TrackingHook()

HOOKS = (ParameterHook(), SourceHook(), _tracking, ProgressHook(_tracking), VerdictHook(_tracking))
