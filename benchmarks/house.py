"""How the source is built: sizes of functions and modules, direction of imports, duplicates: `make house`."""

import ast
import importlib
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from math import ceil
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src/waste_risk"
# What uses the package beside itself; tests are none of it.
READ_BY_NAME = {"__init__", "settings", "pipeline_registry"}  # by Python and Kedro
USERS = ("README.md", "pyproject.toml", "conf/*/*.yml", "docs/*.*", "*/*.py", "notebooks/*.ipynb", "src/**/*.html")
SMALL, LARGE, LONG = 40, 300, 50  # lines of a module, and of a function's body

# From the bottom: a room (a folder, or a module at the root) imports rooms of lower layers only.
LAYERS = (
    {"arrays", "errors", "files", "partitions"},
    {"parameters", "reference"},
    {"metrics", "random_streams"},
    {"formatting", "simulation", "history"},
    {"sources", "features"},
    {"tables", "observations", "model"},
    {"training", "validation"},
    {"promotion", "scoring", "monitoring"},
    {"reporting"},
    {"adapters"},
    {"pipelines"},
    {"cli"},
    {"__main__", "settings", "pipeline_registry"},
)
SHELL = set().union(*LAYERS[LAYERS.index({"adapters"}) :])  # may import a framework

Modules = dict[str, ast.Module]  # by dotted name below the package; the package of a folder has the folder's name
Imports = dict[str, set[str]]  # of each module or room: those that it imports


def main() -> None:
    """Print each figure beside its aim."""
    modules = read_modules(PACKAGE)
    lines = [*_function_lines(modules), *_module_lines(modules), *_import_lines(modules), *_name_lines(modules)]
    sys.stdout.write("\n".join(lines) + "\n")


def read_modules(package: Path) -> Modules:
    """Parse every module of a package."""
    modules = {}
    for path in sorted(package.rglob("*.py")):
        name = ".".join(path.relative_to(package).with_suffix("").parts).removesuffix(".__init__")
        modules[name] = ast.parse(path.read_text(encoding="utf-8"))
    return modules


def module_imports(modules: Modules, package: str = PACKAGE.name) -> Imports:
    """Return which modules each module imports, also within functions and for type checking only."""
    imports: Imports = {}
    for name, tree in modules.items():
        imported = [found for node in ast.walk(tree) for found in imported_names(node)]
        inner = [found.removeprefix(f"{package}.") for found in imported if found.startswith(f"{package}.")]
        # What is imported from a package is one of its modules, or defined by its __init__.
        imports[name] = {each if each in modules else each.rpartition(".")[0] for each in inner} - {name}
    return imports


def imported_names(node: ast.AST) -> list[str]:
    """Return the dotted names that a statement imports: none, if it is no import.

    Raises:
        ValueError: the import is relative; the project spells every name out.
    """
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    if node.level:
        raise ValueError(f"line {node.lineno}: relative import")
    return [f"{node.module}.{alias.name}" for alias in node.names]


def room_imports(imports: Imports) -> Imports:
    """Return which rooms each room imports."""
    rooms: Imports = defaultdict(set)
    for name, imported in imports.items():
        if name == "__init__":  # of the whole package
            continue
        rooms[_room(name)] |= {_room(each) for each in imported} - {_room(name)}
    return dict(rooms)


def upward_imports(imports: Imports, layers: Iterable[set[str]] = LAYERS) -> list[str]:
    """Return the imports of modules that do not lead to a lower layer, as ``history.levels → tables.checks``."""
    layer = {room: number for number, rooms in enumerate(layers) for room in rooms}
    return [
        f"{name} → {each}"
        for name, imported in imports.items()
        for each in sorted(imported)
        if _room(name) != _room(each) and layer[_room(name)] <= layer[_room(each)]
    ]


