"""Write the generated pages, and put what the last `make run` printed and drew into README.md: `make docs`."""

import re
import shutil
from pathlib import Path

from marginal_measures import simulate_records
from pages import render_cleaning, render_features, render_modules, render_report, render_schema, render_simulator

ROOT = Path(__file__).parents[1]
REPORTING = ROOT / "data/simulated/08_reporting"
PICTURES = ("roc_curve", "calibration_curve")
MORE_PICTURES = ("splits",)


def main() -> None:
    """Write the pages and the schema in docs, README.md and docs/images."""
    (ROOT / "docs/features.md").write_text(render_features(), encoding="utf-8")
    (ROOT / "docs/cleaning.md").write_text(render_cleaning(), encoding="utf-8")
    (ROOT / "docs/simulator.md").write_text(render_simulator(simulate_records()), encoding="utf-8")
    (ROOT / "docs/validation_metrics.schema.json").write_text(render_schema(), encoding="utf-8")
    report = (REPORTING / "validation_report.txt").read_text(encoding="utf-8")
    (ROOT / "docs/validation_report.md").write_text(render_report(report), encoding="utf-8")
    _fill_readme()


def _fill_readme() -> None:
    readme = ROOT / "README.md"
    screen = _last_screen()
    text = fill(readme.read_text(encoding="utf-8"), "output", f"```\n{screen}```\n\n{_pictures()}")
    readme.write_text(fill(text, "modules", render_modules()), encoding="utf-8")
    (ROOT / "docs/images").mkdir(exist_ok=True)
    for name in (*PICTURES, *MORE_PICTURES):
        shutil.copy(REPORTING / f"{name}.png", ROOT / "docs/images")


def fill(text: str, block: str, content: str) -> str:
    """Replace what stands between the two marks of a block."""
    marks = re.compile(rf"(<!-- {block}: begin[^>]*-->\n).*?(<!-- {block}: end -->)", re.DOTALL)
    filled, n_blocks = marks.subn(lambda found: f"{found[1]}{content}{found[2]}", text)
    if n_blocks != 1:
        raise ValueError(f"the text has {n_blocks} blocks named {block}, not one")
    return filled


def _last_screen() -> str:
    """What the newest run printed: its log without times of day, the middle nodes left out."""
    newest = max((ROOT / "logs").glob("*.log"))
    lines = [line.split(" INFO ", 1)[1] for line in newest.read_text(encoding="utf-8").splitlines()]
    nodes = [line for line in lines if line.startswith("[")]
    return "\n".join([*nodes[:3], "…", nodes[-1], *lines[len(nodes) :]]) + "\n"


def _pictures() -> str:
    return "".join(f'<img src="docs/images/{name}.png" width="380"> ' for name in PICTURES).strip() + "\n"


if __name__ == "__main__":
    main()
