"""``python -m waste_risk``: ``kedro run`` where the package is installed, with --conf-source."""

from typing import Any

from kedro.framework.project import configure_project


def main(*arguments: Any, **options: Any) -> Any:
    """Run pipelines."""
    configure_project("waste_risk")
    from waste_risk.cli import run  # noqa: PLC0415, the settings come first

    return run(*arguments, **options)


if __name__ == "__main__":
    main()
