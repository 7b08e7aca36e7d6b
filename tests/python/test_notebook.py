"""The example notebook: it runs, and a browser shows its tables and plots."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import textwrap
from contextlib import contextmanager
from pathlib import Path

import nbclient
import nbformat
import privy
import pytest
from jupyter_client.manager import AsyncKernelManager, KernelManager
from nbconvert import HTMLExporter
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "examples/notebooks/explore.ipynb"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
CELL_SECONDS = 600
"""A safety net for a slow machine."""


def read() -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder for the files of Jupyter and of its kernels, which see no settings of the user."""
    folder = tmp_path_factory.mktemp("jupyter")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"):
            patch.setenv(name, str(folder))
        yield folder


def environment(home: Path) -> dict[str, str]:
    """The environment of a kernel of this interpreter, which imports the same privy."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PRIVY_", "JUPYTER_"))}
    kept |= {name: str(home) for name in ("HOME", "IPYTHONDIR", "MPLCONFIGDIR", "JUPYTER_RUNTIME_DIR")}
    return kept | {"PYTHONPATH": str(Path(privy.__file__).parents[1])}


@pytest.fixture(scope="module")
def sockets():
    """The settings of a kernel that listens on files. TCP ports are chosen before the kernel opens them, so kernels of
    two test processes can choose the same one. The path of a Unix socket is limited to about 100 bytes."""
    with tempfile.TemporaryDirectory(prefix="k", dir="/tmp") as folder:
        yield {"kernel_name": "python3", "transport": "ipc", "ip": f"{folder}/k"}


@pytest.fixture(scope="module")
def executed(home, sockets) -> nbformat.NotebookNode:
    """The notebook, run from its first cell to its last."""
    notebook = read()
    client = nbclient.NotebookClient(notebook, AsyncKernelManager(**sockets), timeout=CELL_SECONDS)
    client.execute(cwd=str(home), env=environment(home), cleanup_kc=True)
    return notebook


def outputs(notebook: nbformat.NotebookNode, kind: str) -> list[str]:
    """The outputs of a MIME type, over all cells."""
    data = [output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])]
    return [output[kind] for output in data if kind in output]


def test_the_notebook_in_the_repository_has_no_outputs():
    notebook = read()
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None)
        assert cell.metadata == {}
    assert NOTEBOOK.stat().st_size < 20_000


def test_it_runs_and_shows_tables_and_plots(executed):
    html = outputs(executed, "text/html")
    assert sum("ContactList (sandbox): 2,000 contacts" in text for text in html) == 1
    assert sum("BulkReport (sandbox): 37 of 40 rows succeeded" in text for text in html) == 1
    assert sum("BulkReport (sandbox): 3 of 3 rows succeeded" in text for text in html) == 1
    assert any("<th>message</th>" in text and "email_consent" in text for text in html)
    assert "Client(sandbox, " in outputs(executed, "text/plain")[0]
    assert len(outputs(executed, "image/png")) == 2


def test_its_progress_bar_is_a_widget_and_nothing_warns(executed):
    assert len(outputs(executed, "application/vnd.jupyter.widget-view+json")) == 1
    assert not [output for cell in executed.cells for output in cell.get("outputs", []) if "name" in output]


def test_no_output_shows_an_address_of_a_contact(executed):
    """The addresses of the upload, guest0 and so on, are written in the notebook itself."""
    for text in [*outputs(executed, "text/html"), *outputs(executed, "text/plain")]:
        assert "@example" not in re.sub(r"guest\d+@|\*\*\*@", "", text)


def test_its_rows_are_those_that_the_contacts_hold(executed):
    shown = next(text for text in outputs(executed, "text/html") if "ContactList" in text)
    sandbox = privy.Sandbox()
    sandbox.seed("shop", contacts=2000, days=365, seed=7)
    first = sandbox.client().contacts.list().first(1)[0]
    assert first.id in shown and first.first_name in shown and first.email not in shown


@contextmanager
def browser_page(file: Path):
    """The file in Chromium, which may load nothing else. Fails if the page has an error or wants more."""
    refused, errors = [], []

    def decide(route):
        if route.request.url == file.as_uri() or route.request.url.startswith("data:"):
            route.continue_()
        else:
            refused.append(route.request.url)
            route.abort()

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1000, "height": 800})
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("dialog", lambda dialog: errors.append(dialog.message))
        page.route("**/*", decide)
        page.goto(file.as_uri(), wait_until="load")
        yield page
        browser.close()
    assert (refused, errors) == ([], [])


@needs_chromium
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_browser_shows_it_without_an_error(executed, theme, tmp_path):
    """Nothing is loaded from elsewhere: what the exporter takes from the network is off, also what renders widgets."""
    off = dict.fromkeys(("mathjax_url", "require_js_url", "jquery_url", "mermaid_js_url"), "")
    exporter = HTMLExporter(theme=theme, widget_renderer_url="data:text/javascript,", **off)
    file = tmp_path / "explore.html"
    file.write_text(exporter.from_notebook_node(executed)[0], encoding="utf-8")
    with browser_page(file) as page:
        check_tables(page)
        check_plots(page)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        if folder := os.environ.get("NOTEBOOK_SCREENSHOTS"):
            page.screenshot(path=f"{folder}/explore-{theme}.png", full_page=True)


@needs_chromium
def test_a_browser_shows_hostile_texts_as_text(tmp_path):
    texts = [
        "<script>console.error(1)</script>",
        "</td></table><img src=http://example.invalid/x onerror=alert(1)>",
        """"'--><svg onload=alert(1)>""",
    ]
    client = privy.Sandbox().client()
    for number, text in enumerate(texts):
        client.contacts.create(
            email=f"c{number}@example.com",
            first_name=text,
            last_name=text,
            tags=[text[:40]],
            custom_fields={text[:30]: text},
        )
    report = client.contacts.upsert_many([{"email": "a@example.com", text: text} for text in texts]).run()
    contacts = client.contacts.list()
    shown = [contacts, *contacts.first(3), next(contacts.pages()), report, client.rate_limit]
    file = tmp_path / "hostile.html"
    file.write_text("<meta charset=utf-8>" + "".join(value._repr_html_() for value in shown), encoding="utf-8")
    with browser_page(file) as page:
        assert page.locator("script, img, svg").count() == 0
        names = page.locator("table").nth(0).locator("td").all_inner_texts()
        assert [text in names or f"{text[:59]}…" in names for text in texts] == [True] * 3


