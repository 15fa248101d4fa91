"""`dragoman chat` and `connect --check`, against a server that is made up, and without one."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from gateway.client.health import NotUp
from gateway.errors import BackendUnavailable
from gateway.machine import command_name
from gateway_terminal import in_process_answer
from gateway_terminal.server_call import Rejected, ServerCall
from tests.terminal.terminal_support import Run

OFFLINE_MODELS = "models: {mirror: {backend: echo}}\nplugins: {claude_code: false}\n"


def delta(text: str) -> str:
    return "data: " + json.dumps({"choices": [{"delta": {"content": text}}]}) + "\n\n"


WHOLE = (200, delta("Hel") + ": wait\n\n" + delta("lo") + "data: [DONE]\n\n")
BROKEN = (200, delta("Hel"))
FAILED = (200, delta("Hel") + 'data: {"error": {"message": "it died"}}\n\n')
REFUSED = (
    401,
    '{"error": {"message": "This gateway requires an API key.", "code": "invalid_api_key"}}',
)
NO_LOGIN = (401, '{"error": {"message": "Not logged in.", "code": "authentication_error"}}')
ODD = (500, "")


@pytest.fixture(autouse=True)
def on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """`dragoman` can be typed as that."""
    monkeypatch.setattr(command_name, "_program", lambda: None)


Serve = Callable[[tuple[int, str]], tuple[str, list[dict[str, Any]]]]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Answers every request the same; gives its address, and what was asked."""
    servers: list[tuple[HTTPServer, threading.Thread]] = []

    def start(answer: tuple[int, str]) -> tuple[str, list[dict[str, Any]]]:
        asked: list[dict[str, Any]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                asked.append({**json.loads(body), "auth": self.headers["authorization"]})
                self.do_GET()

            def do_GET(self) -> None:
                self.send_response(answer[0])
                self.end_headers()
                self.wfile.write(answer[1].encode())

            def log_message(self, *_: object) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}", asked

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_answer_comes_through_the_server_that_runs(
    serve: Serve, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, asked = serve(WHOLE)
    monkeypatch.setenv("DRAGOMAN_API_KEY", "dgm-0123456789abcdef")
    options = ("--url", url, "--model", "opus", "--system", "Be brief.")
    result = run("chat", *options, "Why?", stdin="a diff\n")
    assert (result.exit_code, result.stdout) == (0, "Hello\n")
    assert asked == [
        {
            "model": "opus",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Why?\n\na diff"},
            ],
            "stream": True,
            "auth": "Bearer dgm-0123456789abcdef",
        }
    ]


@pytest.mark.parametrize(
    ("answer", "stdout", "stderr"),
    [
        (BROKEN, "Hel\n", "dragoman: the answer was interrupted: the gateway disconnected\n"),
        (FAILED, "Hel\n", "dragoman: it died\n"),
        (
            REFUSED,
            "",
            "dragoman: the gateway at URL requires a key: set DRAGOMAN_API_KEY "
            "(create a key with `dragoman keys new NAME`)\n",
        ),
        (NO_LOGIN, "", "dragoman: Not logged in.\n"),
        (ODD, "", "dragoman: no reason was given\n"),
    ],
)
def test_what_goes_wrong_is_one_line_and_exit_code_1(
    answer: tuple[int, str], stdout: str, stderr: str, serve: Serve, run: Run
) -> None:
    url = serve(answer)[0]
    result = run("chat", "--url", url, "Hi")
    assert (result.exit_code, result.stdout) == (1, stdout)
    assert result.stderr == stderr.replace("URL", url)


