"""The environment variables of the CLI that Dragoman sets, reads or passes on, each with its source.

"env-vars" is code.claude.com/docs/en/env-vars, as of August 2026. A variable that is not on that page
was seen to work with 2.1.330.
"""

from typing import Final

# -- set for each process, whatever the user's own environment says --------------------------------

DISABLE_ATTACHMENTS: Final = "CLAUDE_CODE_DISABLE_ATTACHMENTS"
"""`@path` in a prompt would otherwise be read from disk and attached (env-vars)."""

DISABLE_NONESSENTIAL_TRAFFIC: Final = "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"
"""Updates, telemetry, error reports and availability checks are left out. Any value but an empty
one does it (env-vars)."""

DISABLE_AUTOUPDATER: Final = "DISABLE_AUTOUPDATER"
"""An update must not land under running processes (env-vars)."""

DISABLE_AUTO_COMPACT: Final = "DISABLE_AUTO_COMPACT"
"""A client that sends whole histories must be told when they are too long (env-vars)."""

TOOL_SEARCH: Final = "ENABLE_TOOL_SEARCH"
""""false" gives all tools to the model as they are, and defers none (env-vars)."""

MAX_RETRIES: Final = "CLAUDE_CODE_MAX_RETRIES"
"""How often a failed request to the API is made again; 10 by default, 15 at most (env-vars)."""

DEBUG_LOG_LEVEL: Final = "CLAUDE_CODE_DEBUG_LOG_LEVEL"
"""The least level of the debug log; `failure_log` reads its errors (env-vars)."""

MAX_MCP_DESCRIPTION_LENGTH: Final = "CLAUDE_CODE_MAX_MCP_DESCRIPTION_LENGTH"
"""Descriptions of tools would otherwise be cut at 4,096 characters (seen with 2.1.330; undocumented)."""

DISABLE_NONSTREAMING_FALLBACK: Final = "CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK"
"""An answer that breaks off must be an error, not a second answer without a stream (env-vars)."""

DISABLE_REFUSAL_RETRY: Final = "CLAUDE_CODE_DISABLE_REFUSAL_RETRY"
DISABLE_REFUSAL_FALLBACK: Final = "CLAUDE_CODE_DISABLE_REFUSAL_FALLBACK"
"""A refusal is the answer; the CLI would otherwise ask again on its own, or another model (seen with
2.1.330; undocumented)."""

# -- set from one request to the next, by `apply_flag_settings` -------------------------------------

MAX_OUTPUT_TOKENS: Final = "CLAUDE_CODE_MAX_OUTPUT_TOKENS"
"""`max_tokens` of the requests to the API; "" is the CLI's own limit (env-vars)."""

EXTRA_BODY: Final = "CLAUDE_CODE_EXTRA_BODY"
"""A JSON object that is merged into the body of each request to the API (env-vars)."""

DISABLE_PROMPT_CACHING: Final = "DISABLE_PROMPT_CACHING"
"""No marks for the prompt cache (env-vars)."""

BLOCKING_LIMIT: Final = "CLAUDE_CODE_BLOCKING_LIMIT_OVERRIDE"
"""The tokens from which on a conversation is too long to be asked anything more (seen with 2.1.330;
undocumented)."""

DISABLE_TELEMETRY: Final = "DISABLE_TELEMETRY"
DISABLE_ERROR_REPORTING: Final = "DISABLE_ERROR_REPORTING"
"""Two parts of `DISABLE_NONESSENTIAL_TRAFFIC`, for a process that may make other such requests
(env-vars)."""

# -- the login and the provider --------------------------------------------------------------------

BASE_URL: Final = "ANTHROPIC_BASE_URL"
"""The address of the API, or of a proxy in front of it (env-vars)."""

API_KEY: Final = "ANTHROPIC_API_KEY"
"""It comes before a subscription, even if there is a login (env-vars)."""

AUTH_TOKEN: Final = "ANTHROPIC_AUTH_TOKEN"  # noqa: S105 - a name
"""The value of the `Authorization` header, behind "Bearer" (env-vars)."""

OAUTH_TOKEN: Final = "CLAUDE_CODE_OAUTH_TOKEN"  # noqa: S105 - a name
"""A token of claude.ai, as from `claude setup-token` (env-vars)."""

CUSTOM_HEADERS: Final = "ANTHROPIC_CUSTOM_HEADERS"
"""Headers for the requests to the API, one a line: they may hold a login (env-vars)."""

USE_BEDROCK: Final = "CLAUDE_CODE_USE_BEDROCK"
USE_MANTLE: Final = "CLAUDE_CODE_USE_MANTLE"
USE_ANTHROPIC_AWS: Final = "CLAUDE_CODE_USE_ANTHROPIC_AWS"
USE_VERTEX: Final = "CLAUDE_CODE_USE_VERTEX"
USE_FOUNDRY: Final = "CLAUDE_CODE_USE_FOUNDRY"
"""The providers other than Anthropic's own API (env-vars)."""

# -- the places of files ---------------------------------------------------------------------------

CONFIG_DIR: Final = "CLAUDE_CONFIG_DIR"
"""The folder of settings, login and sessions, by default `~/.claude` (env-vars)."""

TMPDIR: Final = "CLAUDE_CODE_TMPDIR"
"""The folder for temporary files, before TMPDIR (env-vars)."""

# -- passed on from the gateway's environment ------------------------------------------------------

PASSED_ON: Final = (
    # the machine
    "HOME", "USER", "LOGNAME", "PATH", "SHELL", "LANG", "LC_*", "TZ", "TMPDIR", "TEMP", "TMP",
    "XDG_*", "DBUS_SESSION_BUS_ADDRESS",
    # the user's login and provider (env-vars, and the page of each provider)
    "ANTHROPIC_*", CONFIG_DIR, "CLAUDE_CODE_OAUTH_*", "CLAUDE_CODE_USE_*",
    "CLAUDE_CODE_SKIP_*_AUTH", "CLAUDE_CODE_API_KEY_HELPER_TTL_MS", "CLAUDE_CODE_CLIENT_*",
    "CLAUDE_CODE_CERT_STORE", "CLAUDE_CODE_PROXY_*", "AWS_*", "GOOGLE_*", "GCLOUD_*",
    "CLOUDSDK_*", "CLOUD_ML_REGION", "GCP_*", "VERTEX_*", "AZURE_*", "BEDROCK_*",
    # the network (code.claude.com/docs/en/network-config)
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
    "http_proxy", "https_proxy", "all_proxy", "no_proxy",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "API_TIMEOUT_MS",
)  # fmt: skip
"""Patterns of the names that reach the CLI. All others stay out: other tools' keys, and those that a
Claude Code session sets for the processes that it starts (`CLAUDECODE` and others, env-vars)."""
