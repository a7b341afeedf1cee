"""Rules for the Python: who may read a clock or the environment, what never stands in it, what starts fast."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.checkout import find_words, python_files, tracked_files

PRODUCT = python_files("pipeline", "dashboards", "expectations")

# A module of any of these names is where things go that have no place of their own.
NAMELESS = {"utils", "util", "helpers", "helper", "common", "functions", "misc"}

CLOCKS = {
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
    "time": {"time", "time_ns", "localtime", "gmtime", "strftime"},
    "pd.Timestamp": {"now", "today", "utcnow"},
}

# Who may touch the environment, and why.
ENVIRONMENT_READERS = {
    Path("pipeline/settings.py"): "it is the one reader",
    Path(
        "pipeline/warehouse/run_dbt.py"
    ): "dbt takes its database file from a variable and its options from others; they are set or hidden around the run",
    Path(
        "pipeline/quality/judge_counts.py"
    ): "Great Expectations reads its telemetry switch from a variable while it is imported",
    Path("pipeline/warehouse/spark.py"): "Sail takes from a variable how much it writes to the error output",
    Path(
        "dashboards/serve.py"
    ): "it hands this environment, without Streamlit's options, on to the server that it starts",
}


def dotted(node: ast.AST) -> str:
    return ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""


def attributes_of(files: dict[Path, str]) -> Iterator[tuple[Path, int, str, str]]:
    """Every `owner.name` in the code, with its place; texts and comments are not code."""
    for path, text in files.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Attribute):
                yield path, node.lineno, dotted(node.value), node.attr


def test_product_is_found() -> None:
    assert len(PRODUCT) > 50


def test_only_settings_reads_a_clock() -> None:
    found = [
        f"{path}:{line} {owner}.{name}"
        for path, line, owner, name in attributes_of(PRODUCT)
        for clock, readings in CLOCKS.items()
        if (owner == clock or owner.endswith(f".{clock}"))
        and name in readings
        and path != Path("pipeline/settings.py")
    ]
    assert found == []


def test_only_named_modules_touch_the_environment() -> None:
    found = {
        path
        for path, _, owner, name in attributes_of(PRODUCT)
        if owner == "os" and name in ("environ", "getenv", "putenv")
    }
    assert found - set(ENVIRONMENT_READERS) == set()
    assert set(ENVIRONMENT_READERS) - found == set(), "a reason stands here that nothing needs any more"


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [str(path) for path in PRODUCT if path.stem in NAMELESS or NAMELESS & set(path.parts)] == []


def test_python_names_no_plan() -> None:
    # The demo sells the three plans of the shipped files to its invented customers, so it has to name them.
    files = {path: text for path, text in PRODUCT.items() if path.parts[:2] != ("pipeline", "demo")}
    texts = [
        f"{path}:{node.lineno} {node.value!r}"
        for path, text in files.items()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.lower() in ("standard", "enhanced", "premium")
    ]
    assert texts == []
    names = [found for found in find_words(files, r"\b(enhanced|premium)\b") if "#" not in found]
    assert names == []


def test_python_ties_no_duration_to_a_promise() -> None:
    # A number of hours in a name of a target, a due time or a promise would be a second copy of a plan file.
    pattern = (
        r"(target|promise|due|response|debug|included|quantity)\w*\s*[:=]+\s*[^#\n]*"
        r"(\b(2|6|8|12|24|48|72)\s*\*\s*3600|\b(7200|21600|28800|43200|86400|172800|259200)\b|timedelta\(hours)"
    )
    files = {path: text for path, text in PRODUCT.items() if path.parts[:2] != ("pipeline", "demo")}
    assert find_words(files, pattern) == []


def test_no_page_lets_data_become_html() -> None:
    word = "unsafe_allow" + "_html"
    assert find_words(python_files("pipeline", "dashboards", "expectations", "tests"), word) == []


def test_nothing_runs_text_as_code() -> None:
    calls = [
        f"{path}:{node.lineno} {dotted(node.func)}"
        for path, text in PRODUCT.items()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
        and dotted(node.func) in ("eval", "exec", "os.system", "pickle.loads", "pickle.load", "yaml.load")
    ]
    assert calls == []
    assert find_words(PRODUCT, r"shell\s*=\s*True") == []


# Everything that takes long to import, or that a part of the installation may lack.
HEAVY = (
    "dbt",
    "great_expectations",
    "matplotlib",
    "streamlit",
    "pandas",
    "duckdb",
    "plotly",
    "typst",
    "pyarrow",
    "numpy",
    "holidays",
)


def modules_after(*arguments: str) -> set[str]:
    """Top-level modules in memory after `sla` with these arguments."""
    program = (
        "import json, sys\nfrom pipeline.cli import main\n"
        f"sys.argv = ['sla', *{list(arguments)!r}]\n"
        "try:\n    main()\nexcept SystemExit as stop:\n    assert stop.code in (0, None), stop.code\n"
        "sys.stderr.write(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    return set(json.loads(done.stderr))


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("compliance", "--help")])
def test_help_imports_nothing_heavy(arguments: tuple[str, ...]) -> None:
    assert modules_after(*arguments) & set(HEAVY) == set()


def test_a_figure_is_read_without_the_tools_that_made_it(demo_workspace: Path) -> None:
    loaded = modules_after("compliance", "--workspace", str(demo_workspace))
    assert loaded & {"dbt", "great_expectations", "streamlit", "matplotlib", "typst", "pandas"} == set()


def test_no_timed_test_holds_a_speed_goal() -> None:
    # A busy machine would fail it. Speed is compared as ratios within one run, by `make bench`.
    tests = {path: text for path, text in python_files("tests").items() if path.parts[1] != "bench"}
    clocks = r"time\.(perf_counter|monotonic|time|process_time)\(\)\s*-\s*\w+\s*<|elapsed_wall\s*<"
    assert find_words(tests, clocks) == []


def test_test_names_are_sentences() -> None:
    short = [
        f"{path}: {name}"
        for path, text in python_files("tests").items()
        # A scenario's sentence is the name of its folder.
        if path.parts[1] != "scenarios"
        for name in re.findall(r"^def (test_\w+)", text, re.MULTILINE)
        if name.count("_") < 3
    ]
    assert short == []


def test_every_python_package_is_tracked_with_its_marker() -> None:
    tracked = set(tracked_files())
    folders = {path.parent for path in tracked if path.suffix == ".py"}
    roots = ("pipeline", "dashboards", "expectations")
    packages = [folder for folder in folders if any(root in folder.parts for root in roots)]
    assert [str(folder) for folder in packages if folder / "__init__.py" not in tracked] == []
