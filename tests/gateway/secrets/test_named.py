"""Secrets that only their names give away, and values that are none."""

import pytest

from gateway.secrets.patterns import REDACTED, redact

RANDOM = "aB3dE6gH9jK2mN5p"


@pytest.mark.parametrize(
    ("before", "secret", "after"),
    [
        ("password: ", "hunter2", ""),
        ("password: ", "correcthorse", "\n"),
        ("DB_PASSWORD=", "abc!def", " next"),
        ("user=x&password=", "s3cretword", "&y=1"),
        ("pwd=", "abcdef", ";Server=1"),
        ('"password": "', "correct horse battery staple", '"}'),
        ('{"password": "', "let's go, 1 o'clock", '"}'),
        ("{'passwd': '", 'with"quote', "'}"),
        ('password: str = "', "abc123x", '"'),
        ('if password == "', "letmein", '":'),
        (r"{\"password\": \"", "hunter22", r"\"}"),
        ("DB_PASS=", "hunter2", ""),
        ("the password is ", "hunter2", " now"),
        ("API key is ", RANDOM, ""),
        ("Cookie: ", "session=" + RANDOM, "; theme=dark"),
        ("jwt=", RANDOM, ""),
        ("auth: ", RANDOM, ""),
        ("passphrase := ", "opensesame", ""),
        ("client_secret=", RANDOM, "&grant_type=client_credentials"),
        ('"client_secret": "', "550e8400-e29b-41d4-a716-446655440000", '"'),
        ("client_secret%3D", RANDOM, ""),
        ('"token": "', RANDOM, '"'),
        ("token=", RANDOM, ""),
        ("refresh_token: ", RANDOM, ""),
        ("deploy --token ", RANDOM, " --verbose"),
        ("login --password ", "hunter2", ""),
        ('api_key="', "my-gateway-key", '"'),
        ("api_key: ", RANDOM, ""),
        ("API key: ", RANDOM, ""),
        ("x-api-key: ", "abcdefgh", ""),
        ("('x-api-key', '", RANDOM, "')"),
        ("(b'authorization', b'Bearer ", RANDOM, "')"),
        ("Authorization: Bearer ", "abc.def-ghi_jkl=", ""),
        ("Proxy-Authorization: Basic ", "abcdefgh", ""),
        ("authorization: ", "abcdefgh", ""),
        ("aws_secret_access_key = ", "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCY", ""),
        ('"SecretAccessKey": "', "wJalrXUtnFEMI/K7MDENG", '"'),
        ("AccountName=a;AccountKey=", "a1+/" * 21 + "aa==", ";x"),
        ("password: ", "x1" * 500, " end"),
        ('"password": "', "y2" * 500, '", "end"'),
        ('"password": "', "never closed1", '\n"end"'),
        ("\u0130\u0130 password: ", "hunter2", ""),
    ],
)
def test_the_value_is_replaced(before: str, secret: str, after: str) -> None:
    assert redact(f"{before}{secret}{after}") == f"{before}{REDACTED}{after}"


@pytest.mark.parametrize(
    "text",
    [
        "def login(user: str, password: string) -> None:",
        "password: Optional[str] = None",
        "connect(password=password, api_key=api_key)",
        "api_key=settings.api_key",
        "secret_key = config.openai2.secret",
        'api_key=os.environ["KEY"]',
        "token = get_token(request)",
        "client_secret=client_secret",
        "password=$DB_PASSWORD and password: ${DB_PASSWORD}",
        "password: {{ vault.password1 }}",
        'api_key = "YOUR_API_KEY"',
        'api_key = "your-key-1"',
        "api_key: sk-...",
        "Authorization: Bearer <token>",
        "the Authorization: header is missing",
        "authorization: Optional[str] = None",
        'authorization = request.headers.get("Authorization")',
        "expected_authorization=expected_authorization",
        'auth_headers = {"api-key": api_key}',
        'in ("authorization", "proxy-authorization", "cookie", "x-api-key")',
        'Literal["access_token", "refresh_token"]',
        "token = b64encode(userpass).decode()",
        "token = auth_header2[7:]",
        "the bearer-token credential and client-secret updates",
        "--password <password>",
        '{"password": "string", "type": "password"}',
        '{"password": "must be at least 8 characters"}',
        "password: required",
        "the password is required, the token is expired, the secret is everything",
        "pass: 12 of 12, bypass=a1b2c3d4e5f6, urn:oauth:token-type:x509, auth=BasicAuth(user, word1)",
        "password, please enter it",
        '{"token": "Hello", "logprob": -0.1}',
        '{"token": " 2024-11-27 is a date", "bytes": [1, 2]}',
        '"eos_token": "<|endoftext|>", "unk_token": "[UNK]"',
        "max_tokens: 4096, cost-per-token: 0.00000125",
        "token: 1234567890123",
        "uint256 token=uint256",
        "the key: value pairs of a cache-key: 0a1b2c3d4e5f",
        "primary key: users_id_12345",
        "let me tell you a secret: everything1 changes",
    ],
)
def test_other_values_stay(text: str) -> None:
    assert redact(text) == text
