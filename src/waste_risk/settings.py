"""Kedro's settings."""

from waste_risk.adapters.signals import quiet_interrupts

quiet_interrupts()  # the imports below take a second

from omegaconf.resolvers import oc  # noqa: E402

from waste_risk.adapters.configuration import ConfigLoader  # noqa: E402
from waste_risk.adapters.hooks import HOOKS  # noqa: E402
from waste_risk.adapters.session import SourceSession  # noqa: E402

__all__ = ["CONFIG_LOADER_ARGS", "CONFIG_LOADER_CLASS", "DISABLE_HOOKS_FOR_PLUGINS", "HOOKS", "SESSION_CLASS"]

SESSION_CLASS = SourceSession

# TrackingHook stands in for kedro-mlflow's; the others would send usage data, and write files beside the code.
DISABLE_HOOKS_FOR_PLUGINS = ("kedro_mlflow", "kedro-telemetry", "kedro-viz")

CONFIG_LOADER_CLASS = ConfigLoader

CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    "config_patterns": {"run": ["run*"], "globals": ["globals*"], "mlflow": ["mlflow*"]},
    "merge_strategy": {"parameters": "soft"},
    "custom_resolvers": {"env": oc.env},
}
