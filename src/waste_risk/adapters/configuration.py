"""The files in ``conf``: each mistake in one of them is reported in one line that names the file."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from io import StringIO
from pathlib import Path, PurePosixPath
from typing import Any

from kedro.config import MissingConfigException, OmegaConfigLoader
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import MarkedYAMLError
from yaml.reader import ReaderError

from waste_risk.adapters.failures import RunError

_SUFFIXES = (".yml", ".yaml", ".json")
_NAMES = {
    "run": ("pipelines", "reads"),
    "globals": ("source", "table", "table_compression"),
}  # of the files whose names Kedro does not check
_MAY_BE_EMPTY = ("parameters", "credentials")  # any other file is there to say something
_SOURCE_NAME = re.compile(r"\w[\w.-]*")  # a folder's name in data/, and a tag's value that a search can quote

_NO_NAMES = "must hold names with values, as in `name: value`"

Configs = dict[Path, DictConfig]


class ConfigurationError(RunError):
    """A file in ``conf`` is wrong."""


class ConfigLoader(OmegaConfigLoader):
    """Kedro's loader, which also refuses unknown names, empty files and a folder named like a file."""

    def of_environment(self, key: str) -> dict[str, str]:
        """Return the names in the environment's own files, each with its file."""
        _, configs, *_ = self._read_raw_config(key)
        return {name: self.shown(path) for path, config in configs.items() for name in _names(config)}

    def of_base(self, key: str) -> dict[str, Any]:
        """Return the content of the files in ``conf/base``, unresolved."""
        configs, *_ = self._read_raw_config(key)
        plain: list[Any] = [OmegaConf.to_container(config, resolve=False) for config in configs.values()]
        return {name: value for config in plain for name, value in config.items()}

    def runtime_parameters(self) -> set[str]:
        """Return the names of the runtime parameters that the catalog, the globals or the parameters refer to."""
        raw = [configs for key in ("catalog", "globals", "parameters") for configs in self._read_raw_config(key)[:2]]
        texts = [OmegaConf.to_yaml(config) for configs in raw for config in configs.values()]
        return set(re.findall(r"\$\{runtime_params:\s*(\w+)", "\n".join(texts)))

    def environments_that_read(self, parameter: str) -> list[str]:
        """Return the environments of the project whose own files refer to a runtime parameter."""
        folders = Path(self.conf_source)
        names = sorted(path.name for path in folders.iterdir() if path.is_dir()) if folders.is_dir() else []
        loaders = {name: type(self)(self.conf_source, env=name, base_env=self.base_env) for name in names}
        return [name for name, loader in loaders.items() if parameter in loader.runtime_parameters()]

    def shown(self, path: Path) -> str:
        """Return the path as a user writes it: ``conf/mine/run.yml``."""
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
            if not _holds_names(config):
                raise ConfigurationError(f"{self.shown(path)}: {_NO_NAMES}.")
            if not config and key not in _MAY_BE_EMPTY:
                raise ConfigurationError(f"{self.shown(path)} is empty; fill it or delete it.")
        return configs

    def _merge_and_resolve(self, key: str, config_per_file: Configs) -> dict[str, Any]:
        fault = None
        try:
            resolved: dict[str, Any] = super()._merge_and_resolve(key, config_per_file)
        except (OmegaConfBaseException, RecursionError) as error:
            fault = self._explain_interpolation(key, error, config_per_file)
        if fault is not None:
            raise ConfigurationError(fault)
        for path, config in config_per_file.items():
            for name in _names(config):
                reason = _find_mistake(key, name, resolved[name])
                if reason:
                    raise ConfigurationError(f"{self.shown(path)}: {name} {reason}")
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
        return None if _holds_names(config) else f"{self.shown(path)}: {_NO_NAMES}."

    def _explain_interpolation(self, key: str, error: Exception, configs: Configs) -> str:
        place = getattr(error, "full_key", None) or ""
        name = re.split(r"[.\[]", place)[0]
        file = next((self.shown(path) for path, config in configs.items() if name in config), key)
        reason = "refers to itself" if isinstance(error, RecursionError) else _first_line(error)
        reason = re.sub(r"^\w+ raised while resolving interpolation: ", "", reason).strip('"')
        hint = "; outside of credentials.yml, write ${env:NAME}" if "oc.env" in reason else ""
        return f"{file}: {f'{place}: ' if place else ''}{reason}{hint}."

    def _shorten(self, text: str) -> str:
        folder = PurePosixPath(Path(self.conf_source).as_posix())
        return text.replace(f"{folder}/", f"{folder.name}/")


def _find_mistake(key: str, name: str, value: Any) -> str | None:
    """Return what is wrong with a name and its value, as the end of a sentence."""
    if key in _NAMES and name not in _NAMES[key]:
        return f"is unknown{suggest(name, _NAMES[key])}"
    if key == "run" and not (value and isinstance(value, list) and all(isinstance(item, str) for item in value)):
        return f"must be a list of names, as in `{name}: [training, validation]`."
    if key == "globals" and not isinstance(value, str):
        return "must be a text."
    if (key, name) == ("globals", "source") and not _SOURCE_NAME.fullmatch(value):
        return "may hold letters, digits, `_`, `-` and `.` only, and begins with none of the last two."
    if key == "catalog" and not isinstance(value, dict):
        return "must be an entry with a type; begin its name with _ if it is none."
    return None


def suggest(name: str, known: Iterable[str]) -> str:
    """Return the end of a sentence about an unknown name: the most similar known one, if there is one."""
    near = get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else "."


def _names(config: DictConfig) -> list[str]:
    return [name for name in map(str, config) if not name.startswith("_")]  # Kedro leaves those out: YAML's anchors


def _holds_names(config: Any) -> bool:
    return isinstance(config, DictConfig) and all(isinstance(name, str) for name in config)


def _locate(error: Exception, content: bytes) -> tuple[int | None, str]:
    """Return the line, if it is known, and the reason."""
    if isinstance(error, MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        return mark.line + 1 if mark else None, str(error.problem or error.context)
    if isinstance(error, UnicodeDecodeError):
        return content[: error.start].count(b"\n") + 1, "is not text in UTF-8"
    if isinstance(error, ReaderError):
        before = content.decode("utf-8")[: error.position]
        return before.count("\n") + 1, f"the character {error.character:#04x} is not allowed"
    if isinstance(error, OSError):
        return None, error.strerror or _NO_NAMES
    return None, _first_line(error)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(".") or type(error).__name__
