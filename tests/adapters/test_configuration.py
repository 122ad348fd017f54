"""Whatever is wrong with a file in ``conf`` is said in one line that names the file."""

from collections.abc import Callable
from pathlib import Path

import pytest
from checkout import Checkout

from waste_risk.adapters.configuration import ConfigLoader, ConfigurationError
from waste_risk.settings import CONFIG_LOADER_ARGS

KEYS = ("globals", "run", "catalog", "parameters", "credentials")


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    """A configuration in which `mine` stands beside `base`."""
    files = {
        "base/globals.yml": "source: simulated\ntable: a.Table",
        "base/run.yml": "pipelines: [__default__]",
        "base/catalog.yml": "items:\n  type: ${globals:table}\n  filepath: data/${globals:source}/items.parquet",
        "base/parameters.yml": "split:\n  n_folds: 5",
        "mine/globals.yml": "source: mine",
        "mine/parameters.yml": "# nothing is changed",
        "mine/credentials.yml": "database:\n  con: ${oc.env:HOME}",
    }
    for name, text in files.items():
        (tmp_path / "conf" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "conf" / name).write_text(text)
    return tmp_path / "conf"


def load(conf: Path) -> dict[str, object]:
    loader = ConfigLoader(str(conf), env="mine", **CONFIG_LOADER_ARGS)
    return {key: loader[key] for key in KEYS}


