"""``python -m waste_risk`` and ``waste-risk``: ``kedro run`` where the package is installed, with --conf-source."""

from waste_risk.adapters.signals import quiet_interrupts

quiet_interrupts()  # the imports below take a second

from typing import Any  # noqa: E402

from kedro.framework.project import configure_project  # noqa: E402


def main(*arguments: Any, **options: Any) -> Any:
    """Run pipelines, as the command line says or ``arguments`` do."""
    configure_project("waste_risk")
    from waste_risk.cli import run  # noqa: PLC0415, the settings come first

    return run(*arguments, **options)


if __name__ == "__main__":
    main()
