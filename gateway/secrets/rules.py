"""The secrets that can be told by their look: a table of rules, each with its source.

A source is a rule of gitleaks (`gitleaks: NAME`, config/gitleaks.toml), a detector of trufflehog
(`trufflehog: NAME`, pkg/detectors) or of detect-secrets, or the standard that defines the form.
Lengths are lower bounds, below those of the source where the prefix alone is unmistakable: a log
line may have been cut. Whatever is known by the name in front of it is in `named_secrets`.

A rule takes time linear in the length of the text: its quantifiers are bounded, or nothing that can
fail follows them, or a run of characters has only one place to start in.
"""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

START: Final = r"(?:(?<![A-Za-z0-9])|(?<=\\[bfnrt])|(?<=\\u[0-9A-Fa-f]{4})|(?<=%[0-9A-Fa-f]{2}))"
"""Where a secret may begin: not within a word, but after an escape of JSON or of a URL."""

ALPHANUMERIC: Final = "[A-Za-z0-9]"
WORD: Final = "[A-Za-z0-9_-]"
HEX: Final = "[A-Fa-f0-9]"
_WITH_DIGIT: Final = r"(?=[A-Za-z_-]{0,40}[0-9])"
"""Tells random characters from a chain of words, such as the name of a CSS class."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of secret. Only the group `secret` is redacted if `pattern` has one, else all of it.

    `marks` are what a text has to contain for the pattern to be tried, in lower case. `check` has
    the last word about the characters found.
    """

    name: str
    source: str
    marks: tuple[str, ...]
    pattern: str
    check: Callable[[str], bool] | None = None


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Compiled when first needed: few processes ever meet more than a few kinds of secrets."""
    return re.compile(pattern, re.ASCII)


def _prefixed(name: str, source: str, prefixes: str, body: str) -> Rule:
    """A secret that begins with one of some `prefixes` (separated by spaces)."""
    words = prefixes.split()
    either = "|".join(re.escape(word) for word in words)
    return Rule(name, source, tuple(word.lower() for word in words), f"{START}(?:{either}){body}")


def _is_user_and_password(encoded: str) -> bool:
    """Whether it is base64 of `user:password` (RFC 7617), and not a word after "basic"."""
    try:
        decoded = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, ValueError):
        return False
    return ":" in decoded and decoded.isprintable()


def _has_digit(token: str) -> bool:
    return any("0" <= character <= "9" for character in token[:400])


def _is_no_placeholder(password: str) -> bool:
    return not password.startswith(("$", "{", "<", "[", "*"))


RULES: Final[tuple[Rule, ...]] = (
    Rule(
        "private key",
        "gitleaks: private-key; RFC 7468",
        ("private key",),
        r"(?s)-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----.*?"
        r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)",
    ),
    _prefixed("age", "gitleaks: age-secret-key", "AGE-SECRET-KEY-1", "[A-Z0-9]{20,}"),
    # model APIs
    _prefixed(
        "sk-",
        "gitleaks: openai-api-key; also DeepSeek, Langfuse (pk-) and LiteLLM",
        "sk- pk- rk-",
        rf"(?:{_WITH_DIGIT}{WORD}{{8,}}|{ALPHANUMERIC}{{16,}})",
    ),
    _prefixed("sk-ant-", "gitleaks: anthropic-api-key, anthropic-admin-api-key", "sk-ant-",
              rf"{WORD}{{8,}}"),
    _prefixed("sk-or-", "trufflehog: openrouter", "sk-or-", rf"{WORD}{{8,}}"),
    _prefixed("dgm-", "gateway_access/keys/keyring.py", "dgm-", rf"{_WITH_DIGIT}{WORD}{{8,}}"),
    _prefixed("hugging face", "gitleaks: huggingface-access-token, -organization-api-token",
              "hf_ api_org_", rf"{ALPHANUMERIC}{{20,}}"),
    _prefixed("groq", "trufflehog: groq", "gsk_", rf"{ALPHANUMERIC}{{20,}}"),
    _prefixed("xai", "trufflehog: xai", "xai-", rf"{_WITH_DIGIT}{WORD}{{20,}}"),
    _prefixed("perplexity", "gitleaks: perplexity-api-key", "pplx-", rf"{ALPHANUMERIC}{{20,}}"),
    _prefixed("replicate", "trufflehog: replicate", "r8_", rf"{WORD}{{20,}}"),
    _prefixed("nvidia", "trufflehog: nvapi", "nvapi-", rf"{WORD}{{20,}}"),
    _prefixed("langsmith", "trufflehog: langsmith", "lsv2_pt_ lsv2_sk_", rf"{WORD}{{20,}}"),
    # clouds
    _prefixed("aws", "gitleaks: aws-access-token", "AKIA ASIA ABIA ACCA",
              rf"[A-Z0-9]{{16}}(?!{ALPHANUMERIC})"),
    _prefixed("aws bedrock", "gitleaks: aws-amazon-bedrock-api-key-long-lived, -short-lived",
              "ABSK bedrock-api-key-", "[A-Za-z0-9+/=]{40,}"),
    _prefixed("google", "gitleaks: gcp-api-key", "AIza", rf"{WORD}{{30,}}"),
    _prefixed("google oauth", "trufflehog: googleoauth2", "ya29. GOCSPX- 1//0", rf"{WORD}{{20,}}"),
    Rule("azure ad", "gitleaks: azure-ad-client-secret", ("q~",),
         rf"{START}[A-Za-z0-9_~.]{{3}}[0-9]Q~[A-Za-z0-9_~.-]{{31,40}}"),
    Rule("signed url", "Azure: shared access signatures (sig); AWS: signature version 4",
         ("sig=", "signature="),
         r"(?<=[?&;])(?i:sig|x-amz-signature|x-goog-signature)="
         r"(?P<secret>[A-Za-z0-9%+/_-]{32,}=*)"),
    _prefixed("digitalocean",
              "gitleaks: digitalocean-pat, digitalocean-access-token, digitalocean-refresh-token",
              "dop_v1_ doo_v1_ dor_v1_", rf"{HEX}{{20,}}"),
    _prefixed("databricks", "gitleaks: databricks-api-token", "dapi", rf"{HEX}{{32}}(?:-[0-9])?"),
    _prefixed("heroku", "gitleaks: heroku-api-key-v2", "HRKU-AA", rf"{WORD}{{20,}}"),
    _prefixed("fly.io", "gitleaks: flyio-access-token", "fo1_ fm1a_ fm1r_ fm2_",
              "[A-Za-z0-9+/=_-]{40,}"),
    _prefixed("planetscale", "gitleaks: planetscale-api-token, -oauth-token, -password",
              "pscale_tkn_ pscale_oauth_ pscale_pw_", r"[A-Za-z0-9_=.-]{20,}"),
    _prefixed("pulumi", "gitleaks: pulumi-api-token", "pul-", rf"{HEX}{{40}}"),
    _prefixed("vault", "gitleaks: vault-service-token, vault-batch-token", "hvs. hvb. hvr.",
              rf"{WORD}{{20,}}"),
    Rule("terraform", "gitleaks: hashicorp-tf-api-token", (".atlasv1.",),
         rf"{START}{ALPHANUMERIC}{{14}}\.atlasv1\.[A-Za-z0-9_=-]{{20,}}"),
    _prefixed("doppler", "gitleaks: doppler-api-token", "dp.pt.", rf"{ALPHANUMERIC}{{20,}}"),
    _prefixed("tailscale", "trufflehog: tailscale", "tskey-", rf"{_WITH_DIGIT}{WORD}{{16,}}"),
    # code and packages
    _prefixed("github",
              "gitleaks: github-pat, github-oauth, github-app-token, github-refresh-token",
              "ghp_ gho_ ghu_ ghs_ ghr_", rf"{ALPHANUMERIC}{{20,}}"),
    _prefixed("github fine-grained", "gitleaks: github-fine-grained-pat", "github_pat_",
              r"[A-Za-z0-9_]{20,}"),
    _prefixed(
        "gitlab", "gitleaks: gitlab-pat, -ptt, -runner-authentication-token and the like",
        "glpat- glptt- glrt- gldt- glft- glimt- glagent- gloas- glcbt- glsoat- glffct- GR1348941",
        r"[A-Za-z0-9_.-]{16,}"),
    _prefixed("npm", "gitleaks: npm-access-token", "npm_", rf"{_WITH_DIGIT}{ALPHANUMERIC}{{20,}}"),
    _prefixed("pypi", "gitleaks: pypi-upload-token", "pypi-AgE", rf"{WORD}{{16,}}"),
    _prefixed("rubygems", "gitleaks: rubygems-api-token", "rubygems_", rf"{HEX}{{20,}}"),
    _prefixed("docker hub", "trufflehog: dockerhub", "dckr_pat_ dckr_oat_", rf"{WORD}{{20,}}"),
    _prefixed("postman", "gitleaks: postman-api-token", "PMAK-", rf"{HEX}{{16,}}-{HEX}{{16,}}"),
    _prefixed("linear", "gitleaks: linear-api-key", "lin_api_", rf"{ALPHANUMERIC}{{20,}}"),
    _prefixed("notion", "gitleaks: notion-api-token", "ntn_", rf"{ALPHANUMERIC}{{30,}}"),
    _prefixed("sentry", "gitleaks: sentry-org-token, sentry-user-token", "sntrys_ sntryu_",
              "[A-Za-z0-9+/=_]{20,}"),
    _prefixed("grafana", "gitleaks: grafana-cloud-api-token, grafana-service-account-token",
              "glc_ glsa_", "[A-Za-z0-9+/=_]{32,}"),
    _prefixed("new relic", "gitleaks: new-relic-user-api-key", "NRAK-", rf"{ALPHANUMERIC}{{20,}}"),
    # messages
    _prefixed("slack", "gitleaks: slack-bot-token, slack-user-token, slack-legacy-token",
              "xoxa- xoxb- xoxc- xoxd- xoxe- xoxo- xoxp- xoxr- xoxs- xoxe.xoxb- xoxe.xoxp-",
              rf"{WORD}{{10,}}"),
    _prefixed("slack app", "gitleaks: slack-app-token", "xapp-", rf"[0-9]-{WORD}{{10,}}"),
    Rule("slack webhook", "gitleaks: slack-webhook-url", ("hooks.slack.com/",),
         r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<secret>[A-Za-z0-9+/_-]{20,})"),
    # the bot's number in base64, a time and a signature
    Rule("discord", "detect-secrets: DiscordBotTokenDetector", (".",),
         rf"[MNO](?<!{WORD}[MNO]){WORD}{{23,27}}\.{WORD}{{6}}\.{WORD}{{27,40}}"),
    Rule("discord webhook", "trufflehog: discordwebhook", ("/api/webhooks/",),
         rf"/api/webhooks/[0-9]{{15,22}}/(?P<secret>{WORD}{{20,}})"),
    Rule("teams webhook", "gitleaks: microsoft-teams-webhook", ("webhook.office.com/",),
         r"webhook\.office\.com/webhookb2/(?P<secret>[A-Za-z0-9@/-]{36,})"),
    Rule("telegram", "gitleaks: telegram-bot-api-token", (":a",),
         rf"(?<![0-9])[0-9]{{5,16}}:A{WORD}{{34}}(?!{WORD})"),
    _prefixed("twilio", "gitleaks: twilio-api-key", "SK", rf"{HEX}{{32}}(?!{ALPHANUMERIC})"),
    Rule("sendgrid", "gitleaks: sendgrid-api-token", ("sg.",),
         rf"{START}SG\.{WORD}{{16,}}\.{WORD}{{16,}}"),
    _prefixed("mailgun", "gitleaks: mailgun-private-api-token", "key-",
              rf"{HEX}{{32}}(?!{ALPHANUMERIC})"),
    Rule("mailchimp", "gitleaks: mailchimp-api-key", ("-us",),
         rf"{START}{HEX}{{32}}-us[0-9]{{1,2}}(?!{ALPHANUMERIC})"),
    # payment
    _prefixed("stripe", "gitleaks: stripe-access-token",
              "sk_live_ sk_test_ sk_prod_ rk_live_ rk_test_ rk_prod_ whsec_",
              rf"{ALPHANUMERIC}{{8,}}"),
    _prefixed("square", "gitleaks: square-access-token", "sq0atp- sq0csp-",
              rf"{_WITH_DIGIT}{WORD}{{22,}}"),
    _prefixed("shopify", "gitleaks: shopify-access-token, -custom-, -private-app-, -shared-secret",
              "shpat_ shpca_ shppa_ shpss_", rf"{HEX}{{20,}}"),
    # standards
    Rule("jwt", "gitleaks: jwt; RFC 7519, RFC 7516", ("eyj",),
         rf"(?:(?<!{WORD})|(?<=\\[bfnrt])|(?<=\\u[0-9A-Fa-f]{{4}})|(?<=%[0-9A-Fa-f]{{2}}))"
         rf"eyJ{WORD}{{8,}}\.{WORD}{{8,}}(?:\.{WORD}*)*"),
    Rule("bearer", "RFC 6750, section 2.1", ("bearer",),
         r"\b(?i:bearer)(?:\s{1,4}|%20)(?P<secret>[A-Za-z0-9._~+/=-]{6,})", _has_digit),
    Rule("basic", "RFC 7617", ("basic",),
         r"\b(?i:basic)(?:\s{1,4}|%20)(?P<secret>[A-Za-z0-9+/]{8,1000}={0,2})",
         _is_user_and_password),
    Rule("url", "trufflehog: uri; detect-secrets: BasicAuthDetector; RFC 3986, section 3.2.1",
         ("://",),
         r"(?<=://)[^\s/:@?#\"'<>\\]{0,200}:(?P<secret>[^\s/?#\"'<>\\]{1,400})@",
         _is_no_placeholder),
    Rule("url user", "trufflehog: uri; a token in place of a user's name", ("://",),
         rf"(?<=://)(?P<secret>{WORD}{{20,400}})@", _has_digit),
    Rule("curl", "gitleaks: curl-auth-user", ("curl",),
         r"\bcurl\b[^\n]{0,200}?\s(?:-u|--user)[ =][\"']?[^\s:\"']{1,100}:"
         r"(?P<secret>[^\s\"']{3,200})", _is_no_placeholder),
)  # fmt: skip
"""In the order in which they are applied."""
