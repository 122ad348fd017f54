"""What was set is checked before anything runs, and said in one line for each mistake."""

import sys
from collections.abc import Iterator, Mapping
from datetime import date
from difflib import get_close_matches
from typing import IO, Any

import click
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from pydantic import TypeAdapter, ValidationError

from waste_risk.parameters import SECTIONS

# Set for one run on the command line, and read by the sources' catalogs.
RUNTIME = {"start_date": date, "end_date": date, "data_file": str, "grocy_db": str}


class ParameterError(click.ClickException, ValueError):
    """Parameters are wrong; the command ends with these lines instead of a traceback."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the lines."""
        click.echo(self.message, file=file or sys.stderr)


class ParameterHook:
    """Refuses wrong parameters as soon as they are known, whether or not the pipeline at hand reads them."""

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: KedroContext) -> None:
        """Check all of them.

        Raises:
            ParameterError: a name is unknown, a value has the wrong type or is out of range, or the device that is to
                train is not there.
        """
        parameters = context.config_loader["parameters"]
        mistakes = find_mistakes(parameters) or find_missing_device(parameters)
        if mistakes:
            raise ParameterError("\n".join(mistakes))


def find_mistakes(parameters: Mapping[str, Any]) -> list[str]:
    """List what is wrong with parameters, one line each."""
    return [line for name, value in parameters.items() for line in _check(name, value)]


def find_missing_device(parameters: Mapping[str, Any]) -> list[str]:
    """Say in one line that the device which is to train is not there; no line if it is."""
    device_type = parameters.get("training", {}).get("device_type", "cpu")
    if device_type == "cpu":
        return []
    from waste_risk.device import why_unavailable  # noqa: PLC0415, LightGBM; few need it here

    reason = why_unavailable(device_type)
    line = f"Parameter training.device_type: LightGBM cannot train on {device_type} here ({reason}); set it to cpu."
    return [line] if reason else []


def _check(name: str, value: Any) -> Iterator[str]:
    expected = SECTIONS.get(name) or RUNTIME.get(name)
    if expected is None:
        yield _unknown((name,), [*SECTIONS, *RUNTIME])
        return
    try:
        TypeAdapter(expected).validate_python(value)
    except ValidationError as errors:
        for error in errors.errors():
            yield _describe((name, *error["loc"]), error)


def _describe(path: tuple[int | str, ...], error: Any) -> str:
    name = ".".join(map(str, path))
    if error["type"] == "extra_forbidden":
        return _unknown(path, _names(path[:-1]))
    if error["type"] == "missing":
        return f"Parameter {name} is missing."
    reason = error["msg"].removeprefix("Value error, ").removeprefix("Input ")
    given = "" if isinstance(error["input"], Mapping) else f" (given {error['input']!r})"
    return f"Parameter {name}: {reason}{given}."


def _names(path: tuple[int | str, ...]) -> list[str]:
    """The names that a section, or a section within it, knows."""
    section: Any = SECTIONS[str(path[0])]
    for name in path[1:]:
        section = section.model_fields[str(name)].annotation
    return list(section.model_fields)


def _unknown(path: tuple[int | str, ...], known: list[str]) -> str:
    *above, name = map(str, path)
    near = [".".join([*above, match]) for match in get_close_matches(name, known, n=1)]
    return f"Parameter {'.'.join([*above, name])} does not exist{f'; did you mean {near[0]}?' if near else '.'}"
