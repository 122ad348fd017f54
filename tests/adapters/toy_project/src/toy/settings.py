"""The real settings."""

from waste_risk.settings import *  # noqa: F403