def find_circle(imports: Imports) -> list[str]:
    """Return modules (or rooms) that import each other in a circle; none if there is none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []


def body_sizes(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield the name of each function and the lines of its body, without the docstring."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
            if body:
                yield node.name, (body[-1].end_lineno or 0) - body[0].lineno + 1


def find_duplicates(modules: Modules) -> dict[str, list[str]]:
    """Return what is defined in several modules under one name and with the same code, with these modules."""
    places = defaultdict(list)
    for name, tree in modules.items():
        for node in tree.body:
            for defined in _defined_names(node):
                places[defined, _code(node)].append(name)
    return {defined: where for (defined, _), where in sorted(places.items()) if len(where) > 1}


def find_inherited(name: str, tree: ast.Module) -> list[ast.FunctionDef]:
    """Return the methods of a module that are no cut of ours: properties, hooks, and those that a base class names."""
    module = importlib.import_module(f"{PACKAGE.name}.{name}")
    found = []
    for owner in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        bases = getattr(module, owner.name).__mro__[1:]
        for method in (node for node in owner.body if isinstance(node, ast.FunctionDef)):
            by_decorator = {"property", "cached_property", "hook_impl"} & set(map(_decorator, method.decorator_list))
            is_special = method.name.startswith("__") and method.name.endswith("__")
            if by_decorator or is_special or any(method.name in vars(base) for base in bases):
                found.append(method)
    return found


def find_unused(modules: Modules, users: str) -> list[str]:
    """Return what modules define and only tests can use: no module names it, nor does the text of other users."""
    named = Counter(re.findall(r"\w+", users))
    for tree in modules.values():
        for node in ast.walk(tree):
            named.update(_named(node))
    return [
        f"{name}.{defined}"
        for name, tree in modules.items()
        for node in tree.body
        for defined in _defined_names(node)
        if not named[defined] and name not in READ_BY_NAME and not defined.startswith("__")  # which Python calls
    ]


def read_users() -> str:
    """Return the texts of what uses the package beside itself: configuration, documentation, scripts."""
    paths = [path for pattern in USERS for path in ROOT.glob(pattern) if path.relative_to(ROOT).parts[0] != "tests"]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths if path.suffix != ".json")


def _decorator(node: ast.expr) -> str:
    return ast.unparse(node).partition("(")[0]


def _named(node: ast.AST) -> list[str]:
    """Return the names that are read or imported at a node, by a package's exports too: those are its interface."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        return [node.id]
    if isinstance(node, ast.Attribute):
        return [node.attr]
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " not in node.value:
        return re.findall(r"\w+", node.value)  # as the path of a class
    return [alias.name for alias in node.names] if isinstance(node, ast.ImportFrom) else []


def _defined_names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else []
    return [target.id for target in targets if isinstance(target, ast.Name) and target.id != "__all__"]


def _code(node: ast.stmt) -> str:
    if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None:
        node = ast.FunctionDef(**{**dict(ast.iter_fields(node)), "body": node.body[1:]})
    return ast.dump(node)


def _room(module: str) -> str:
    return module.partition(".")[0]


def _function_lines(modules: Modules) -> Iterator[str]:
    functions = [(size, f"{name}.{function}") for name, tree in modules.items() for function, size in body_sizes(tree)]
    sizes = sorted(size for size, _ in functions)
    inherited = [
        size for name in modules for method in find_inherited(name, modules[name]) for _, size in body_sizes(method)
    ]
    own = (Counter(sizes) - Counter(inherited)).elements()
    long = [f"{name} ({size})" for size, name in sorted(functions, reverse=True) if size > LONG]
    yield f"Functions            {len(sizes):5d}   lines of a body, without its docstring"
    yield f"  median             {median(sizes):5.0f}   of all; aim: 5 to 8"
    yield f"  median             {median(own):5.0f}   without the {len(inherited)} whose names are given: properties,"
    yield "                             special methods, hooks, methods of a base class"
    yield f"  90th percentile    {sizes[ceil(0.9 * len(sizes)) - 1]:5d}   aim: below 30"
    yield f"  over {LONG} lines      {len(long) / len(sizes):5.1%}   aim: below 1 %{_listed(long)}"


def _module_lines(modules: Modules) -> Iterator[str]:
    sizes = {path: _n_lines(path) for path in PACKAGE.rglob("*.py") if path.name != "__init__.py"}
    shown = {path.relative_to(PACKAGE).as_posix(): size for path, size in sizes.items()}
    largest = sorted(shown, key=shown.__getitem__, reverse=True)
    small = [f"{name} ({shown[name]})" for name in reversed(largest) if shown[name] < SMALL]
    at_root = [name for name in shown if "/" not in name]
    yield f"Modules              {len(shown):5d}   without __init__; {len(modules) - len(shown)} of these"
    yield f"  over {LARGE} lines     {sum(size > LARGE for size in shown.values()):5d}   aim: 0"
    yield f"  below {SMALL} lines     {len(small):5d}   aim: few, each an idea of its own{_listed(small)}"
    yield f"  at the root        {len(at_root) / len(shown):5.0%}   aim: below 10 %{_listed(at_root)}"
    yield "  the ten largest" + _listed([f"{name} ({shown[name]})" for name in largest[:10]])


def _import_lines(modules: Modules) -> Iterator[str]:
    imports = module_imports(modules)
    rooms = room_imports(imports)
    circle, upward = find_circle(imports) or find_circle(rooms), upward_imports(imports)
    yield f"Rooms                {len(rooms):5d}   folders, and modules at the root"
    yield f"  imports between    {sum(map(len, rooms.values())):5d}   of rooms by rooms"
    yield f"  not downward       {len(upward):5d}   aim: 0{_listed(upward)}"
    yield f"  circle             {' → '.join(circle) or ' none'}   aim: none, also for type checking only"


def _name_lines(modules: Modules) -> Iterator[str]:
    twice = [f"{name} ({', '.join(where)})" for name, where in find_duplicates(modules).items()]
    unused = find_unused(modules, read_users())
    yield f"Defined twice        {len(twice):5d}   one name, the same code; aim: 0{_listed(twice)}"
    yield f"For tests alone      {len(unused):5d}   defined, and named by nothing else; aim: 0{_listed(unused)}"


def _n_lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def _listed(names: Iterable[str]) -> str:
    return "".join(f"\n      {name}" for name in names)


if __name__ == "__main__":
    main()
