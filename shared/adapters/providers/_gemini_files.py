"""Results that lie with Google's Files API: named in a reply, ready a moment later, kept two days.

Addresses out of replies are not followed, because the key goes with the request: the file's id is
read from them and the address is built anew, on the account's own host.
"""

import re

from shared.adapters.providers._gemini_replies import answer_in, poll_error
from shared.adapters.providers._replies import text_in, url_in
from shared.adapters.providers.translator import Account, Ask
from shared.errors import VendorUnknown
from shared.failures import FailureCode
from shared.ports import Data, HttpReply, HttpRequest, Outcome, Parcel, Ticket

_FILE_ID = re.compile(r"/files/([A-Za-z0-9_-]{1,128})(:download)?(\?[^/]*)?$")


def file_parcel(holder: Data, account: Account) -> Parcel:
    """The result whose address is the `uri` of this object."""
    return _download(_file_id_in(holder), account)


def ask_for_file(holder: Data, ticket: Ticket, account: Account) -> Ask:
    """Whether the file of this `uri` is ready: it is made before it can be fetched."""
    file_id = _file_id_in(holder)
    request = HttpRequest("GET", account.url(f"/v1beta/files/{file_id}"))
    return Ask(request, lambda reply: _told(reply, file_id, ticket, account))


def _told(reply: HttpReply, file_id: str, ticket: Ticket, account: Account) -> Outcome:
    data = answer_in(reply)
    if reply.status != 200:
        raise poll_error(reply, data)
    state = text_in(data, "state")
    if state == "ACTIVE":
        return Outcome(ticket.task_id, "succeeded", parcels=(_download(file_id, account),))
    if state == "FAILED":
        code = FailureCode.PROVIDER_FAILED
        return Outcome(ticket.task_id, "failed", failure_code=code, detail="file FAILED")
    return Outcome(ticket.task_id, "running")


def _file_id_in(holder: Data) -> str:
    match = _FILE_ID.search(url_in(holder, "uri"))
    if match is None:
        raise VendorUnknown(FailureCode.PROVIDER_FAILED, "the address is not that of a file")
    return match[1]


def _download(file_id: str, account: Account) -> Parcel:
    return Parcel(account.url(f"/v1beta/files/{file_id}:download?alt=media"))
