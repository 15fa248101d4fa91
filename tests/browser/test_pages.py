"""What a page sees in Chromium, whose rules they are. On demand: `make test-browser`."""

import html
import http.server
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.security.served import head, served

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or "chromium"

OFFLINE = (
    "--host-resolver-rules=MAP evil.example 127.0.0.1, MAP * ~NOTFOUND, "
    "EXCLUDE 127.0.0.1, EXCLUDE localhost"
)
"""No name leads anywhere but to this machine, and one as in a DNS rebinding."""
SWITCHES = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--enable-logging=stderr",
    "--virtual-time-budget=20000",
    "--timeout=30000",
    "--dump-dom",
]

PAGE = """<!doctype html><pre id=said></pre><script>
const body = JSON.stringify({model: "echo", messages: [{role: "user", content: "Hi"}]});
const headers = {"Content-Type": "application/json", "Authorization": "Bearer unused"};
const said = [];
async function ask(path, options) {
  try {
    const answer = await fetch(GATEWAY + path, options);
    const error = (await answer.json()).error;
    said.push([answer.status, error ? error.message : "an answer"]);
  } catch (failure) { said.push([0, String(failure)]); }
}
(async () => {
  await ask("/v1/chat/completions", {method: "POST", headers, body});
  await ask("/v1/models", {});
  await ask("/v1/chat/completions", {method: "POST", headers, body: "{}"});
  document.getElementById("said").textContent = JSON.stringify(said);
})();
</script>"""


def dom(folder: Path, url: str) -> tuple[str, list[str]]:
    """The page as it is after its scripts have run, and what the console says."""
    command = [CHROMIUM, *SWITCHES, OFFLINE, f"--user-data-dir={folder / 'profile'}", url]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return ran.stdout, [line for line in ran.stderr.splitlines() if "CONSOLE" in line]


@contextmanager
def page_server() -> Iterator[tuple[str, list[str]]]:
    """The origin of a page that asks the gateway at the address that is put into the list."""
    gateway: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(PAGE.replace("GATEWAY", json.dumps(gateway[0])).encode())

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}", gateway
        server.shutdown()


def said(folder: Path, origin: str) -> list[list[object]]:
    text, _ = dom(folder, f"{origin}/")
    found = re.search(r'<pre id="said">(.*?)</pre>', text, re.DOTALL)
    assert found, text
    answers: list[list[object]] = json.loads(html.unescape(found[1]))
    return answers


def test_a_refused_page_can_show_what_to_do(tmp_path: Path) -> None:
    with page_server() as (origin, gateway), served(tmp_path) as one:
        gateway.append(f"http://127.0.0.1:{one.port}")
        answers = said(tmp_path, origin)
    line = f'plugins: {{access: {{origins: ["{origin}"]}}}}'
    assert [status for status, _ in answers] == [403, 403, 403]
    assert all(str(text).endswith(line) for _, text in answers)


def test_a_listed_page_is_answered_and_can_show_errors(tmp_path: Path) -> None:
    with page_server() as (origin, gateway):
        config = {"plugins": {"access": {"origins": [origin]}}}
        with served(tmp_path, config) as one:
            gateway.append(f"http://127.0.0.1:{one.port}")
            answers = said(tmp_path, origin)
    assert answers[:2] == [[200, "an answer"], [200, "an answer"]]
    assert answers[2][0] == 400


def test_under_a_refused_name_a_page_sees_nothing(tmp_path: Path) -> None:
    with page_server() as (origin, gateway), served(tmp_path) as one:
        gateway.append(f"http://evil.example:{one.port}")
        answers = said(tmp_path, origin)
        health = json.loads(one.exchange(head("GET", "/health")).body)
    assert answers == [[0, "TypeError: Failed to fetch"]] * 3
    [refused] = health["access"]["refused"]
    assert refused["name"] == "evil.example"  # so they did arrive


def test_the_page_of_the_api_needs_no_network(tmp_path: Path) -> None:
    with served(tmp_path) as one:
        text, console = dom(tmp_path, f"http://127.0.0.1:{one.port}/docs")
    shown = set(re.findall(r'data-path="([^"]+)"', text))
    assert {"/v1/chat/completions", "/v1/completions", "/v1/models", "/health"} <= shown
    assert console == []
