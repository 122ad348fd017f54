"""The files in ``conf``: whatever is wrong with one of them is said in one line that names it."""

import re
import sys
from collections.abc import Iterable
from difflib import get_close_matches
from io import StringIO
from pathlib import Path, PurePosixPath
from typing import IO, Any

import click
from kedro.config import MissingConfigException, OmegaConfigLoader
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import MarkedYAMLError
from yaml.reader import ReaderError

_SUFFIXES = (".yml", ".yaml", ".json")
_NAMES = {"run": ("pipelines",), "globals": ("source", "table")}  # of the files whose names Kedro does not check
_MAY_BE_EMPTY = ("parameters", "credentials")  # any other file is there to say something
_SOURCE_NAME = re.compile(r"\w[\w.-]*")  # a folder's name in data/, and a tag's value that a search can quote

Configs = dict[Path, DictConfig]


class ConfigurationError(click.ClickException, ValueError):
    """A file in ``conf`` is wrong; the command ends with this line instead of a traceback."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the line."""
        click.echo(self.message, file=file or sys.stderr)


class ConfigLoader(OmegaConfigLoader):
    """Kedro's loader, which refuses what it would pass over: unknown names, empty files, a folder named as a file."""

    def of_environment(self, key: str) -> dict[str, str]:
        """Return the names that the environment's own files say, each with its file."""
        _, configs, *_ = self._read_raw_config(key)
        return {name: self.shown(path) for path, config in configs.items() for name in _names(config)}

    def of_base(self, key: str) -> dict[str, Any]:
        """Return what the files in ``conf/base`` say, unresolved."""
        configs, *_ = self._read_raw_config(key)
        return {name: value for config in configs.values() for name, value in _plain(config).items()}

    def shown(self, path: Path) -> str:
        """Return the path as a user knows it: ``conf/mine/run.yml``."""
        return self._shorten(path.as_posix())

    def _is_valid_config_path(self, path: Path) -> bool:
        named_as_file = path.suffix in _SUFFIXES
        if named_as_file and not self._fs.isfile(path.as_posix()):
            raise ConfigurationError(f"{self.shown(path)} is not a file.")
        return named_as_file

    def _read_dir_configs(
        self, conf_path: str, patterns: Iterable[str], key: str, *options: Any, **more: Any
    ) -> dict[Path, DictConfig]:
        fault = None
        try:
            configs: dict[Path, DictConfig] = super()._read_dir_configs(conf_path, patterns, key, *options, **more)
        except (ConfigurationError, MissingConfigException):
            raise
        except Exception as error:
            files = {Path(file) for pattern in patterns for file in self._fs.glob(f"{conf_path}/{pattern}")}
            faults = [self._find_fault(file) for file in sorted(files) if self._is_valid_config_path(file)]
            fault = next(filter(None, faults), None) or self._shorten(f"{key}: {_first_line(error)}.")
        if fault is not None:
            raise ConfigurationError(fault)
        for path, config in configs.items():
            if not config and key not in _MAY_BE_EMPTY:
                raise ConfigurationError(f"{self.shown(path)} is empty; fill it or delete it.")
        return configs

    def _resolve_from_raw_config(
        self, key: str, base_configs: Configs, env_configs: Configs, *more: Any
    ) -> dict[str, Any]:
        configs = {**base_configs, **env_configs}
        self._refuse_unknown_names(key, configs)
        fault = None
        try:
            resolved: dict[str, Any] = super()._resolve_from_raw_config(key, base_configs, env_configs, *more)
        except (OmegaConfBaseException, RecursionError) as error:
            fault = self._explain_interpolation(key, error, configs)
        if fault is not None:
            raise ConfigurationError(fault)
        for name, value in resolved.items():
            self._refuse_wrong_value(key, name, value, configs)
        return resolved

    def _find_fault(self, path: Path) -> str | None:
        content = b""
        try:
            with self._fs.open(path.as_posix()) as file:
                content = file.read()
            config = OmegaConf.load(StringIO(content.decode("utf-8")))
        except Exception as error:
            line, reason = _locate(error, content)
            return f"{self.shown(path)}{f', line {line}' if line else ''}: {reason}."
        named = isinstance(config, DictConfig) and all(isinstance(name, str) for name in config)
        return None if named else f"{self.shown(path)}: must hold names with values, as in `name: value`."

    def _refuse_unknown_names(self, key: str, configs: Configs) -> None:
        for path, config in configs.items() if key in _NAMES else ():
            for name in _names(config):
                if name not in _NAMES[key]:
                    meant = suggest(name, _NAMES[key])
                    raise ConfigurationError(f"{self.shown(path)}: {name} is unknown{meant}.")

    def _refuse_wrong_value(self, key: str, name: str, value: Any, configs: Configs) -> None:
        said = {name: self.shown(path) for path, config in configs.items() for name in config}.get(name, "conf")
        if key == "run" and not (value and isinstance(value, list) and all(isinstance(item, str) for item in value)):
            raise ConfigurationError(f"{said}: {name} must be a list of names, as in `{name}: [training, validation]`.")
        if key == "globals" and not isinstance(value, str):
            raise ConfigurationError(f"{said}: {name} must be a text.")
        if (key, name) == ("globals", "source") and not _SOURCE_NAME.fullmatch(value):
            raise ConfigurationError(f"{said}: source may hold letters, digits, `_`, `-` and `.` only.")
        if key == "catalog" and not isinstance(value, dict):
            raise ConfigurationError(
                f"{said}: {name} must be an entry with a type; begin its name with _ if it is none."
            )

    def _explain_interpolation(self, key: str, error: Exception, configs: Configs) -> str:
        place = getattr(error, "full_key", None) or ""
        name = re.split(r"[.\[]", place)[0]
        file = next((self.shown(path) for path, config in configs.items() if name in config), key)
        reason = _first_line(error) if isinstance(error, OmegaConfBaseException) else "refers to itself"
        hint = "; outside of credentials.yml, write ${env:NAME}" if "oc.env" in reason else ""
        return f"{file}: {f'{place}: ' if place else ''}{reason}{hint}."

    def _shorten(self, text: str) -> str:
        folder = PurePosixPath(Path(self.conf_source).as_posix())
        return text.replace(f"{folder}/", f"{folder.name}/")


def suggest(name: str, known: Iterable[str]) -> str:
    """Return ``; did you mean …?`` without its mark, if a known name is near."""
    near = get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]}" if near else ""


def _names(config: DictConfig) -> list[str]:
    return [name for name in map(str, config) if not name.startswith("_")]  # Kedro leaves those out: YAML's anchors


def _plain(config: DictConfig) -> dict[str, Any]:
    plain: Any = OmegaConf.to_container(config, resolve=False)
    return dict(plain)


def _locate(error: Exception, content: bytes) -> tuple[int | None, str]:
    """Return the line, if it is known, and the reason."""
    if isinstance(error, MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        return mark.line + 1 if mark else None, str(error.problem or error.context)
    if isinstance(error, UnicodeDecodeError):
        return content[: error.start].count(b"\n") + 1, "is not text in UTF-8"
    if isinstance(error, ReaderError):
        before = content.decode("utf-8")[: error.position]
        return before.count("\n") + 1, f"the character {ord(str(error.character)):#04x} is not allowed"
    if isinstance(error, OSError):
        return None, error.strerror or "must hold names with values, as in `name: value`"
    return None, _first_line(error)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(".") or type(error).__name__