def test_sound_files_are_read_as_kedro_reads_them(conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert load(conf) == {
        "globals": {"source": "mine", "table": "a.Table"},
        "run": {"pipelines": ["__default__"]},
        "catalog": {"items": {"type": "a.Table", "filepath": "data/mine/items.parquet"}},
        "parameters": {"split": {"n_folds": 5}},
        "credentials": {"database": {"con": "/home/me"}},
    }


def test_names_with_an_underscore_are_for_yaml_alone(conf: Path) -> None:
    (conf / "mine/run.yml").write_text("_all: &all [training, validation]\npipelines: *all")
    (conf / "mine/catalog.yml").write_text("_csv: &csv\n  type: pandas.CSVDataset\nitems: *csv")
    loaded = load(conf)
    assert loaded["run"] == {"pipelines": ["training", "validation"]}
    assert loaded["catalog"] == {"items": {"type": "pandas.CSVDataset"}}


TEXTS: dict[str, tuple[str, str | bytes, str]] = {
    "a tab": ("run", "pipelines:\n\t- a", ", line 2: found character '\\t' that cannot start any token."),
    "wrong indentation": ("catalog", "items:\n  type: x\n filepath: y", ", line 3: expected <block end>"),
    "a bracket that stays open": ("parameters", "split: [1,\n", ", line 2: expected the node content, but found"),
    "Latin-1": ("globals", "source: mine\n# M\xfcller".encode("latin-1"), ", line 2: is not text in UTF-8."),
    "UTF-16": ("globals", "source: mine".encode("utf-16"), ", line 1: is not text in UTF-8."),
    "an escape": ("parameters", "split:\n  # \x1b[31m", ", line 2: the character 0x1b is not allowed."),
    "a name twice": ("globals", "source: mine\nsource: yours", ", line 2: found duplicate key source."),
    "an alias of nothing": ("catalog", "items: *nothing", ", line 1: found undefined alias 'nothing'."),
    "a tag": ("catalog", "items: !python/name:os.system x", ", line 1: could not determine a constructor for the tag"),
    "a list": ("catalog", "- items\n- events", ": must hold names with values, as in `name: value`."),
    "a number": ("parameters", "5", ": must hold names with values, as in `name: value`."),
    "a number for a name": ("run", "1: 2", ": must hold names with values, as in `name: value`."),
    "nothing in globals": ("globals", "", " is empty; fill it or delete it."),
    "nothing in run": ("run", "", " is empty; fill it or delete it."),
    "nothing in the catalog": ("catalog", "# items:", " is empty; fill it or delete it."),
    "an unknown name in globals": ("globals", "sorce: mine", ": sorce is unknown; did you mean source?"),
    "an unknown name in run": ("run", "nodes: [a]", ": nodes is unknown."),
    "a number for a source": ("globals", "source: 5", ": source must be a text."),
    "a folder for a source": ("globals", "source: ../exports", ": source may hold letters, digits"),
    "an apostrophe in a source": ("globals", "source: it's", ": source may hold letters, digits"),
    "a text for pipelines": ("run", "pipelines: training", ": pipelines must be a list of names, as in"),
    "no pipelines": ("run", "pipelines: []", ": pipelines must be a list of names, as in"),
    "a text for an entry": ("catalog", "items: a.csv", ": items must be an entry with a type"),
    "another resolver": (
        "catalog",
        "items:\n  filepath: ${oc.env:HOME}/a.csv",
        ": items.filepath: Unsupported interpolation type oc.env; outside of credentials.yml, write ${env:NAME}.",
    ),
    "a variable that is not set": ("globals", "source: ${env:NOT_SET}", ": source: Environment variable 'NOT_SET' not"),
    "a global that is not there": ("catalog", "items: {type: '${globals:kind}'}", ": items.type: Globals key 'kind'"),
    "a circle": ("globals", "source: ${table}\ntable: ${source}", ": source: Recursive interpolation detected."),
    "half an interpolation": ("globals", "source: ${table", ": no viable alternative at input '${table'."),
}


@pytest.mark.parametrize(("key", "text", "reason"), TEXTS.values(), ids=TEXTS)
def test_a_broken_file_is_named_with_the_reason(conf: Path, key: str, text: str | bytes, reason: str) -> None:
    content = text if isinstance(text, bytes) else text.encode()
    (conf / f"mine/{key}.yml").write_bytes(content)
    with pytest.raises(ConfigurationError) as refused:
        load(conf)
    assert str(refused.value).startswith(f"conf/mine/{key}.yml{reason}")
    assert len(str(refused.value).splitlines()) == 1


def make_folder(path: Path) -> None:
    path.mkdir()


def link_to_nothing(path: Path) -> None:
    path.symlink_to("nowhere")


@pytest.mark.parametrize("key", ["run", "catalog", "globals"])
@pytest.mark.parametrize("make", [make_folder, link_to_nothing])
def test_what_is_named_as_a_file_must_be_one(conf: Path, key: str, make: Callable[[Path], None]) -> None:
    path = conf / f"mine/{key}.yml"
    path.unlink(missing_ok=True)
    make(path)
    with pytest.raises(ConfigurationError, match=rf"^conf/mine/{key}\.yml is not a file\.$"):
        load(conf)


def test_a_name_in_two_files_is_said_with_both(conf: Path) -> None:
    (conf / "mine/globals_too.yaml").write_text("source: yours")
    with pytest.raises(ConfigurationError) as refused:
        load(conf)
    message = str(refused.value)
    assert "conf/mine/globals.yml" in message
    assert "conf/mine/globals_too.yaml" in message
    assert message.endswith(": source.")


def test_a_fault_in_base_is_not_laid_to_the_environment(conf: Path) -> None:
    (conf / "base/catalog.yml").write_text("items:\n  type: ${globals:kind}")
    (conf / "mine/catalog.yml").write_text("items:\n  type: a.Table")
    with pytest.raises(ConfigurationError, match=r"^conf/base/catalog\.yml: items\.type: "):
        load(conf)


def test_the_command_ends_with_the_line_and_exit_code_1(tmp_path: Path) -> None:
    checkout = Checkout.make(tmp_path / "project")
    (checkout.folder / "conf/test/run.yml").write_bytes("pipelines: [Müll]".encode("latin-1"))
    outcome = checkout.run("--env", "test")
    assert (outcome.code, outcome.screen) == (1, "")
    assert outcome.errors == "conf/test/run.yml, line 1: is not text in UTF-8.\n"
