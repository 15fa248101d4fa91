"""What names the account behind the login is left out of what clients read."""

import pytest

from gateway_claude_code.response.public_words import public_words

UUID = "0a1b2c3d-0000-4000-8000-0123456789ab"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            "Your organization Jane Doe (jane@example.com) has been disabled.",
            "Your organization […] has been disabled.",
        ),
        ("Organization 'Acme, Inc.' is not allowed.", "Organization […] is not allowed."),
        ("Your organization acme-corp was disabled.", "Your organization […] was disabled."),
        ("organization: acme", "organization: […]"),
        ("No access for account Jane Doe.", "No access for account […]."),
        ("Workspace named Night Shift is archived.", "Workspace named […] is archived."),
        ("jane@example.com's Organization has no access.", "[…]'s Organization has no access."),
        ("Jane Doe's Individual Org has no access.", "[…] has no access."),
        ("Claude Code tried Acme Inc instead, but", "Claude Code tried […] instead, but"),
        (
            f"This would exceed your organization's ({UUID}) rate limit of 50.",
            "This would exceed your organization's […] rate limit of 50.",
        ),
        (f"organization {UUID} is unknown", "organization […] is unknown"),
        ("org_01AbCdEfGh may not do that", "[…] may not do that"),
        ("no access for jane.doe+x@mail.example.com.", "no access for […]."),
    ],
)
def test_what_names_the_account_is_left_out(said: str, shown: str) -> None:
    assert public_words(said) == shown


@pytest.mark.parametrize(
    "said",
    [
        "Your organization has been disabled.",
        "This request would exceed your organization's rate limit of 50 requests per minute.",
        "OAuth authentication is currently not allowed for this organization. Contact Anthropic.",
        "Your account does not have access to Claude Code. Please run /login.",
        "This account type is not allowed.",
        "invalid x-api-key",
        f"ids of tool calls were found without tool results: call_{UUID} {UUID}",
        "tools[0].function.name (of 'Account'): String should match pattern",
        "Add more at claude.ai/settings/usage and keep going.",
    ],
)
def test_all_else_stays(said: str) -> None:
    assert public_words(said) == said