def check_tables(page) -> None:
    tables = page.locator("table")
    assert tables.count() >= 8
    for index in range(tables.count()):
        table = tables.nth(index)
        assert table.is_visible()
        assert table.locator("tbody tr").count() >= 1
        for row in (table.locator("tr").first, table.locator("tr").last):
            box = row.bounding_box()
            assert box is not None and box["width"] > 100 and box["height"] > 10
    assert page.locator("progress").count() == 2


def check_plots(page) -> None:
    sizes = page.eval_on_selector_all("img", "images => images.map(one => [one.naturalWidth, one.naturalHeight])")
    assert len(sizes) == 2
    assert all(width > 300 and height > 150 for width, height in sizes)


class Kernel:
    """A running kernel."""

    def __init__(self, home: Path, sockets: dict[str, str]) -> None:
        self.manager = KernelManager(**sockets)
        self.manager.start_kernel(cwd=str(home), env=environment(home))
        self.client = self.manager.client()
        self.client.start_channels()
        try:
            self.client.wait_for_ready(timeout=CELL_SECONDS)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def run(self, code: str, interrupt_at: str | None = None) -> tuple[str, str, str]:
        """Runs a cell. Returns the error's name, the text (also that of widgets) and the HTML that it shows. Interrupts
        it when it has written a certain text."""
        self.client.execute(textwrap.dedent(code))
        error, text, html = "", "", ""
        while True:
            message = self.client.get_iopub_msg(timeout=CELL_SECONDS)
            kind, content = message["msg_type"], message["content"]
            if kind == "stream":
                text += content["text"]
            elif kind in ("comm_open", "comm_msg"):
                state = content["data"].get("state", {})
                shown = " ".join(str(state[name]) for name in ("value", "bar_style") if name in state)
                text += shown.replace("\N{FIGURE SPACE}", " ")
            elif kind == "execute_result":
                html += content["data"].get("text/html", "")
            elif kind == "error":
                error = content["ename"]
            elif kind == "status" and content["execution_state"] == "idle":
                return error, text, html
            if interrupt_at is not None and interrupt_at in text:
                self.manager.interrupt_kernel()
                interrupt_at = None


@pytest.fixture
def kernel(home, sockets):
    kernel = Kernel(home, sockets)
    yield kernel
    kernel.stop()


def test_the_stop_button_ends_the_cell_and_the_run_continues_in_the_next(kernel):
    code = """
    import privy
    sandbox = privy.Sandbox()
    sandbox.set_limits(20, 10_000)
    rows = [{"email": f"c{number}@example.com"} for number in range(30)]
    run = sandbox.client().contacts.upsert_many(rows, progress=True)
    run
    """
    assert "Bulk (sandbox): 0 of 30 rows done" in kernel.run(code)[2]
    error, text, _ = kernel.run("run.run()", interrupt_at="waits until")
    assert error == "KeyboardInterrupt"
    assert "20/30" in text and text.endswith("danger")
    error, text, html = kernel.run("sandbox.advance(61)\nrun.run()")
    assert (error, "30/30" in text) == ("", True)
    assert "BulkReport (sandbox): 30 of 30 rows succeeded" in html
    assert kernel.run("print(sandbox.counts.requests, sandbox.counts.contacts)")[1] == "30 30\n"


def test_a_cell_awaits(kernel):
    code = """
    import privy
    client = privy.Sandbox().async_client()
    rows = [{"email": f"c{number}@example.com"} for number in range(30)]
    await client.contacts.upsert_many(rows, progress=True).run()
    """
    error, text, html = kernel.run(code)
    assert (error, "30/30" in text) == ("", True)
    assert "BulkReport (sandbox): 30 of 30 rows succeeded" in html
    code = """
    contacts = client.contacts.list()
    await contacts.total_count()
    contacts
    """
    assert "AsyncContactList (sandbox): 30 contacts" in kernel.run(code)[2]
