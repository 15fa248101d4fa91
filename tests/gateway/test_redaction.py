"""What is taken for a secret, and what is left alone."""

import pytest

from gateway.redaction import REDACTED, redact

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
    ],
)
def test_other_text_is_left_alone(text: str) -> None:
    assert redact(text) == text


def test_all_secrets_of_a_text_are_replaced() -> None:
    assert redact("sk-11111111 and sk-22222222") == f"{REDACTED} and {REDACTED}"
