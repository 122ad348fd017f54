"""How the source is built: imports lead one way, in no circle, and the core knows no framework."""

import ast
import importlib.util
import re
import tomllib
from pathlib import Path

import pytest
from house import (
    LAYERS,
    PACKAGE,
    SHELL,
    Imports,
    body_sizes,
    find_circle,
    find_duplicates,
    find_inherited,
    find_unused,
    imported_names,
    module_imports,
    read_modules,
    read_users,
    room_imports,
    upward_imports,
)
from pages import render_modules

ROOT = Path(__file__).parents[1]
MODULES = read_modules(PACKAGE)
IMPORTS = module_imports(MODULES)


def frameworks() -> set[str]:
    """Kedro, MLflow and their plugins, among what the project depends on."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {re.split(r"\W*[<>=\[]", line)[0].replace("-", "_") for line in project["dependencies"]}
    return {name for name in names if name.startswith(("kedro", "mlflow"))}


def parse(**sources: str) -> dict[str, ast.Module]:
    return {name.replace("__", "."): ast.parse(source) for name, source in sources.items()}


def test_every_room_has_its_layer() -> None:
    assert sorted(room for layer in LAYERS for room in layer) == sorted(room_imports(IMPORTS))


def test_imports_point_one_way() -> None:
    assert upward_imports(IMPORTS) == []


def test_no_modules_import_each_other_in_a_circle_not_even_for_type_checking() -> None:
    assert find_circle(IMPORTS) == []
    assert find_circle(room_imports(IMPORTS)) == []


@pytest.mark.parametrize("name", sorted(name for name in MODULES if name.partition(".")[0] not in SHELL))
def test_only_the_shell_imports_a_framework(name: str) -> None:
    imported = {each.partition(".")[0] for node in ast.walk(MODULES[name]) for each in imported_names(node)}
    assert imported & frameworks() == set()


@pytest.mark.parametrize("folder", ["benchmarks", "docs", "experiments"])
def test_scripts_import_what_exists(folder: str) -> None:
    names = [
        (path.name, node.module, alias.name)
        for path in sorted((ROOT / folder).glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("waste_risk")
        for alias in node.names
    ]
    assert names
    assert [each for each in names if not exists(each[1], each[2])] == []


def exists(module: str, name: str) -> bool:
    return hasattr(importlib.import_module(module), name) or importlib.util.find_spec(f"{module}.{name}") is not None


def test_the_frameworks_are_those_of_the_project() -> None:
    assert frameworks() == {"kedro", "kedro_datasets", "kedro_mlflow", "kedro_viz", "mlflow"}


@pytest.mark.parametrize("name", sorted(name for name in MODULES if name.startswith("adapters.")))
def test_the_contents_of_the_adapters_name_every_module(name: str) -> None:
    assert re.search(rf"\b{name.partition('.')[2]}\b", ast.get_docstring(MODULES["adapters"]) or "")


def test_the_map_in_the_readme_names_every_module_as_it_describes_itself() -> None:
    assert render_modules() in (ROOT / "README.md").read_text(encoding="utf-8"), "run `make docs`"


def test_nothing_is_there_for_tests_alone() -> None:
    assert find_unused(MODULES, read_users()) == []


def test_no_two_files_of_tests_have_one_name() -> None:
    """Pytest imports them by name, wherever they are."""
    names = [path.name for path in (ROOT / "tests").rglob("*.py") if "toy_project" not in path.parts]
    assert sorted({name for name in names if names.count(name) > 1}) == ["conftest.py"]


def mutable_dataclasses(module: ast.Module) -> list[str]:
    return [
        f"{node.name}: {ast.unparse(decorator)}"
        for node in ast.walk(module)
        if isinstance(node, ast.ClassDef)
        for decorator in node.decorator_list
        if ast.unparse(decorator).startswith("dataclass") and "frozen=True" not in ast.unparse(decorator)
    ]


@pytest.mark.parametrize("name", sorted(name for name in MODULES if name.partition(".")[0] not in SHELL))
def test_every_dataclass_of_the_core_is_frozen(name: str) -> None:
    assert mutable_dataclasses(MODULES[name]) == []


def test_a_dataclass_that_can_be_changed_is_named() -> None:
    source = """