@pytest.mark.parametrize(
    ("key", "answer", "says"),
    [
        (None, REFUSED, "requires a key: set DRAGOMAN_API_KEY"),
        ("dgm-old", REFUSED, "does not accept the key in DRAGOMAN_API_KEY"),
        (None, NO_LOGIN, "Not logged in."),
        ("dgm-old", NO_LOGIN, "Not logged in."),
    ],
)
def test_a_missing_login_is_not_taken_for_a_missing_key(
    key: str | None,
    answer: tuple[int, str],
    says: str,
    serve: Serve,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if key is not None:
        monkeypatch.setenv("DRAGOMAN_API_KEY", key)
    result = run("chat", "--url", serve(answer)[0], "Hi")
    assert says in result.stderr
    assert ("DRAGOMAN_API_KEY" in result.stderr) is (answer is REFUSED)


def test_a_server_that_was_named_and_is_not_there_is_an_error(run: Run) -> None:
    result = run("chat", "--url", "http://127.0.0.1:1", "Hi")
    assert result.exit_code == 1
    assert result.stderr.startswith("dragoman: http://127.0.0.1:1: nothing listens there; ")
    assert result.stderr.count("\n") == 1


def test_no_question_is_a_matter_of_usage(run: Run) -> None:
    result = run("chat")
    assert result.exit_code == 2
    assert "missing question" in result.stderr


@pytest.fixture
def mirror(tmp_path: Any) -> str:
    path = tmp_path / "mirror.yaml"
    path.write_text("server: {port: 1}\n" + OFFLINE_MODELS, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("options", [(), ("--offline",)])
def test_without_a_server_this_process_answers(
    options: tuple[str, ...], mirror: str, run: Run
) -> None:
    result = run("chat", "--config", mirror, *options, "Say this")
    assert result.exit_code == 0, result.output
    assert "Say this" in result.stdout
    assert result.stdout.endswith("\n")


def test_what_this_process_can_t_answer_is_one_line(mirror: str, run: Run) -> None:
    result = run("chat", "--config", mirror, "--model", "nope", "Hi")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("dragoman: The model 'nope' does not exist.")


def test_an_error_among_others_in_a_task_group_is_one_line(
    mirror: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy machine tasks that are cancelled run into their own limits of time."""
    gone = BackendUnavailable("the CLI did not start in time")

    async def fail(*_: object) -> None:
        raise BaseExceptionGroup("", [TimeoutError(), ExceptionGroup("", [gone, OSError("no")])])

    monkeypatch.setattr(in_process_answer, "_answer", fail)
    result = run("chat", "--config", mirror, "Hi")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "dragoman: the CLI did not start in time\n"


def test_ctrl_c_ends_the_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def chat(_: ServerCall, __: object) -> Iterator[str]:
        yield "Hel"
        raise KeyboardInterrupt

    monkeypatch.setattr(ServerCall, "chat", chat)
    result = run("chat", "--url", "http://127.0.0.1:1", "Hi")
    assert (result.exit_code, result.stdout) == (130, "Hel\n")


@pytest.mark.parametrize("client", ["aider", "openclaw"])
def test_check_asks_as_the_client_would(client: str, serve: Serve, run: Run) -> None:
    url, asked = serve(WHOLE)
    result = run("connect", client, "--check", "--url", url)
    assert result.exit_code == 0
    assert "'Hello'" in result.stdout
    assert (asked[0]["stream"], asked[0]["max_tokens"]) == (True, 1)


def test_what_is_written_can_be_checked_at_once(
    tmp_path: Path, serve: Serve, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "opencode.json"
    monkeypatch.setenv("OPENCODE_CONFIG", str(file))
    url, asked = serve(WHOLE)
    result = run("connect", "opencode", "--write", "--check", "--url", url)
    assert result.exit_code == 0
    assert url in file.read_text(encoding="utf-8")
    assert len(asked) == 1


def test_check_takes_a_whole_answer_too(serve: Serve, run: Run) -> None:
    url, _ = serve((200, '{"choices": [{"message": {"content": "Hi!"}}]}'))
    result = run("connect", "curl", "--check", "--url", url)
    assert "whole" in result.stdout
    assert "'Hi!'" in result.stdout


@pytest.mark.parametrize("answer", ["<html>", "[]", '{"choices": []}'])
def test_check_knows_what_is_no_answer(answer: str, serve: Serve, run: Run) -> None:
    result = run("connect", "curl", "--check", "--url", serve((200, answer))[0])
    assert result.exit_code == 1
    assert "the response is not from a Dragoman gateway" in result.stderr


@pytest.mark.parametrize(
    ("answer", "why"), [(REFUSED, "401: This gateway"), (BROKEN, "was interrupted")]
)
def test_check_says_what_came_instead(
    answer: tuple[int, str], why: str, serve: Serve, run: Run
) -> None:
    result = run("connect", "aider", "--check", "--url", serve(answer)[0])
    assert (result.exit_code, result.stdout) == (1, "")
    assert why in result.stderr


@pytest.mark.parametrize("answer", [(200, "hello"), (404, "{}"), (200, "[]")])
def test_a_server_of_another_kind_is_no_gateway(answer: tuple[int, str], serve: Serve) -> None:
    with pytest.raises(NotUp, match="not Dragoman"):
        ServerCall(serve(answer)[0], None).health()


def test_refused_has_the_status(serve: Serve) -> None:
    with pytest.raises(Rejected) as caught:
        next(ServerCall(serve(REFUSED)[0], None).chat({}))
    assert caught.value.status == 401


def test_a_stranger_at_the_configured_address_gets_no_prompt(
    serve: Serve, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRAGOMAN_API_KEY", "dgm-mine-0123456789")
    url, asked = serve(WHOLE)
    config = tmp_path / "models.yaml"
    port = url.rpartition(":")[2]
    config.write_text(f"server: {{port: {port}}}\nmodels: {{m: {{backend: echo}}}}\n")
    result = run("chat", "--config", config, "Hi")
    assert (result.exit_code, asked) == (0, [])
    assert "Hi" in result.stdout
    result = run("connect", "aider", "--check", "--config", config)
    assert [each["auth"] for each in asked] == [None]
