"""A small CLI that does what Dragoman relies on, but for one thing: what `BREAK` names, a behaviour
of the table or a way to break it.

A program of its own, run with the standard library and its neighbours `fake_*` alone. It speaks as much of
the protocol as the checks need, and really asks the upstream over HTTP.
"""

import http.client
import json
import os
import re
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

from tests.claude_code.doctor.fake_lines import (
    Input,
    Object,
    form,
    log,
    say,
    say_text,
    shown_in_argv,
    smaller,
    whole,
)
from tests.claude_code.doctor.fake_past import Past
from tests.claude_code.doctor.fake_upstream import lines_of, post

BREAK = ""
VERSION = "9.9.9"

OUTPUT = "StructuredOutput"
BASH = {"name": "Bash", "description": "Runs a command.", "input_schema": {"type": "object"}}


class Rewound(Exception):
    """The conversation was cut within a turn, which is over."""


class Cli:
    def __init__(self, model: str) -> None:
        self.model = model
        self.env: dict[str, str] = {}
        self.extra: Object = {}
        self.system = ""
        self.servers: list[str] = []
        self.schema: Object | None = None
        self.tools: list[Object] | None = None
        self.offered: dict[str, Object] = {}
        self.messages: list[Object] = []
        self.waiting: dict[str, Object | None] = {}
        self.later: deque[Object] = deque()
        self.numbers = 0
        self.reason = ""
        self.session = os.urandom(8).hex()
        self.input = Input()
        self.past = Past(BREAK)
        self.running = False

    # -- input ------------------------------------------------------------------------

    def hear(self) -> Object:
        line = self.input.next()
        if line is None:
            if BREAK == "exit_at_end":
                time.sleep(60)
            sys.exit(0)
        return line

    def run(self) -> None:
        while True:
            line = self.later.popleft() if self.later else self.hear()
            match line["type"]:
                case "control_request":
                    self.control(line)
                case "assistant" if BREAK == "native_history: exits":
                    sys.exit(1)
                case "assistant" if BREAK == "native_history: other words":
                    self.add("assistant", [{"type": "text", "text": "I said something."}])
                case "assistant" if BREAK != "native_history":
                    self.add("assistant", line["message"]["content"])
                case "user":
                    self.past.note(line, self.messages)
                    self.add("user", line["message"]["content"])
                    if line.get("shouldQuery", True):
                        self.running = True
                        with suppress(Rewound):
                            self.query()
                        self.running = False
                    else:
                        self.begin()
                        say({"type": "result", "subtype": "success", "num_turns": 0})

    def control(self, line: Object) -> None:
        request = line["request"]
        if request["subtype"] == "initialize":
            self.system = "\n".join(request["systemPrompt"])
            self.servers = request.get("sdkMcpServers", [])
            self.schema = request.get("jsonSchema")
        answer: Object = {}
        if request["subtype"] == "apply_flag_settings":
            self.apply(request["settings"])
        if request["subtype"] == "mcp_status":
            answer = {"mcpServers": self.status()}
        if request["subtype"] == "list_models" and BREAK != "list_models":
            answer = {"models": [{"value": "sonnet", "resolvedModel": "claude-sonnet-5-5"}]}
        if request["subtype"] == "rewind_conversation":
            answer = self.past.cut(request, self.messages, running=self.running)
            if BREAK == "rewind: silent":
                return
        if request["subtype"] == "mcp_set_servers":
            self.servers, self.tools = list(request["servers"]), None
        response = {"subtype": "success", "request_id": line["request_id"], "response": answer}
        if BREAK == "exchanged_tools: refused" and request["subtype"] == "mcp_set_servers":
            response["subtype"] = "error"
        if cut_off := self.running and answer.get("rewound"):
            say({"type": "result", "is_error": True, "terminal_reason": "aborted_streaming"})
        say({"type": "control_response", "response": response})
        if cut_off:
            raise Rewound

    def status(self) -> list[Object]:
        if not self.servers:
            return []
        if self.tools is None:
            self.tools = self.all_tools()
        names = [tool["name"].removeprefix("mcp__t__") for tool in self.tools]
        named = [*names, "odd"] if BREAK == "tool_list" else names
        tools = [{"name": name} for name in named]
        return [{"name": "t", "status": "connected", "tools": tools}]

    def apply(self, settings: Object) -> None:
        self.env.update(settings.get("env", {}))
        extra = json.loads(self.env.get("CLAUDE_CODE_EXTRA_BODY") or "{}")
        kept = {key: value for key, value in self.extra.items() if key != "tools"}
        self.extra = {**kept, **extra} if BREAK == "taken_back" else extra
        if BREAK == "model: a trace" and settings.get("model", self.model) != self.model:
            self.add("user", [{"type": "text", "text": f"/model {settings['model']}"}])
        if BREAK != "model":
            self.model = settings.get("model", self.model)

    def wait_for(self, number: str, until: float | None = None) -> Object | None:
        """The answer to a request of ours; what else comes meanwhile is done later, or now."""
        while self.waiting[number] is None:
            if until is not None and time.monotonic() > until:
                return None
            if until is not None and not self.input.is_ready(until - time.monotonic()):
                continue
            line = self.hear()
            if line["type"] == "control_response":
                self.waiting[line["response"]["request_id"]] = line["response"]["response"]
            elif line["type"] == "control_request":
                self.control(line)
            else:
                self.later.append(line)
        return self.waiting.pop(number)

    def send_mcp(self, method: str, params: Object) -> str:
        self.numbers += 1
        number = f"cli-{self.numbers}"
        self.waiting[number] = None
        message: Object = {"jsonrpc": "2.0", "method": method, "params": params}
        if not method.startswith("notifications/"):
            message["id"] = self.numbers
        request = {"subtype": "mcp_message", "server_name": "t", "message": message}
        say({"type": "control_request", "request_id": number, "request": request})
        return number

    def mcp(self, method: str) -> Any:
        answer = self.wait_for(self.send_mcp(method, {}))
        assert answer is not None
        return answer["mcp_response"]["result"]

    # -- the conversation -------------------------------------------------------------

    def add(self, role: str, content: list[Object]) -> None:
        if BREAK != "media_smaller":
            content = [smaller(block) for block in content]
        if self.messages and self.messages[-1]["role"] == role:
            self.messages[-1]["content"] += content
        else:
            self.messages.append({"role": role, "content": content})

    def query(self) -> None:
        texts = [block.get("text", "") for block in self.messages[-1]["content"]]
        if BREAK == "slash_commands" and texts[-1].strip().startswith("/"):
            say({"type": "result", "subtype": "success", "is_error": False, "result": "Done"})
            return
        if BREAK == "slash_commands: other words" and texts[-1].strip().startswith("/"):
            self.messages[-1]["content"][-1] = {"type": "text", "text": "Unknown command."}
        if BREAK == "file_mentions":
            for path in re.findall(r'@"?([^\s"#]+)', "\n".join(texts)):
                self.add("user", [{"type": "text", "text": Path(path).read_text()}])
        if BREAK == "not_on_disk":
            log = Path(os.environ["HOME"]) / ".claude" / "log.jsonl"
            log.parent.mkdir(exist_ok=True)
            log.write_text("\n".join(texts))
        self.begin()
        with shown_in_argv(texts) if BREAK == "not_in_argv" else nullcontext():
            while self.ask():
                pass

    def begin(self) -> None:
        """Each turn begins with the list of tools, also one that the model is not asked."""
        if self.tools is None:
            self.tools = self.all_tools()
        say({"type": "system", "subtype": "init", "tools": [tool["name"] for tool in self.tools]})

    def all_tools(self) -> list[Object]:
        tools = [BASH] if BREAK.startswith("built_in_tools") else []
        if self.servers:
            self.mcp("initialize")
            self.mcp("notifications/initialized")
            listed = self.mcp("tools/list")["tools"]
            # those that were once offered stay as they were then, as with 2.1.330
            for tool in (form(tool, BREAK) for tool in listed if tool["name"] != "odd"):
                self.offered.setdefault(tool["name"], tool)
            tools += sorted(self.offered.values(), key=lambda tool: str(tool["name"]).lower())
        if self.schema is not None and BREAK != "structured_output":
            tools.append({"name": OUTPUT, "description": "", "input_schema": self.schema})
        return tools

    def body(self) -> Object:
        identity = "You are a Claude agent, for tests."
        if BREAK == "small_request":
            identity += " More about you." * 500
        if BREAK == "stable_prefix":
            identity += self.session
        limit = "" if BREAK == "output_limit" else self.env.get("CLAUDE_CODE_MAX_OUTPUT_TOKENS")
        extra = dict(self.extra)
        if BREAK in ("sampling", "tool_choice", "output_format"):
            names = {"sampling": "stop_sequences", "output_format": "output_config"}
            extra.pop(names.get(BREAK, BREAK), None)
        if BREAK == "exchanged_tools":
            extra.pop("tools", None)
        system = f"{self.system} Be kind." if BREAK == "system_prompt" else self.system
        return {
            "model": self.model if self.model.startswith("claude-") else f"claude-{self.model}-5-5",
            "max_tokens": int(limit or 32000),
            "system": [{"type": "text", "text": text} for text in (identity, system) if text],
            "messages": self.past.with_trace(self.messages),
            "tools": self.tools,
            "metadata": {"user_id": self.session},
            "stream": True,
            **extra,
        }

    # -- the upstream -----------------------------------------------------------------

    def ask(self, tries: int = 2) -> bool:
        """One request; whether there is to be another."""
        self.reason, response = "", post(self.body())
        if response.status != 200:
            return self.failed(response, tries)
        blocks = self.stream(response)
        if self.reason == "error":
            if BREAK == "overload_retried":
                say({"type": "result", "is_error": True, "api_error_status": 529, "result": ""})
            return BREAK != "overload_retried"
        if self.reason == "refusal" and BREAK == "one_refusal":
            return True
        if BREAK == "web_search":
            blocks = [block for block in blocks if block["type"] in ("text", "tool_use")]
        self.add("assistant", blocks)
        calls = [block for block in blocks if block["type"] == "tool_use"]
        said = calls or any(block.get("text") for block in blocks) or self.reason == "refusal"
        if self.reason == "max_tokens" or not said:
            if BREAK == "one_request":
                return True
            say({"type": "result", "is_error": True, "terminal_reason": "blocking_limit"})
            return False
        if not calls or any(call["name"] == OUTPUT for call in calls):
            say({"type": "result", "subtype": "success", "is_error": False, "result": ""})
            return False
        self.add("user", self.results(calls))
        return True

    def without_media(self, text: str) -> bool:
        for turn in self.messages:
            turn["content"] = [each for each in turn["content"] if each["type"] != "image"]
        if BREAK != "media_removed":
            message = {"model": "<synthetic>", "content": text}
            about: Object = {"api_error": "media_removed", "api_error_params": {"media": "image"}}
            say({"type": "assistant", "error": "invalid_request", "message": message, **about})
        return True

    def failed(self, response: http.client.HTTPResponse, tries: int) -> bool:
        status, body = response.status, response.read().decode()
        text = json.loads(body)["error"]["message"]
        if status == 400 and "image" in text:
            log(f"API error (attempt 1/2): {status} {status} {body}")
            return self.without_media(text)
        told: int | None = status
        if f"error_{status}" == BREAK:
            if status == 529:
                say_text(f"API Error: {text}")
                return False
            told = None
        elif status != 400:
            log(f"API error (attempt 1/2): {status} {status} {body}")
            pause = 1000 * float(response.getheader("retry-after") or 0.5)
            retry: Object = {"error_status": status, "attempt": 1, "retry_delay_ms": pause}
            say({"type": "system", "subtype": "api_retry", **retry})
            if tries > 1:
                return self.ask(tries - 1)
        message = {"model": "<synthetic>", "content": [{"type": "text", "text": text}]}
        say({"type": "assistant", "error": "unknown", "message": message})
        say({"type": "result", "is_error": True, "api_error_status": told, "result": text})
        return False

    def look(self) -> None:
        """What comes while the model answers: control lines are done at once."""
        if self.input.is_ready(0) and (line := self.input.next()) is not None:
            if line["type"] == "control_request":
                self.control(line)
            else:
                self.later.append(line)

    def events(self, response: http.client.HTTPResponse) -> Iterator[Object]:
        for raw in lines_of(response, self.look):
            event = json.loads(raw[6:]) if raw.startswith(b"data: ") else {"type": ""}
            if event["type"] in ("error", "message_delta"):
                self.reason = event.get("delta", {}).get("stop_reason", "error")
            held_back = self.reason == "refusal" and BREAK == "one_refusal"
            if event["type"] not in ("", "error") and not held_back:
                yield event

    def stream(self, response: http.client.HTTPResponse) -> list[Object]:
        blocks: list[Object] = []
        pieces: list[list[Any]] = []
        held: list[Object] = []
        for event in self.events(response):
            if event["type"] == "content_block_start":
                blocks.append(dict(event["content_block"]))
                pieces.append([])
            if event["type"] == "content_block_delta":
                pieces[-1] += list(event["delta"].values())[1:]
                if BREAK == "streaming":
                    held.append(event)
                    continue
            if event["type"] == "content_block_stop" and held:
                key = list(held[0]["delta"])[1]
                held[0]["delta"][key] = "".join(pieces[-1])
                say({"type": "stream_event", "event": held[0]})
                held = []
            if BREAK != "streaming: nothing":
                say({"type": "stream_event", "event": event})
        return whole(blocks, pieces)

    def results(self, calls: list[Object]) -> list[Object]:
        if BREAK == "parallel_calls":
            return [self.result(call, self.start(call)) for call in calls]
        started = [self.start(call) for call in calls]
        return [self.result(call, number) for call, number in zip(calls, started, strict=True)]

    def start(self, call: Object) -> str | None:
        if call["name"] == "Bash" and BREAK == "built_in_tools":
            subprocess.run(call["input"]["command"], shell=True, check=False)
        if not call["name"].startswith("mcp__t__"):
            return None
        if BREAK == "exchanged_tools: not called" and call["name"] == "mcp__t__find":
            return None
        meta = {"claudecode/toolUseId": call["id"]}
        return self.send_mcp(
            "tools/call", {"name": call["name"].removeprefix("mcp__t__"), "_meta": meta}
        )

    def result(self, call: Object, number: str | None) -> Object:
        until = time.monotonic() + 0.1 if BREAK == "parking" else None
        answer = self.wait_for(number, until) if number is not None else None
        result: Object = {"tool_use_id": call["id"], "type": "tool_result"}
        if answer is None:
            return {**result, "content": "There is no answer.", "is_error": True}
        if BREAK == "parking: other words":
            return {**result, "content": "It was cut."}
        return {**result, "content": answer["mcp_response"]["result"]["content"]}


def main(arguments: list[str]) -> None:
    if arguments == ["--version"]:
        sys.stdout.write(f"{VERSION} (Claude Code)\n")
    elif arguments[-2:] == ["auth", "status"]:
        say({"loggedIn": True, "authMethod": "made-up"})
    else:
        held = b"x" * (60 << 20) if BREAK == "memory" else b""
        time.sleep(0.3 if BREAK == "start_up" else 0)
        Cli(arguments[arguments.index("--model") + 1]).run()
        del held


if __name__ == "__main__":
    main(sys.argv[1:])
