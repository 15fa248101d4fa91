"""The floor: the CLI itself, told over its pipe what it needs, by a client that has one process."""

import json
import subprocess
import time
import uuid
from pathlib import Path
from typing import Any

from bench.cases import PICTURE, Body
from bench.contenders import Asked
from gateway_claude_code.process.launch import Launch


class Pipe:
    """A process that is told raw lines of JSON, and no more of them than there must be.

    This is the floor: what the CLI itself takes. It shares no code with the backend but for the
    command line.
    """

    def __init__(self, launch: Launch) -> None:
        self._process = subprocess.Popen(
            [str(launch.program), *launch.arguments], env=dict(launch.environment),
            cwd=Path(launch.folder), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._call: dict[str, Any] | None = None
        self._fresh = True
        self._asked: list[str] = []

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, body: Body, kept: int | None = None) -> Asked:
        """The conversation's new part: all of it the first time, then the last message.

        With `kept` the conversation is first rewound to that many of its user messages. Nothing is
        given in their place but the last message.
        """
        sent = time.monotonic()
        *before, last = body["messages"]
        if kept is not None and kept < len(self._asked):
            self._rewind(kept)
        if self._call is not None:
            result = {"content": [{"type": "text", "text": last["content"]}]}
            self._answer(self._call, result)
        else:
            if self._fresh:
                self._set_up(body, before)
            self._user_line(last)
        self._fresh, self._call = False, None
        return Asked(sent, self._first_token(), {})

    def _user_line(self, message: Body, **fields: Any) -> None:
        self._asked.append(str(uuid.uuid4()))
        said = {"role": "user", "content": _blocks(message)}
        self._send({"type": "user", "uuid": self._asked[-1], "message": said, **fields})

    def _rewind(self, kept: int) -> None:
        request = {
            "subtype": "rewind_conversation",
            "target_message_uuid": self._asked[kept],
            "last_seen_user_message_uuid": self._asked[-1],
            "interrupt_if_running": True,
        }
        self._send({"type": "control_request", "request_id": "rewind", "request": request})
        response = self._until("control_response")["response"]
        while response["request_id"] != "rewind":
            response = self._until("control_response")["response"]
        if not response["response"]["rewound"]:
            raise RuntimeError(f"not rewound: {response}")
        del self._asked[kept:]

    def _set_up(self, body: Body, before: list[Body]) -> None:
        servers = {"sdkMcpServers": ["t"]} if "tools" in body else {}
        system = ""
        if before and before[0]["role"] == "system":
            system = before.pop(0)["content"]
        request = {"subtype": "initialize", "systemPrompt": [system], **servers}
        self._send({"type": "control_request", "request_id": "1", "request": request})
        self._tools = body.get("tools", [])
        for number, message in enumerate(before):
            if message["role"] == "user":
                self._user_line(message, shouldQuery=False)
                self._until("result")
            else:
                turn = {"role": "assistant", "content": _blocks(message)}
                turn = {"id": f"msg_{number}", "type": "message", **turn}
                self._send({"type": "assistant", "message": turn})

    def _first_token(self) -> float:
        first = 0.0
        while self._call is None:
            line = self._next()
            kind = line.get("event", {}).get("type"), line.get("type")
            if kind[0] in ("content_block_delta",) and not first:
                first = time.monotonic()
            if kind[1] == "result":
                if line.get("is_error"):
                    raise RuntimeError(f"the CLI failed: {line.get('result')}")
                break
        return first

    def _until(self, kind: str) -> dict[str, Any]:
        while (line := self._next()).get("type") != kind:
            pass
        return line

    def _next(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        raw = self._process.stdout.readline()
        if not raw:
            raise RuntimeError("the CLI has gone")
        line: dict[str, Any] = json.loads(raw)
        if line.get("type") == "control_request":
            self._mcp(line)
        return line

    def _mcp(self, line: dict[str, Any]) -> None:
        message = line["request"]["message"]
        match message["method"]:
            case "tools/call":
                self._call = line
                return
            case "initialize":
                version = message["params"]["protocolVersion"]
                info = {"name": "t", "version": "1"}
                result: Body = {"protocolVersion": version, "capabilities": {"tools": {}}}
                self._answer(line, {**result, "serverInfo": info})
            case "tools/list":
                functions = [tool["function"] for tool in self._tools]
                listed = [
                    {
                        "name": f["name"],
                        "description": f["description"],
                        "inputSchema": f["parameters"],
                    }
                    for f in functions
                ]
                self._answer(line, {"tools": listed})
            case _:
                self._answer(line, {})

    def _answer(self, line: dict[str, Any], result: Body) -> None:
        rpc = {"jsonrpc": "2.0", "id": line["request"]["message"].get("id"), "result": result}
        response = {
            "subtype": "success",
            "request_id": line["request_id"],
            "response": {"mcp_response": rpc},
        }
        self._send({"type": "control_response", "response": response})

    def _send(self, line: Body) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(line).encode() + b"\n")
        self._process.stdin.flush()

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _blocks(message: Body) -> list[Body]:
    content = message["content"]
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    source = {"type": "base64", "media_type": "image/png", "data": PICTURE}
    return [content[0], {"type": "image", "source": source}]
