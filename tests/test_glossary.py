"""One word per idea: what the glossary lists under "instead of" stands in no sentence that a person reads."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
GLOSSARY = ROOT / "docs/glossary.md"
PAGES = [path for path in [*ROOT.glob("*.md"), *ROOT.glob("*/*.md")] if path != GLOSSARY]
TEMPLATES = [*(ROOT / "src").rglob("*.html")]
CODE = re.compile(r"```.*?```|``.*?``|`[^`]*`|<!--.*?-->|\{[{%].*?[%}]\}", re.DOTALL)


def instead_of(glossary: str) -> list[str]:
    rows = [line.strip("| ").split("|") for line in glossary.splitlines() if line.startswith("|")]
    cells = [row[2] for row in rows if len(row) == 3 and "---" not in row[0] and row[0].strip() != "term"]
    return [phrase.strip() for cell in cells for phrase in cell.split(",") if phrase.strip()]


INSTEAD_OF = instead_of(GLOSSARY.read_text(encoding="utf-8"))


def find_phrases(text: str) -> set[str]:
    prose = " ".join(CODE.sub(" ", text).split())
    return {phrase for phrase in INSTEAD_OF if re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", prose, re.IGNORECASE)}


def sentences_of(source: str) -> Iterator[str]:
    """Comments, docstrings and other strings of more than one word; the text in code marks is left out later."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.value
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


def test_the_third_column_of_the_glossary_is_read() -> None:
    table = "| term | meaning | instead of |\n|---|---|---|\n| a | plain | simple rule, easy rule |\n| b | | |\n"
    assert instead_of(table) == ["simple rule", "easy rule"]
    assert {"knob", "simple rules"} <= set(INSTEAD_OF)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A Simple\nrule is beaten", {"simple rule"}),
        ("simple ruler", set()),
        ("`judged_by` and ``judge``", set()),
        ("It is judged.", {"judged"}),
    ],
)
def test_a_phrase_is_found_as_whole_words_outside_of_code(text: str, found: set[str]) -> None:
    assert find_phrases(text) == found


@pytest.mark.parametrize("path", [*PAGES, *TEMPLATES], ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_keeps_to_the_glossary(path: Path) -> None:
    assert find_phrases(path.read_text(encoding="utf-8")) == set()


@pytest.mark.parametrize("path", sorted((ROOT / "conf").rglob("*.yml")), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_comments_of_the_configuration_keep_to_the_glossary(path: Path) -> None:
    comments = re.findall(r"(?:^|\s)#(.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert find_phrases("\n".join(comments)) == set()


@pytest.mark.parametrize("path", sorted((ROOT / "src").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_sentences_of_the_source_keep_to_the_glossary(path: Path) -> None:
    assert find_phrases("\n".join(sentences_of(path.read_text(encoding="utf-8")))) == set()


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_the_words_of_the_notebooks_keep_to_the_glossary(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    assert find_phrases("\n".join(cell.source for cell in cells if cell.cell_type == "markdown")) == set()
