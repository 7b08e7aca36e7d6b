"""What the pages on imports show: each command and each program runs, in a folder with the sample files."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tree import INTERPRETERS, ROOT, environment, run, served

PAGES = ["import-history", "sync-nightly", "when-it-dies"]
SAMPLES = [*(ROOT / "examples/data").iterdir(), *(ROOT / "examples").glob("*.toml")]
# What runs the tasks that a block only defines.
STARTS = {"def sync_customers": "print(sync_customers())", "class SyncCustomers": "SyncCustomers.new.perform"}
EXIT_CODE = re.compile(r"\s+# exit code (\d+)$")


def blocks(page: str, *languages: str) -> list[tuple[str, str]]:
    text = (ROOT / f"docs/{page}.md").read_text()
    found = re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [block for block in found if block[0] in languages]


def commands(block: str) -> Iterator[tuple[str, int, list[str]]]:
    """Each command of a block, the exit code that its comment announces, and the lines that it prints."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        lines = part.replace("\\\n", "").splitlines()
        code = EXIT_CODE.search(lines[0])
        yield EXIT_CODE.sub("", lines[0]), int(code[1]) if code else 0, lines[1:]


def prints(shown: str, output: list[str]) -> int:
    """The index after the first line that is as shown, where … stands for anything; 0 if there is none."""
    pattern = ".*".join(re.escape(" ".join(part.split())) for part in shown.split("…"))
    pattern = pattern.replace(r"\ .*", r"\s?.*").replace(r".*\ ", r".*\s?")
    found = (n for n, line in enumerate(output, 1) if re.fullmatch(pattern, " ".join(line.split())))
    return next(found, 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for sample in SAMPLES:
        shutil.copy(sample, tmp_path)
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin/privy"
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m privy "$@"\n')
    script.chmod(0o755)
    return tmp_path


def variables(folder: Path, address: dict[str, str]) -> dict[str, str]:
    homes = {name: str(folder / "home") for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")}
    kept = {name: value for name, value in address.items() if name.startswith("PRIVY_")}
    return environment(**homes, **kept, PATH=f"{folder / 'bin'}:{os.environ['PATH']}", COLUMNS="100")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_s_commands_run(page: str, folder: Path) -> None:
    with served("python") as address:
        env = variables(folder, address)
        for _, block in blocks(page, "console"):
            for command, code, shown in commands(block):
                done = subprocess.run(
                    ["bash", "-c", command], cwd=folder, env=env, capture_output=True, text=True, timeout=120
                )
                said = f"$ {command}\n{done.stdout}{done.stderr}"
                assert done.returncode == code, f"exit code {done.returncode}\n{said}"
                output = (done.stdout + done.stderr).splitlines()
                for line in shown:
                    after = prints(line, output)
                    assert after, f"docs/{page}.md shows {line!r}, which is not printed in this place\n{said}"
                    output = output[after:]


def test_scheduled_commands_run(folder: Path) -> None:
    scheduled = [
        found
        for _, block in blocks("sync-nightly", "cron", "ini")
        for found in re.findall(r"(?:cd \S+ && |^ExecStart=\S*/)(privy .*)$", block, re.MULTILINE)
    ]
    assert len(scheduled) == 2
    with served("python") as address:
        for command in [found if found.startswith("privy") else f"privy {found}" for found in scheduled]:
            done = subprocess.run(["bash", "-c", command], cwd=folder, env=variables(folder, address), timeout=60)
            assert done.returncode == 1, command  # some rows of the sample are refused


@pytest.mark.parametrize("page", PAGES)
def test_a_page_s_programs_run(page: str, folder: Path) -> None:
    shown = blocks(page, "python", "ruby")
    assert {language for language, _ in shown} == {"python", "ruby"}
    with served("python") as address:
        env = variables(folder, address) | {"PYTHONPATH": os.environ.get("PYTHONPATH", "")}
        for number, (language, code) in enumerate(shown):
            file = folder / f"block{number}{'.py' if language == 'python' else '.rb'}"
            file.write_text("\n".join([code, *(start for sign, start in STARTS.items() if sign in code)]))
            paths = [re.sub(r"^-I", f"-I{ROOT}/", word) for word in INTERPRETERS[language]]
            run([*paths, file.name], cwd=folder, env=env)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_s_maps_fit_the_export(page: str, folder: Path) -> None:
    text = (ROOT / f"docs/{page}.md").read_text()
    for number, code in enumerate(re.findall(r"^ *```toml\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)):
        file = folder / f"map{number}.toml"
        file.write_text(re.sub(r"^  ", "", code, flags=re.MULTILINE))
        command = [str(folder / "bin/privy"), "import", "orders", "shopify-orders.csv", "--dry-run", "--map", file.name]
        env = variables(folder, {})
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 1, f"{code}\n{done.stdout}{done.stderr}"


def test_the_checks_see_what_is_wrong() -> None:
    block = "$ privy plan a.csv \\\n    --json    # exit code 1\n12 rows: …\n$ true\n"
    assert list(commands(block)) == [("privy plan a.csv     --json", 1, ["12 rows: …"]), ("true", 0, [])]
    output = ["first", "12 rows:   3 refused", "last"]
    assert prints("12 rows: …", output) == 2
    assert prints("12 rows: … refused", output) == 2
    assert prints("13 rows: …", output) == 0
