"""`privy import`: checks, sends, stops, continues. Over real sockets, and with --sandbox."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import privy as package
import pytest
from command import PRIVY, Terminal, environment, privy, serving

HEADER = "order_id,email,total,currency,order_date"


def line(number: int, **changes: str) -> str:
    cells = {
        "order_id": str(number),
        "email": f"c{number}@example.com",
        "total": f"{number}.50",
        "currency": "USD",
        "order_date": "2026-01-15T12:00:00Z",
    }
    return ",".join({**cells, **changes}.values())


def orders_file(path: Path, count: int, *more: str) -> Path:
    path.write_text("\n".join([HEADER, *(line(number) for number in range(1, count + 1)), *more]) + "\n")
    return path


FAULTY = (line(800_900, total="many"), line(800_901, email="nobody", currency="dollars"))


@contextmanager
def counting(**settings: int) -> Iterator[tuple[package.Sandbox, dict[str, str]]]:
    """A sandbox behind a real socket whose contents the test can see."""
    sandbox = package.Sandbox()
    sandbox.set_limits(settings.get("per_minute", 100_000), settings.get("per_day", 100_000), window=1)
    with sandbox.serve() as url:
        yield sandbox, {"PRIVY_BASE_URL": url, "PRIVY_API_TOKEN": sandbox.token}


def stored(sandbox: package.Sandbox) -> dict[int, str]:
    return {int(number): str(order.total_amount) for number, order in sandbox.orders.items()}


def expected(count: int) -> dict[int, str]:
    return {number: f"{number}.50" for number in range(1, count + 1)}


@pytest.fixture(scope="module")
def server():
    with serving("--limits", "100000/1000000") as found:
        yield found


# ---- checks ----


def test_a_dry_run_lists_every_fault_and_sends_nothing(tmp_path):
    path = orders_file(tmp_path / "orders.csv", 3, *FAULTY)
    with counting() as (sandbox, env):
        done = privy("import", "orders", str(path), "--dry-run", env=env)
        assert sandbox.counts.requests == 0
    assert done.code == 1
    faults = re.findall(r"^orders\.csv:(\d+): (.+)$", done.out, re.MULTILINE)
    assert [number for number, _ in faults] == ["5", "6", "6"]
    assert "total 'many'" in faults[0][1]
    assert "takes: 3 requests" in done.out
    assert list(tmp_path.iterdir()) == [path]


def test_a_dry_run_needs_no_credentials(tmp_path):
    path = orders_file(tmp_path / "orders.csv", 130)
    done = privy("import", "orders", str(path), "-n", "--json", env={"PRIVY_CONFIG_DIR": str(tmp_path / "none")})
    assert (done.code, done.err) == (0, "")
    document = done.json
    assert document["format"] == "privy.import/1"
    assert document["counts"]["ready"] == 130
    assert document["estimate"] == {"requests": 130, "most_requests": 130, "seconds": 120.0, "most_seconds": 120.0}


def test_the_estimate_counts_days(tmp_path):
    path = orders_file(tmp_path / "orders.csv", 25_000)
    done = privy("import", "orders", str(path), "-n")
    assert "takes: 25,000 requests, 2 days 1 h" in done.out


def test_a_large_file_is_checked_fast(tmp_path):
    """100,000 rows in less than 10 seconds of a processor, however busy the machine is."""
    path = orders_file(tmp_path / "orders.csv", 100_000, *FAULTY)
    before = os.times()
    done = privy("import", "orders", str(path), "-n", "--json")
    after = os.times()
    assert after.children_user + after.children_system - before.children_user - before.children_system < 10
    assert (done.json["counts"]["rows"], done.json["counts"]["faulty"]) == (100_002, 2)


def test_strict_sends_nothing_if_a_row_is_faulty(tmp_path):
    path = orders_file(tmp_path / "orders.csv", 3, *FAULTY)
    with counting() as (sandbox, env):
        done = privy("import", "orders", str(path), "--strict", env=env)
        assert (done.code, sandbox.counts.requests) == (1, 0)
        assert "--strict" in done.out
        assert privy("import", "orders", str(orders_file(path, 3)), "--strict", env=env).code == 0
        assert stored(sandbox) == expected(3)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--resume", "--restart"],
        ["--journal", "x.db", "--no-journal"],
        ["--until", "soon"],
        ["--until", "2020-01-01T00:00:00Z"],
        ["--preset", "shopfiy"],
        ["--map", "missing.toml"],
        ["--delimiter", "ab"],
    ],
)
def test_usage(tmp_path, arguments):
    path = orders_file(tmp_path / "orders.csv", 1)
    with counting() as (sandbox, env):
        done = privy("import", "orders", str(path), *arguments, env=env, cwd=tmp_path)
        assert done.code == 2, done
        assert done.err.startswith(("privy: ", "Usage: "))
        assert "Traceback" not in done.err
        assert sandbox.counts.requests == 0


def test_other_usage(tmp_path, server):
    path = orders_file(tmp_path / "orders.csv", 1)
    assert privy("import", "contacts", str(path), "--historical", env=server.env).code == 2
    assert privy("import", "orders", str(path), "--rejects", str(path), env=server.env).code == 2
    assert privy("import", "orders", str(tmp_path / "no.csv"), env=server.env).code == 2
    assert privy("--sandbox", "import", "orders", str(path), "--resume").code == 2
    resumed = privy("import", "orders", str(path), "--resume", env=server.env)
    assert resumed.code != 0 and "journal" in resumed.err


@pytest.mark.parametrize("command", [["import", "orders"], ["plan"]], ids=["import", "plan"])
@pytest.mark.parametrize("options", [[], ["--sandbox"]], ids=["no credentials", "sandbox"])
def test_what_costs_least_is_checked_first(tmp_path, command, options):
    """The command line, then the files, and then the credentials."""
    (tmp_path / "rows.csv").write_text("email\n")
    missing = privy(*options, *command, "missing.csv", cwd=tmp_path)
    assert (missing.code, missing.err) == (2, "privy: missing.csv: No such file or directory\n")
    no_map = privy(*options, *command, "rows.csv", "--map", "map.toml", cwd=tmp_path)
    assert (no_map.code, no_map.err) == (2, "privy: map.toml: No such file or directory\n")
    more = ["--apply", "--yes"] if command == ["plan"] else []
    until = privy(*options, *command, "missing.csv", "--until", "soon", *more, cwd=tmp_path)
    assert until.code == 2
    assert until.err.startswith("privy: --until soon: write a time of day") and until.err.count("\n") == 1


def test_one_thing_is_not_a_plural(tmp_path):
    path = orders_file(tmp_path / "orders.csv", 1, line(2, total="many"))
    done = privy("import", "orders", str(path), "--dry-run")
    assert "orders.csv: 2 lines, 2 orders\nrefused: 1 order with 1 fault\nready: 1 order\n" in done.out
    assert "takes: 1 request, " in done.out
    sent = privy("--sandbox", "import", "orders", str(path), "--rejects", str(tmp_path / "rejects.csv"))
    assert "sent: 1 order (1 created, 0 updated)\n" in sent.out
    assert "rejects: 1 line in " in sent.out


def test_a_header_that_fits_nothing_is_explained(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text("ordr_id,mail\n1,a@example.com\n")
    done = privy("import", "orders", str(path), "-n")
    assert done.code == 2
    assert "order_id" in done.err and "total" in done.err


# ---- sending ----


def test_an_import_over_a_socket(tmp_path, server):
    path = orders_file(tmp_path / "orders.csv", 40)
    done = privy("import", "orders", str(path), env=server.env)
    assert done.code == 0, done
    assert "sent: 40 orders (40 created, 0 updated)" in done.out
    assert "--historical" not in done.err, "it is a sandbox"
    journal = tmp_path / "orders.csv.privy.db"
    assert stat.S_IMODE(journal.stat().st_mode) == 0o600
    again = privy("import", "orders", str(path), "--json", env=server.env)
    assert again.code == 0
    assert (again.json["counts"]["done_before"], again.json["counts"]["requests"]) == (40, 0)
    restarted = privy("import", "orders", str(path), "--json", "--restart", env=server.env)
    assert (restarted.json["counts"]["updated"], restarted.json["counts"]["requests"]) == (40, 40)


def test_a_rehearsal(tmp_path):
    path = orders_file(tmp_path / "orders.csv", 40, *FAULTY)
    done = privy("--sandbox", "import", "orders", str(path), "--json")
    assert done.code == 1
    assert (done.json["counts"]["created"], done.json["counts"]["faulty"]) == (40, 2)
    assert done.json["sandbox"] is True
    assert list(tmp_path.iterdir()) == [path]


def test_faulty_rows_are_left_out_and_rejected(tmp_path):
    path = orders_file(tmp_path / "orders.csv", 3, *FAULTY)
    rejects = tmp_path / "rejects.csv"
    with counting() as (sandbox, env):
        done = privy("import", "orders", str(path), "--rejects", str(rejects), env=env)
        assert done.code == 1
        assert stored(sandbox) == expected(3)
    assert re.search(r"^orders\.csv:5: total 'many'", done.err, re.MULTILINE)
    assert "rejects: 2 lines" in done.out
    assert stat.S_IMODE(rejects.stat().st_mode) == 0o600
    table = list(csv.DictReader(rejects.read_text().splitlines()))
    assert [*table[0]] == ["privy_line", "privy_field", "privy_reason", *HEADER.split(",")]
    assert [row["privy_line"] for row in table] == ["5", "6"]
    assert table[0]["order_id"] == "800900" and "total" in table[0]["privy_reason"]
    assert table[1]["privy_field"] == "email; currency"


def correct(path: Path, values: dict[str, str]) -> None:
    """Replaces cells of a file, as its owner does."""
    table = [[values.get(cell, cell) for cell in row] for row in csv.reader(path.read_text().splitlines())]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(table)


def test_rejects_can_be_corrected_and_imported(tmp_path):
    path = orders_file(tmp_path / "orders.csv", 0, *FAULTY)
    rejects, second = tmp_path / "rejects.csv", tmp_path / "second.csv"
    with counting() as (sandbox, env):
        assert privy("import", "orders", str(path), "--rejects", str(rejects), env=env).code == 1
        correct(rejects, {"many": "9.00"})
        assert privy("import", "orders", str(rejects), "--rejects", str(second), env=env).code == 1
        assert second.read_text().splitlines()[0] == rejects.read_text().splitlines()[0]
        correct(second, {"nobody": "b@example.com", "dollars": "USD"})
        done = privy("import", "orders", str(second), env=env)
        assert done.code == 0, done
        assert set(stored(sandbox)) == {800_900, 800_901}


def test_rows_that_privy_refuses_are_rejected_too(tmp_path):
    path = orders_file(tmp_path / "orders.csv", 5)
    rejects = tmp_path / "rejects.csv"
    body = '{"error":{"code":"validation_failed","message":"no","details":[{"field":"email","message":"is blocked"}]}}'
    with counting() as (sandbox, env):
        sandbox.fail(status=422, body=body, skip=2, count=1)
        done = privy("import", "orders", str(path), "--rejects", str(rejects), "--json", env=env)
    assert done.code == 1
    assert done.json["counts"]["failed"] == 1
    (failure,) = done.json["failures"]
    assert (failure["field"], failure["message"]) == ("email", "is blocked")
    (row,) = csv.DictReader(rejects.read_text().splitlines())
    assert row["privy_line"] == str(failure["line"]) == str(int(row["order_id"]) + 1)
    assert row["privy_reason"] == "email: is blocked"


def test_a_row_that_was_refused_in_an_earlier_run_is_not_forgotten(tmp_path):
    path = orders_file(tmp_path / "orders.csv", 5)
    rejects = tmp_path / "rejects.csv"
    body = '{"error":{"code":"validation_failed","message":"no","details":[{"field":"email","message":"is blocked"}]}}'
    with counting() as (sandbox, env):
        sandbox.fail(status=422, body=body, count=1)
        assert privy("import", "orders", str(path), env=env).code == 1
        done = privy("import", "orders", str(path), "--rejects", str(rejects), "--json", env=env)
        assert sandbox.counts.requests == 5
    assert done.code == 1
    assert (done.json["counts"]["refused_before"], done.json["counts"]["done_before"]) == (1, 4)
    assert [row["privy_reason"] for row in csv.DictReader(rejects.read_text().splitlines())] == ["email: is blocked"]


def test_historical_orders_start_no_flows(tmp_path):
    path = orders_file(tmp_path / "orders.csv", 2)
    with counting() as (sandbox, env):
        assert privy("import", "orders", str(path), "--historical", env=env).code == 0
        bodies = [json.loads(request.body) for request in sandbox.requests if request.method == "POST"]
    assert [body["initial_sync"] for body in bodies] == [True, True]


def test_contacts_and_events(tmp_path):
    people, events = tmp_path / "people.csv", tmp_path / "events.jsonl"
    people.write_text("email,first_name,tags\njane@example.com,Jane,\njoe@example.com,Joe,\n")
    event = '{"event_type": "seen", "email": "jane@example.com", "event_data": {"n": %d}}\n'
    events.write_text("".join(event % number for number in range(5)))
    with counting() as (sandbox, env):
        assert privy("import", "contacts", str(people), env=env).code == 0
        done = privy("import", "events", str(events), env=env)
        assert (done.code, done.out.splitlines()[1]) == (0, "sent: 5 events")
        assert sorted(event.event_data["n"] for event in sandbox.events) == list(range(5))
        assert sandbox.counts.contacts == 2
        assert privy("import", "events", str(events), "--json", env=env).json["counts"]["done_before"] == 5
        assert sandbox.counts.events == 5


def test_stdin(tmp_path):
    text = orders_file(tmp_path / "orders.csv", 5).read_bytes()
    with counting() as (sandbox, env):
        done = privy("import", "orders", "-", "--json", env=env, input=text)
        assert (done.code, done.json["journal"]) == (0, None)
        journal = str(tmp_path / "j.db")
        for requests in (10, 10):
            assert privy("import", "orders", "-", "--journal", journal, env=env, input=text).code == 0
            assert sandbox.counts.requests == requests
        assert stored(sandbox) == expected(5)
    assert not [name for name in os.listdir("/tmp") if name.startswith("privy-stdin-")]


@pytest.mark.parametrize("kind", ["tsv", "jsonl", "json", "parquet"])
def test_other_formats(tmp_path, kind):
    rows = [dict(zip(HEADER.split(","), line(number).split(","), strict=True)) for number in range(1, 6)]
    path = tmp_path / f"orders.{kind}"
    if kind == "tsv":
        path.write_text("\n".join("\t".join(cells) for cells in [HEADER.split(","), *(row.values() for row in rows)]))
    elif kind == "parquet":
        import pyarrow
        from pyarrow import parquet

        parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    else:
        path.write_text(json.dumps(rows) if kind == "json" else "".join(json.dumps(row) + "\n" for row in rows))
    with counting() as (sandbox, env):
        done = privy("import", "orders", str(path), env=env)
        assert done.code == 0, done
        assert stored(sandbox) == expected(5)


def test_broken_lines_of_json(tmp_path):
    path, rejects = tmp_path / "orders.jsonl", tmp_path / "rejects.jsonl"
    good = json.dumps(dict(zip(HEADER.split(","), line(1).split(","), strict=True)))
    path.write_text(f'{good}\n{{"order_id": \n{good.replace("1.50", "many")}\n')
    with counting() as (sandbox, env):
        done = privy("import", "orders", str(path), "--rejects", str(rejects), env=env)
        assert (done.code, stored(sandbox)) == (1, expected(1))
    broken, faulty = map(json.loads, rejects.read_text().splitlines())
    assert (broken["privy_line"], broken["text"]) == (2, '{"order_id": ')
    assert (faulty["privy_line"], faulty["total"]) == (3, "many")


# ---- budgets ----


def test_a_spent_day_ends_with_4_and_says_when_it_continues(tmp_path):
    path = orders_file(tmp_path / "orders.csv", 12)
    with counting(per_day=7) as (sandbox, env):
        done = privy("import", "orders", str(path), "--json", env=env)
        assert done.code == 4
        assert done.json["counts"]["succeeded"] == 7
        assert (done.json["counts"]["failed"], done.json["counts"]["unsent"]) == (0, 5)
        assert done.json["error"]["retry_at"]
        assert re.search(r"run the same command again from \d{4}-\d\d-\d\d .* on", done.err)
        sandbox.advance(86_400)
        assert privy("import", "orders", str(path), env=env).code == 0
        assert stored(sandbox) == expected(12)
        assert sum(request.status != 429 for request in sandbox.requests) == 12


def test_a_wrong_token_ends_with_3(tmp_path):
    path = orders_file(tmp_path / "orders.csv", 30)
    with counting() as (sandbox, env):
        done = privy("import", "orders", str(path), env={**env, "PRIVY_API_TOKEN": "privy_" + "e" * 40})
        assert done.code == 3
        assert sandbox.counts.requests <= 8


def test_until(tmp_path):
    path = orders_file(tmp_path / "orders.csv", 60)
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 4))
    with counting(per_minute=10) as (sandbox, env):
        done = privy("import", "orders", str(path), "--until", at, "--json", env=env)
        assert done.code == 4, done
        assert 0 < done.json["counts"]["succeeded"] < 60
        assert done.json["counts"]["unsent"] == 60 - done.json["counts"]["succeeded"]
        assert sandbox.counts.orders == done.json["counts"]["succeeded"]


def test_reserve(tmp_path):
    """With 6 requests a second, of which 4 are left to others, 12 rows take 5 more seconds."""
    path = orders_file(tmp_path / "orders.csv", 12)
    seconds = []
    for reserve in ("0", "4"):
        with counting(per_minute=6) as (_, env):
            done = privy("import", "orders", str(path), "--reserve", reserve, "--no-journal", "--json", env=env)
            assert done.code == 0
            seconds.append(done.json["seconds"])
    assert seconds[1] - seconds[0] > 1


# ---- interruptions ----


def started(path: Path, env: dict[str, str], *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*PRIVY, "import", "orders", str(path), *more],
        env=environment(**env),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(sandbox: package.Sandbox, requests: int) -> None:
    ends = time.monotonic() + 60
    while sandbox.counts.requests < requests:
        assert time.monotonic() < ends
        time.sleep(0.005)


def test_killed_twice_and_resumed_nothing_is_lost_or_doubled(tmp_path):
    """Each kill repeats at most the requests that were in flight."""
    path = orders_file(tmp_path / "orders.csv", 400)
    with counting(per_minute=120) as (sandbox, env):
        sent = 0
        for at in (90, 240):
            process = started(path, env)
            wait_for(sandbox, at)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            sent = sandbox.counts.requests
            assert sent < 400
        done = privy("import", "orders", str(path), "--resume", "--json", env=env)
        assert done.code == 0, done
        assert stored(sandbox) == expected(400)
        # A process that begins does not know yet what is left of the limit, so it may get a 429.
        answered = [request for request in sandbox.requests if request.status != 429]
        assert 400 <= len(answered) <= 400 + 2 * 8
        counts = done.json["counts"]
        assert counts["done_before"] + counts["succeeded"] == 400
        assert counts["requests"] == sandbox.counts.requests - sent


def test_ctrl_c_ends_cleanly_and_says_how_to_continue(tmp_path):
    path = orders_file(tmp_path / "orders.csv", 300)
    with counting(per_minute=60) as (sandbox, env):
        process = started(path, env, "--json")
        wait_for(sandbox, 70)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert process.returncode == 130
        document = json.loads(out)
        assert document["interrupted"] is True
        assert document["counts"]["in_doubt"] == 0
        assert document["counts"]["succeeded"] == sandbox.counts.requests
        assert "run the same command again" in err and "Traceback" not in err
        assert privy("import", "orders", str(path), env=env).code == 0
        assert stored(sandbox) == expected(300)
        assert sum(request.status < 300 for request in sandbox.requests) == 300


def test_a_second_ctrl_c_leaves_at_once(tmp_path):
    path = orders_file(tmp_path / "orders.csv", 50)
    with counting() as (sandbox, env):
        sandbox.fail(delay=20, count=0)
        process = started(path, env)
        wait_for(sandbox, 8)
        process.send_signal(signal.SIGINT)
        time.sleep(1)
        assert process.poll() is None, "it waits for the responses"
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 130
        assert time.monotonic() - began < 5
        assert "Traceback" not in err
        sandbox.clear_faults()
        assert privy("import", "orders", str(path), env=env).code == 0
        assert stored(sandbox) == expected(50)


def test_two_imports_of_one_file_at_the_same_time(tmp_path):
    path = orders_file(tmp_path / "orders.csv", 200)
    with counting(per_minute=30) as (sandbox, env):
        process = started(path, env)
        wait_for(sandbox, 5)
        done = privy("import", "orders", str(path), env=env)
        assert done.code == 1
        assert "journal" in done.err and "Traceback" not in done.err
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


# ---- progress ----


def test_progress_that_is_not_for_a_terminal(tmp_path):
    path = orders_file(tmp_path / "orders.csv", 60)
    code = "import sys; import privy.cli._progress as p; p.EVERY = 0.5\nfrom privy.cli import main; sys.exit(main())"
    with counting(per_minute=20) as (_, env):
        command = [PRIVY[0], "-c", code, "import", "orders", str(path)]
        done = subprocess.run(command, env=environment(**env), capture_output=True, text=True, timeout=60)
    lines = re.findall(r"^privy: \d\d:\d\d:\d\d (.+)$", done.stderr, re.MULTILINE)
    assert lines[0].startswith("0 of 60 orders")
    assert lines[-1] == "60 of 60 orders"
    assert len(lines) > 3
    assert any(re.search(r"\d+ s left", text) for text in lines[1:-1])
    assert "\r" not in done.stderr


def test_quiet(tmp_path, server):
    path = orders_file(tmp_path / "orders.csv", 3)
    done = privy("import", "orders", str(path), "-q", "--no-journal", env=server.env)
    assert (done.code, done.err) == (0, "")


def test_the_bar_on_a_terminal(tmp_path):
    path = orders_file(tmp_path / "orders.csv", 60)
    with counting(per_minute=20) as (_, env):
        code, text = Terminal("import", "orders", str(path), env=env).end()
    assert code == 0
    assert re.search(r"\d+/60", text) and "60/60" in text
    assert re.search(r"\d+ s left", text)
    widest = max(len(re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", part)) for part in re.split(r"[\r\n]", text))
    assert widest <= 80


def test_the_bar_follows_stderr_not_stdout(tmp_path, server):
    path = orders_file(tmp_path / "orders.csv", 3)
    command = f"{' '.join(PRIVY)} import orders {path} --no-journal > {tmp_path / 'out'}"
    env = environment(**server.env)
    done = subprocess.run(["script", "-qec", command, "/dev/null"], env=env, capture_output=True, text=True, timeout=60)
    assert "3/3" in done.stdout
    assert (tmp_path / "out").read_text().startswith("orders.csv: 3 lines")
