"""Checks all parameters before anything runs, and reports each mistake in one line."""

import os
import sys
from collections.abc import Iterator, Mapping
from datetime import date
from difflib import get_close_matches
from typing import IO, Any

import click
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from pydantic import TypeAdapter, ValidationError

from waste_risk.adapters.configuration import ConfigLoader
from waste_risk.parameters import SECTIONS, Section

# Set for one run on the command line, and read by the sources' catalogs.
RUNTIME = {"start_date": date, "end_date": date, "data_file": str, "grocy_db": str}

# Measured from 10,000 to 10 million simulated items; a household's own rows weigh as much as an item's.
_BYTES_AT_REST, _BYTES_PER_ITEM = 500e6, 850
_LONGEST = 80  # characters of a value that are shown


class ParameterError(click.ClickException, ValueError):
    """Parameters are wrong: the command ends with these lines instead of a traceback."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the lines."""
        click.echo(self.message, file=file or sys.stderr)


class ParameterHook:
    """Refuses wrong parameters before anything runs, whether or not the pipeline reads them."""

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: KedroContext) -> None:
        """Check all of them.

        Raises:
            ParameterError: a name is unknown or read by nothing, a value has the wrong type or is out of range, the
                device that is to train is not there, or the memory for the source that is to be simulated.
        """
        loader = context.config_loader
        misplaced = list(_find_misplaced(loader.runtime_params or {}, SECTIONS))
        if misplaced:  # Kedro could not merge them
            raise ParameterError("\n".join(misplaced))
        parameters = loader["parameters"]
        mistakes = find_mistakes(parameters)
        if not mistakes and isinstance(loader, ConfigLoader):
            mistakes = find_unread(parameters, loader)
        mistakes = mistakes or find_missing_device(parameters) or find_missing_memory(parameters, _memory())
        if mistakes:
            raise ParameterError("\n".join(mistakes))


def find_mistakes(parameters: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with parameters, one line for each mistake."""
    lines = [line for name, value in parameters.items() for line in _check(name, value)]
    return lines or _find_disorder(parameters)


def _find_misplaced(given: Mapping[str, Any], known: Mapping[str, Any], *above: str) -> Iterator[str]:
    """Yield a line for each section that is set to a single value."""
    for name, value in given.items():
        section = known.get(name)
        if not (isinstance(section, type) and issubclass(section, Section)):
            continue
        inner = {key: field.annotation for key, field in section.model_fields.items()}
        if isinstance(value, Mapping):
            yield from _find_misplaced(value, inner, *above, name)
        else:
            place = _named((*above, name))
            yield f"Parameter {place} is a section: set one of its values, such as {place}.{next(iter(inner))}."


def find_unread(parameters: Mapping[str, Any], loader: ConfigLoader) -> list[str]:
    """Return a line for each runtime parameter that is set and that nothing reads: it would have no effect."""
    read = loader.runtime_parameters()
    unread = [name for name in RUNTIME if name in parameters and name not in read]
    return [
        f"Parameter {name}: no table of this environment's source is read by it; {_name_readers(name, loader)}"
        for name in unread
    ]


def _name_readers(name: str, loader: ConfigLoader) -> str:
    readers = loader.environments_that_read(name)
    return f"leave it out, or take --env {' or '.join(readers)}." if readers else "leave it out."


def find_missing_memory(parameters: Mapping[str, Any], available: float) -> list[str]:
    """Return a line if the source to be simulated does not fit into the available bytes."""
    section = parameters.get("data_generation", {})
    n_households, n_items = section.get("n_households", 0), section.get("n_items_per_household", 0)
    needed = _BYTES_AT_REST + _BYTES_PER_ITEM * n_households * (1 + n_items)
    if needed <= available:
        return []
    return [
        f"Parameter data_generation: {n_households} households with {n_items} items each need about "
        f"{needed / 1e9:.3g} GB of memory, and this machine has {available / 1e9:.3g}; lower n_households or "
        "n_items_per_household."
    ]


def _memory() -> float:
    return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


def find_missing_device(parameters: Mapping[str, Any]) -> list[str]:
    """Return a line if the device to train on is not available."""
    device_type = parameters.get("training", {}).get("device_type", "cpu")
    if device_type == "cpu":
        return []
    from waste_risk.training.device import why_unavailable  # noqa: PLC0415, LightGBM; few need it here

    reason = why_unavailable(device_type)
    line = f"Parameter training.device_type: LightGBM cannot train on {device_type} here ({reason}); set it to cpu."
    return [line] if reason else []


def _find_disorder(parameters: Mapping[str, Any]) -> list[str]:
    start, end = (parameters.get(name) for name in ("start_date", "end_date"))
    dates = TypeAdapter(date)
    if start is None or end is None or dates.validate_python(start) < dates.validate_python(end):
        return []
    return [f"Parameter end_date: must lie after start_date (given {_shown(end)} and {_shown(start)})."]


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
    name = _named(path)
    if error["type"] == "extra_forbidden":
        return _unknown(path, _names(path[:-1]))
    if error["type"] == "missing":
        return f"Parameter {name} is missing."
    if error["type"] == "renamed":
        old, new = error["ctx"]["old"], error["ctx"]["new"]
        return f"Parameter {_named((*path, old))} is now called {new if '.' in new else _named((*path, new))}."
    reason = error["msg"].removeprefix("Value error, ").removeprefix("Input ")
    given = "" if isinstance(error["input"], Mapping) else f" (given {_shown(error['input'])})"
    return f"Parameter {name}: {reason}{given}."


def _names(path: tuple[int | str, ...]) -> list[str]:
    """Return the names within a section."""
    section: Any = SECTIONS[str(path[0])]
    for name in path[1:]:
        section = section.model_fields[str(name)].annotation
    return list(section.model_fields)


def _unknown(path: tuple[int | str, ...], known: list[str]) -> str:
    *above, name = map(str, path)
    near = [".".join([*above, match]) for match in get_close_matches(name, known, n=1)]
    return f"Parameter {_named(path)} does not exist{f'; did you mean {near[0]}?' if near else '.'}"


def _named(path: tuple[int | str, ...]) -> str:
    return ".".join(_shown(str(name))[1:-1] for name in path)


def _shown(value: Any) -> str:
    """Return a value in quotes, shortened, in printable characters."""
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]}…{text[-_LONGEST // 2 :]}"
