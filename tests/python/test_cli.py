"""The command `privy`: help, versions, exit codes, credentials, what it prints where."""

from __future__ import annotations

import json
import os
import re
import resource
import stat
import subprocess
import sys
from pathlib import Path

import privy as package
import pytest
from command import PRIVY, Done, Terminal, environment, privy, serving

ROOT = Path(__file__).parents[2]
BAD_TOKEN = "privy_" + "e" * 40


@pytest.fixture(scope="module")
def server():
    with serving("--limits", "1000/100000") as found:
        yield found


@pytest.fixture
def home(tmp_path):
    """A folder for stored credentials."""
    return {"PRIVY_CONFIG_DIR": str(tmp_path / "config")}


def commands() -> list[str]:
    return re.findall(r"^  ([a-z]+)  ", privy("--help").out.split("Commands:")[1], re.MULTILINE)


# ---- help, versions, speed ----


def test_version():
    assert privy("--version").out == f"privy {package.__version__}\n"
    assert privy("--version", "--json").out == f"privy {package.__version__}\n"


def test_each_command_has_help_that_fits_80_columns():
    names = commands()
    assert {"login", "logout", "whoami", "contacts", "import", "api", "sandbox", "doctor"} <= set(names)
    pages = [[], *([name] for name in names), *(["contacts", name] for name in ("list", "get", "upsert", "delete"))]
    for page in pages:
        done = privy(*page, "--help")
        assert (done.code, done.err) == (0, "")
        assert max(map(len, done.out.splitlines())) <= 80, page


def test_the_page_names_all_options_of_imports_and_none_that_do_not_exist():
    page = set(re.findall(r"--[a-z][a-z-]+", (ROOT / "docs/cli.md").read_text()))
    helps = {name: set(re.findall(r"--[a-z][a-z-]+", privy(name, "--help").out)) for name in commands()}
    lists = [privy("contacts", name, "--help").out for name in ("list", "delete")]
    assert page <= set.union(*helps.values(), *(set(re.findall(r"--[a-z][a-z-]+", text)) for text in lists))
    assert helps["import"] - page <= {"--help", "--initial-sync", "--quiet", "--verbose"}


def test_the_options_of_all_commands_are_accepted_before_and_after_the_command():
    before, after = privy("--sandbox", "--json", "-q", "whoami"), privy("whoami", "--sandbox", "--json", "-q")
    assert before.json == after.json
    assert before.err == after.err == ""


