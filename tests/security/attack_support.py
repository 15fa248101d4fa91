"""The bodies that a hostile client sends."""


def body(*messages: dict[str, object], **fields: object) -> dict[str, object]:
    said = messages or ({"role": "user", "content": "Hi"},)
    return {"model": "safe-model", "messages": list(said), **fields}


def user(*parts: object) -> dict[str, object]:
    return {"role": "user", "content": list(parts)}


def picture(url: str) -> dict[str, object]:
    return user({"type": "image_url", "image_url": {"url": url}})
