"""Forms with files, built so that the same work always makes the same request."""

from collections.abc import Sequence
from typing import Any

from shared.ports import HttpRequest, Picture


def multipart(
    url: str,
    job_id: str,
    texts: Sequence[tuple[str, str]],
    pictures: Sequence[tuple[str, Picture]],
) -> HttpRequest:
    """A POST of these fields, in their order. Source: RFC 7578."""
    import httpx

    # Not a random boundary: it comes from the job's id.
    content_type = f"multipart/form-data; boundary=reelmint-{job_id}"
    # Texts stand among the files, because a form without files would not be multipart.
    parts: list[tuple[str, Any]] = [(name, (None, text)) for name, text in texts]
    for number, (name, picture) in enumerate(pictures):
        kind = picture.content_type.rpartition("/")[2]
        filename = f"picture{number or ''}.{kind}"
        parts.append((name, (filename, picture.content, picture.content_type)))
    built = httpx.Request("POST", url, files=parts, headers={"content-type": content_type})
    headers = {"accept": "application/json", "content-type": content_type}
    return HttpRequest("POST", url, headers=headers, body=built.read())
