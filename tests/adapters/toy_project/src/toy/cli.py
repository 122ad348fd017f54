"""The real command."""

from waste_risk.cli import cli, run

__all__ = ["cli", "run"]
