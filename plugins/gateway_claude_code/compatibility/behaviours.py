"""The one table of the CLI's behaviours that Dragoman relies on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from gateway_claude_code.compatibility.findings import Finding, Verdict

UNSAFE: Final = (
    "Don't use this version: the gateway rejects it unless plugins.claude_code.allow_unsafe_cli "
    "is true. Install another one, or name one with plugins.claude_code.command."
)
OTHER_VERSION: Final = (
    "Requests that need this may fail. Use another version of the CLI "
    "(plugins.claude_code.command), and report this one to Dragoman."
)
ONE_EACH: Final = (
    "Answers stay correct: each conversation gets a process of its own, which takes longer (as with "
    "plugins.claude_code.reuse: conversation). Report this version of the CLI to Dragoman."
)
REPORT: Final = "Answers stay correct. Report this version of the CLI to Dragoman."


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A behaviour in words, and what to do where it differs."""

    group: str
    title: str
    advice: str

    def found(self, name: str, verdict: Verdict, seen: str) -> Finding:
        """The finding about it."""
        advice = "" if verdict == "holds" else self.advice
        if verdict == "unknown":
            advice = (
                "Run it again while the machine is less busy, or try another version of the CLI."
            )
        return Finding(
            name=name,
            group=self.group,
            title=self.title,
            verdict=verdict,
            seen=seen,
            advice=advice,
        )


SAFETY: Final = ("file_mentions", "slash_commands", "built_in_tools")
"""Without these a prompt could read files or run commands: such a CLI is not served."""

HISTORY: Final = "native_history"

REUSE: Final = ("rewind", "rewind_parked", "exchanged_tools")
"""Unless all of these hold, each process has one conversation only."""

BEHAVIOURS: Final[Mapping[str, Behaviour]] = {
    "file_mentions": Behaviour("safety", "@file in a prompt is not read from disk", UNSAFE),
    "slash_commands": Behaviour("safety", "slash commands reach the model as text", UNSAFE),
    "built_in_tools": Behaviour("safety", "the CLI's own tools are off", UNSAFE),
    "not_on_disk": Behaviour(
        "safety",
        "prompts leave nothing on disk",
        "Prompts may be found in files of the CLI. Use another version where that matters.",
    ),
    "not_in_argv": Behaviour(
        "safety",
        "prompts do not appear in the process list",
        "Other users of this machine may see prompts. Use another version where that matters.",
    ),
    "native_history": Behaviour(
        "conversation",
        "earlier turns, calls and results arrive as separate turns",
        "Earlier turns are sent as a transcript in one turn, and tools in the history are "
        "rejected. Use another version of the CLI (plugins.claude_code.command).",
    ),
    "system_prompt": Behaviour("conversation", "the system prompt is the request's", OTHER_VERSION),
    "streaming": Behaviour(
        "conversation", "the answer streams as the model writes it", OTHER_VERSION
    ),
    "small_request": Behaviour(
        "conversation",
        'the request for "Hello" is small',
        "Each request costs more tokens than its conversation needs. Report this version.",
    ),
    "stable_prefix": Behaviour(
        "conversation",
        "the same conversation makes the same request",
        "The model's prompt cache may miss; answers stay correct. Report this version.",
    ),
    "tools": Behaviour("tools", "the client's tools reach the model unchanged", OTHER_VERSION),
    "tool_descriptions": Behaviour(
        "tools",
        "long tool descriptions arrive complete",
        "The model sees only the beginning of a long description. Report this version of the CLI.",
    ),
    "tool_list": Behaviour(
        "tools",
        "the CLI lists its tools before it asks the model",
        "A tool that this version leaves out may be missing without an error. Report this version.",
    ),
    "parking": Behaviour("tools", "a call waits for its result, and the turn goes on", REPORT),
    "parallel_calls": Behaviour("tools", "all calls of a turn wait at the same time", REPORT),
    "web_search": Behaviour(
        "tools",
        "the API's web search reaches the model, and its results stay",
        "Web searches may fail, or be forgotten in the next turn. Report this version of the CLI.",
    ),
    "output_format": Behaviour("tools", "JSON schema answers, by the API", OTHER_VERSION),
    "structured_output": Behaviour(
        "tools", "JSON schema answers, by the CLI's tool", OTHER_VERSION
    ),
    "rewind": Behaviour(
        "reuse", "a process is cut back to an earlier turn, without a trace", ONE_EACH
    ),
    "rewind_parked": Behaviour(
        "reuse", "a process is cut back while a call waits or an answer streams", ONE_EACH
    ),
    "exchanged_tools": Behaviour(
        "reuse", "a process takes other tools for its next conversation", ONE_EACH
    ),
    "one_request": Behaviour(
        "answers",
        "an answer without text, or cut at its limit, is not retried",
        "Such an answer may cost a second request, whose usage is not the client's. Report this "
        "version of the CLI.",
    ),
    "one_refusal": Behaviour("answers", "a refusal by the model is not retried", REPORT),
    "overload_retried": Behaviour("answers", "an overload before any text is retried", REPORT),
    "media_smaller": Behaviour(
        "media", "a user's picture that is too large is scaled down", OTHER_VERSION
    ),
    "media_removed": Behaviour(
        "media",
        "a picture that the API rejects is an error",
        "The model may answer without seeing a picture. Use another version of the CLI "
        "(plugins.claude_code.command), and report this one to Dragoman.",
    ),
    "list_models": Behaviour(
        "parameters",
        "the CLI lists its models",
        "Dragoman's own table of models is used instead. Report this version of the CLI.",
    ),
    "output_limit": Behaviour("parameters", "the limit of output tokens", OTHER_VERSION),
    "sampling": Behaviour("parameters", "temperature and stop sequences", OTHER_VERSION),
    "tool_choice": Behaviour("parameters", "the choice of a tool", OTHER_VERSION),
    "taken_back": Behaviour("parameters", "parameters hold for one request only", OTHER_VERSION),
    "model": Behaviour("parameters", "the requested model", OTHER_VERSION),
    "error_400": Behaviour("errors", "400: the request is invalid", OTHER_VERSION),
    "error_401": Behaviour("errors", "401: the login was refused", OTHER_VERSION),
    "error_429": Behaviour("errors", "429: a limit of the provider", OTHER_VERSION),
    "error_529": Behaviour("errors", "529: the model's API is overloaded", OTHER_VERSION),
    "start_up": Behaviour(
        "process",
        "time to the first request",
        "Requests that find no idle process take this long. Is the machine busy?",
    ),
    "memory": Behaviour(
        "process",
        "memory of an idle process",
        "Set plugins.claude_code.max_processes to fit the machine's memory.",
    ),
    "exit_at_end": Behaviour("process", "the process ends with its input", REPORT),
}


def are_decisive(findings: Iterable[Finding]) -> bool:
    """Whether all consequences of these findings are certain."""
    verdicts = {finding.name: finding.verdict for finding in findings}
    alone = {verdicts.get(name, "unknown") for name in (*SAFETY, HISTORY)}
    together = {verdicts.get(name, "unknown") for name in REUSE}
    return "unknown" not in alone and ("differs" in together or "unknown" not in together)
