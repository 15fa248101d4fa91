"""What is taken for a secret, and what is left alone."""

import pytest

from gateway.secrets.patterns import REDACTED, redact

BEGIN, END = "-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("key sk-ant-api03-abcDEF_123-xyz.", f"key {REDACTED}."),
        ("sk-proj-0123456789", REDACTED),
        ("Authorization: Bearer abc.def-ghi_jkl=", f"Authorization: Bearer {REDACTED}"),
        ('{"authorization": "bearer 12345678"}', '{"authorization": "bearer ' + REDACTED + '"}'),
        ("Basic dXNlcjpwYXNz", f"Basic {REDACTED}"),
        ("id AKIAIOSFODNN7EXAMPLE in use", f"id {REDACTED} in use"),
        (
            "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            f"aws_secret_access_key = {REDACTED}",
        ),
        ('"SecretAccessKey": "wJalrXUtnFEMI/K7MDENG"', f'"SecretAccessKey": "{REDACTED}"'),
        (f"a\n{BEGIN}\nMIIE\nvQIB\n{END}\nb", f"a\n{REDACTED}\nb"),
        (f"a\n{BEGIN}\nMIIE cut off", f"a\n{REDACTED}"),
        ("ghp_" + "a1" * 18, REDACTED),
        ("github_pat_" + "a1" * 18, REDACTED),
        ("glpat-abcdefghij0123456789", REDACTED),
        ("xoxb-123456789012-abcdef", REDACTED),
        ("AIza" + "b" * 35, REDACTED),
        ("hf_" + "c" * 34, REDACTED),
        ("sk_live_0123456789", REDACTED),
        ("eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0", REDACTED),
    ],
)
def test_secrets_are_replaced(text: str, redacted: str) -> None:
    assert redact(text) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a task-oriented and risk-averse desk-top",
        "the bearer of bad news",
        "sk-short",
        "a public key: -----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
        "eyJ is how base64 of JSON begins",
        "request 550e8400-e29b-41d4-a716-446655440000 of chatcmpl-9f86d081884c7d659a2feaa0c55ad015",
        "req_011CSHoEeqs5C35K2UUqR7Fy msg_01XFDUDYJgAACzvnptvVoYEL toolu_01A09q90qw90lq917835lq9",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 at 2a43085",
        "for key, token in tokens.items(): keys[key] = Token(token.type == 'ab1')",
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk",
    ],
)
def test_other_text_is_left_alone(text: str) -> None:
    assert redact(text) == text


def test_all_secrets_of_a_text_are_replaced() -> None:
    assert redact("sk-11111111 and sk-22222222") == f"{REDACTED} and {REDACTED}"


def test_what_is_redacted_stays_so() -> None:
    once = redact("password: hunter2, Bearer abcdef1234, postgres://me:s3cret@db and sk-11111111")
    assert once.count(REDACTED) == 4
    assert redact(once) == once


def test_a_long_text() -> None:
    secret = "token " + "gsk" + "_" + "a1" * 26
    text = " words of a long text\n" * 10_000
    assert redact(text + secret + text) == f"{text}token {REDACTED}{text}"
