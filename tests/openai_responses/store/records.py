"""Records to keep."""

from gateway_openai_responses.store.record import Record


def record(name: str, **fields: object) -> Record:
    values = {
        "id": name,
        "caller": "key a",
        "thread": name,
        "previous": None,
        "created": 1.0,
        "response": {"id": name, "text": "é"},
        "output": [{"id": f"msg_{name}"}],
        "items": [{"id": f"in_{name}"}],
    }
    return Record(**{**values, **fields})  # type: ignore[arg-type]