@pytest.mark.parametrize(("argument", "most"), [("--version", 4), ("--help", 8)])
def test_the_start_is_fast(argument, most):
    """Help and version take little more of a processor than an interpreter that does nothing, measured in turns: a
    slow or busy machine slows both."""

    def seconds(*command: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *command], env=environment(), stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    pairs = [(seconds("-m", "privy", argument), seconds("-c", "pass")) for _ in range(8)]
    ours, bare = (min(each) for each in zip(*pairs, strict=True))
    assert ours < most * bare, pairs


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["import", "--help"], ["--sandbox", "whoami"]])
def test_heavy_libraries_are_imported_when_they_are_used(arguments):
    code = (
        "import sys; from privy.cli import main; code = main(sys.argv[1:])\n"
        "print(*(name for name in ('rich', 'charset_normalizer', 'phonenumbers', 'platformdirs', 'pyarrow',"
        " 'pandas', 'polars', 'numpy', 'asyncio', 'sqlite3', 'ssl', 'http.client') if name in sys.modules),"
        " code, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments, "-q"]
        if "--sandbox" in arguments
        else [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        env=environment(),
    )
    assert done.stderr.split() == ["0"]


def test_without_the_extra_it_says_what_to_install():
    code = "import sys; sys.modules['click'] = None; from privy.cli import main; sys.exit(main(['whoami']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment())
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "privy-marketing[cli]" in done.stderr


def test_completion_lists_commands_and_options():
    def completed(words: str) -> list[str]:
        env = environment(_PRIVY_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(len(words.split(" ")) - 1))
        code = "import sys; sys.argv[0] = 'privy'; from privy.cli import main; sys.exit(main([]))"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
        return [line.partition(",")[2] for line in done.stdout.splitlines()]

    assert set(completed("privy co")) == {"contacts"}
    assert "--dry-run" in completed("privy import orders x.csv --dry")
    assert {"upsert"} == set(completed("privy contacts up"))


# ---- errors ----


def test_usage_errors():
    for arguments in (["nothing"], ["--nothing"], ["import", "orders"], ["import", "people", "x.csv"], ["api", "GET"]):
        done = privy(*arguments)
        assert (done.code, done.out) == (2, ""), arguments
        assert "Usage:" in done.err


def test_without_credentials(home):
    done = privy("whoami", env=home)
    assert (done.code, done.out) == (3, "")
    assert "privy login" in done.err and "PRIVY_API_TOKEN" in done.err
    document = privy("whoami", "--json", env=home).json
    assert document["format"] == "privy.error/1"
    assert document["error"]["exit_code"] == 3


def test_a_wrong_token(server):
    done = privy("contacts", "list", "--json", env={**server.env, "PRIVY_API_TOKEN": BAD_TOKEN})
    assert done.code == 3
    assert done.json["error"]["status"] == 401
    assert done.json["error"]["exit_code"] == 3
    assert "privy login" in done.err
    assert BAD_TOKEN not in done.out + done.err


def test_a_server_that_is_away():
    done = privy("whoami", env={"PRIVY_BASE_URL": "http://127.0.0.1:9/v1", "PRIVY_API_TOKEN": BAD_TOKEN})
    assert done.code == 1
    assert "Traceback" not in done.err


def test_an_invalid_setting():
    done = privy("whoami", env={"PRIVY_BASE_URL": "nothing", "PRIVY_API_TOKEN": BAD_TOKEN})
    assert done.code == 2
    assert "base_url" in done.err


def test_a_spent_budget_says_when_it_continues():
    with serving("--limits", "100/3") as spent:
        for _ in range(3):
            assert privy("contacts", "list", env=spent.env).code == 0
        done = privy("contacts", "list", "--json", env=spent.env)
    assert done.code == 4
    assert done.json["error"]["retry_at"]
    assert re.search(r"possible again at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d", done.err)


def test_a_reader_that_has_enough(server):
    with serving("--seed", "shop:3000:1") as large:
        command = f"{sys.executable} -m privy contacts list --csv | head -2; echo ${{PIPESTATUS[0]}}"
        done = subprocess.run(
            ["bash", "-c", command], env=environment(**large.env), capture_output=True, text=True, timeout=120
        )
    assert len(done.stdout.splitlines()) == 3
    assert done.stderr == ""


# ---- credentials ----


def test_login_checks_and_stores_a_token_for_its_owner_only(server, home, tmp_path):
    done = privy("login", "--base-url", server.url, env=home, input=f"{server.token}\n")
    assert done.code == 0, done.err
    path = tmp_path / "config" / "credentials.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert server.token not in done.out + done.err
    assert privy("whoami", env=home).code == 0
    assert server.url in privy("whoami", env=home).out
    assert privy("logout", env=home).code == 0
    assert server.token not in path.read_text()
    assert privy("whoami", env=home).code == 3
    assert privy("logout", env=home).code == 1


def test_login_refuses_a_token_that_the_api_refuses(server, home, tmp_path):
    done = privy("login", "--base-url", server.url, env=home, input=BAD_TOKEN)
    assert done.code == 3
    assert "nothing is stored" in done.err
    assert not (tmp_path / "config" / "credentials.json").exists()
    assert privy("login", env=home, input="").code == 2


def test_profiles(server, home):
    for name in ("shop-a", "shop-b"):
        assert privy("login", "--profile", name, "--base-url", server.url, env=home, input=server.token).code == 0
    assert privy("--profile", "shop-b", "whoami", env=home).code == 0
    assert privy("whoami", env={**home, "PRIVY_PROFILE": "shop-a"}).code == 0
    done = privy("--profile", "shop-c", "whoami", env=home)
    assert done.code == 3
    assert "shop-a, shop-b" in done.err


def test_the_token_of_a_profile_is_sent_to_no_other_host(server, home):
    assert privy("login", "--base-url", server.url, env=home, input=server.token).code == 0
    done = privy("whoami", "--base-url", "https://elsewhere.example/v1", env=home)
    assert done.code == 2
    assert "sent nowhere else" in done.err
    assert privy("whoami", "--base-url", server.url + "/", env=home).code == 0


def test_an_oauth_client(server, home):
    client = package.Sandbox
    arguments = ("login", "--client-id", client.client_id, "--base-url", server.url)
    assert privy(*arguments, env=home, input=client.client_secret).code == 0
    assert privy("whoami", env=home).code == 0


def test_damaged_credentials(home, tmp_path):
    path = tmp_path / "config" / "credentials.json"
    path.parent.mkdir()
    path.write_text("{")
    done = privy("whoami", env=home)
    assert done.code == 2
    assert str(path) in done.err


def test_a_token_is_typed_without_being_shown(server, home):
    terminal = Terminal("login", "--base-url", server.url, env=home)
    terminal.read_until("Token: ")
    terminal.write(server.token + "\n")
    code, text = terminal.end()
    assert code == 0, text
    assert server.token not in text


# ---- whoami, doctor, api ----


def test_whoami(server):
    done = privy("whoami", env=server.env)
    assert (done.code, done.err) == (0, "")
    assert "contacts_read, contacts_write, orders_write, events_write" in done.out
    assert re.search(r"minute  \d+ of 1,000 requests left", done.out)
    document = privy("whoami", "--json", env=server.env).json
    assert document["format"] == "privy.whoami/1"
    assert document["scopes"] == dict.fromkeys(
        ["contacts_read", "contacts_write", "orders_write", "events_write"], True
    )
    assert document["budget"]["minute"]["limit"] == 1000
    assert (document["kind"], document["access"]) == ("sandbox", "accepted")


def test_whoami_with_fewer_scopes_sends_nothing_that_is_stored():
    sandbox = package.Sandbox()
    token = "privy_" + "d" * 40
    sandbox.add_token(token, "contacts_read orders_write")
    with sandbox.serve() as url:
        document = privy("whoami", "--json", env={"PRIVY_BASE_URL": url, "PRIVY_API_TOKEN": token}).json
    assert [scope for scope, granted in document["scopes"].items() if granted] == ["contacts_read", "orders_write"]
    counts = sandbox.counts
    assert (counts.requests, counts.contacts, counts.orders, counts.events) == (4, 0, 0, 0)


def test_whoami_of_a_refused_token(server):
    done = privy("whoami", env={**server.env, "PRIVY_API_TOKEN": BAD_TOKEN})
    assert done.code == 3
    assert re.search(r"access +refused", done.out)


def checks_of(done: Done) -> dict[str, dict[str, str]]:
    return {check["name"]: check for check in done.json["checks"]}


def test_doctor(server):
    done = privy("doctor", env=server.env)
    assert done.code == 0, done.out
    assert {line[:4].strip() for line in done.out.splitlines()} <= {"ok", "warn", ""}
    checks = checks_of(privy("doctor", "--json", env=server.env))
    assert checks["libcurl"]["text"][0].isdigit() and checks["sqlite"]["text"].startswith("3.")
    assert checks["TLS"]["text"]
    assert re.search(r"127\.0\.0\.1:\d+: lookup \d+ ms, connect \d+ ms, .*response \d+ ms", checks["network"]["text"])
    assert {name: check["status"] for name, check in checks.items()}["clock"] == "ok"
    assert re.search(r"of 1,000 of the minute, .* of the day", checks["budget"]["text"])


def test_doctor_says_what_fails(server, home, tmp_path):
    assert privy("doctor", env=home).code == 3
    assert checks_of(privy("doctor", "--json", env=home))["credentials"]["status"] == "fail"
    wrong = privy("doctor", "--json", env={**server.env, "PRIVY_API_TOKEN": BAD_TOKEN})
    assert (wrong.code, checks_of(wrong)["access"]["status"]) == (3, "fail")
    away = privy("doctor", "--json", env={"PRIVY_BASE_URL": "http://127.0.0.1:9/v1", "PRIVY_API_TOKEN": BAD_TOKEN})
    assert (away.code, checks_of(away)["network"]["status"]) == (1, "fail")
    bundle = tmp_path / "ca.pem"
    bundle.write_text("nothing")
    broken = privy("doctor", "--json", env={"PRIVY_API_TOKEN": BAD_TOKEN, "SSL_CERT_FILE": str(bundle)})
    assert (broken.code, checks_of(broken)["settings"]["status"]) == (1, "fail")
    assert "SSL_CERT_FILE" in checks_of(broken)["settings"]["text"]


def test_doctor_hides_the_password_of_a_proxy(server):
    done = privy("doctor", env={**server.env, "https_proxy": "http://jane:secret@proxy.example:3128"})
    assert "https_proxy=http://proxy.example:3128" in done.out
    assert "secret" not in done.out


def test_doctor_compares_clocks():
    sandbox = package.Sandbox()
    sandbox.set_clock(1_800_000_000)
    with sandbox.serve() as url:
        done = privy("doctor", "--json", env={"PRIVY_BASE_URL": url, "PRIVY_API_TOKEN": sandbox.token})
    assert checks_of(done)["clock"]["status"] == "warn"


def test_api(server):
    created = privy("api", "POST", "/contacts", "-f", "email=api@example.com", "-F", 'tags=["a"]', env=server.env)
    assert created.code == 0, created.err
    assert json.loads(created.out)["data"]["tags"] == ["a"]
    found = privy("api", "get", "contacts", "-f", "email=api@example.com", "-i", env=server.env)
    assert found.out.startswith("HTTP 200\n")
    assert json.loads(found.out.split("\n\n")[1])["pagination"]["total_count"] == 1
    body = '{"order_id":7,"email":"a@b.example","total":12.50,"currency":"USD","order_date":"2026-01-01T00:00:00Z"}'
    order = privy("api", "POST", "/orders/placed", "--input", "-", "--json", env=server.env, input=body)
    assert (order.json["status"], order.json["body"]["data"]["total_amount"]) == (201, "12.50")


def test_api_prints_the_body_of_a_refusal(server):
    done = privy("api", "POST", "/contacts", "-f", "email=x", env=server.env)
    assert done.code == 1
    assert json.loads(done.out)["error"]["code"] == "validation_failed"
    assert privy("api", "GET", "/nowhere", env=server.env).code == 1
    assert privy("api", "POST", "/contacts", "-f", "x", env=server.env).code == 2
    assert privy("api", "POST", "/contacts", "--input", "-", env=server.env, input="{").code == 2


def test_verbose_writes_to_stderr(server):
    done = privy("contacts", "list", "--json", "-vv", env=server.env)
    assert done.json["error"] is None
    assert "GET /contacts" in done.err
    assert server.token not in done.err


# ---- contacts ----


def test_contacts(server):
    fields = ("--email", "jane@example.com", "--first-name", "Jane", "--tag", "a", "--tag", "b")
    created = privy("contacts", "upsert", *fields, "--custom-field", "size=M", "--json", env=server.env)
    assert created.code == 0, created.err
    jane = created.json["contact"]
    assert created.json["format"] == "privy.contact/1"
    assert (jane["tags"], jane["custom_fields"]) == (["a", "b"], {"size": "M"})
    for who in (jane["id"], "jane@example.com"):
        assert "first_name     Jane" in privy("contacts", "get", who, env=server.env).out
    assert privy("contacts", "get", "nobody@example.com", env=server.env).code == 1
    assert privy("contacts", "delete", "jane@example.com", env=server.env).code == 2
    assert privy("contacts", "delete", "jane@example.com", "--yes", env=server.env).code == 0
    assert privy("contacts", "get", jane["id"], env=server.env).code == 1


def test_an_invalid_contact_is_refused_before_a_request(server):
    done = privy("contacts", "upsert", "--email", "x", "--first-name", "y" * 3000, "--json", env=server.env)
    assert done.code == 1
    assert {detail["field"] for detail in done.json["error"]["details"]} >= {"email"}
    assert done.json["error"]["status"] is None


def test_lists_of_contacts():
    with serving("--seed", "shop:250:7") as shop:
        tabs = privy("contacts", "list", "--limit", "120", env=shop.env)
        assert len(tabs.out.splitlines()) == 120
        assert tabs.out.splitlines()[0].count("\t") == 10
        csv_lines = privy("contacts", "list", "--csv", env=shop.env).out.splitlines()
        assert csv_lines[0].startswith("id,email,phone_number,")
        assert len(csv_lines) == 251
        document = privy("contacts", "list", "--json", "--email-consent", "subscribed", env=shop.env).json
        assert document["format"] == "privy.contacts/1"
        assert {contact["email_consent"] for contact in document["contacts"]} == {"subscribed"}
        assert privy("contacts", "list", "--csv", "--json", env=shop.env).code == 2
        code, table = Terminal("contacts", "list", "--limit", "5", env=shop.env).end()
    assert code == 0
    assert "email_consent" in table and "cus_" in table
    assert max(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) for line in table.splitlines()) <= 80


def test_a_list_that_fails_in_the_middle_is_still_a_document():
    sandbox = package.Sandbox()
    sandbox._core.read_seed("shop:250:7")
    sandbox.fail(status=401, skip=1, count=0)
    with sandbox.serve() as url:
        done = privy("contacts", "list", "--json", env={"PRIVY_BASE_URL": url, "PRIVY_API_TOKEN": sandbox.token})
    assert done.code == 3
    assert len(done.json["contacts"]) == 100
    assert done.json["error"]["status"] == 401


def test_a_deletion_is_confirmed_on_a_terminal(server):
    assert privy("contacts", "upsert", "--email", "del@example.com", env=server.env).code == 0
    terminal = Terminal("contacts", "delete", "del@example.com", env=server.env)
    terminal.read_until(r"Delete del@example.com\?")
    terminal.write("n\n")
    assert terminal.end()[0] == 130
    assert privy("contacts", "get", "del@example.com", env=server.env).code == 0


def test_the_console_script_is_this_function():
    import importlib

    module, _, name = "privy.cli:main".partition(":")
    assert callable(getattr(importlib.import_module(module), name))
    assert PRIVY[1:] == ["-m", "privy"]
    assert os.path.exists(PRIVY[0])