@dataclass
class Plain: ...

@dataclass(frozen=False, slots=True)
class Thawed: ...

@dataclass(slots=True, frozen=True)
class Frozen: ...
"""
    assert mutable_dataclasses(ast.parse(source)) == ["Plain: dataclass", "Thawed: dataclass(frozen=False, slots=True)"]


def test_an_import_is_found_wherever_it_is() -> None:
    modules = parse(
        low="",
        high="",
        high__inner="""
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from pack.low import Thing
def function():
    import pack.high
    from pack import other
""",
        other="from pack.high.inner import function, other",
    )
    assert module_imports(modules, "pack") == {
        "low": set(),
        "high": set(),
        "high.inner": {"low", "high", "other"},
        "other": {"high.inner"},
    }


def test_a_relative_import_is_refused() -> None:
    with pytest.raises(ValueError, match="line 1: relative import"):
        module_imports(parse(low="from .high import Thing"))


@pytest.mark.parametrize(
    ("imports", "upward"),
    [
        ({"low.a": {"high"}, "high": set()}, ["low.a → high"]),
        ({"low": {"beside"}, "beside": set()}, ["low → beside"]),
        ({"low.a": {"low.b"}, "low.b": set(), "high": {"low.a", "beside"}, "beside": set()}, []),
    ],
    ids=["upward", "within a layer", "downward, and within a room"],
)
def test_an_import_that_does_not_lead_downward_is_named(imports: Imports, upward: list[str]) -> None:
    assert upward_imports(imports, ({"low", "beside"}, {"high"})) == upward


def test_a_room_without_a_layer_is_refused() -> None:
    with pytest.raises(KeyError, match="new"):
        upward_imports({"low": {"new"}, "new": set()}, ({"low"},))


def test_a_circle_is_told_in_its_order() -> None:
    circle = find_circle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}})
    assert len(circle) == 4
    assert "".join(circle) in "abcabca"


def test_the_body_of_a_function_is_counted_without_signature_and_docstring() -> None:
    source = """
def documented(
    argument,
):
    \"\"\"Two lines.

    Of it.\"\"\"
    first = argument
    return (
        first
    )

class Group:
    def method(self):
        def inner():
            return 1
        return inner

    def empty(self):
        \"\"\"Nothing.\"\"\"
"""
    assert dict(body_sizes(ast.parse(source))) == {"documented": 4, "method": 3, "inner": 1}


def test_equal_definitions_are_found_whatever_their_docstrings_say() -> None:
    modules = parse(
        one="LIMIT = 3\nOTHER = 1\ndef half(x):\n    'Halve.'\n    return x / 2",
        two="LIMIT = 3\nOTHER = 2\ndef half(x):\n    'Return the half.'\n    return x / 2",
    )
    assert find_duplicates(modules) == {"LIMIT": ["one", "two"], "half": ["one", "two"]}


def test_what_no_module_and_no_other_user_names_is_unused() -> None:
    modules = parse(
        one="""
LIMIT = 3
class Loaded: ...
class Configured: ...
def called(): ...
def tested(): return tested_too()
def tested_too(): ...
""",
        other="""
from pack.one import called
PATH = f"{__name__}.Loaded"
called(PATH, "say tested to nobody")
""",
        settings="HOOKS = ()",
    )
    assert find_unused(modules, "type: pack.one.Configured") == ["one.LIMIT", "one.tested"]


def test_methods_whose_names_others_give_are_told_from_those_that_we_cut() -> None:
    name = "adapters.commit"
    assert [method.name for method in find_inherited(name, MODULES[name])] == [
        *("__init__", "load", "save", "_exists", "_describe"),
    ]
    assert "_ask" in dict(body_sizes(MODULES[name]))


def test_a_property_is_no_cut_of_ours() -> None:
    name = "metrics.days"
    assert [method.name for method in find_inherited(name, MODULES[name])] == ["n_households"]
