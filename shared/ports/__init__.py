"""What the product needs from the outside, as small Protocols and the values they speak.

Use cases touch the world only by awaiting one of these. Every call may be repeated, lost, late or
fail; the contract suites in `tests/contract/` say what each adapter owes.
"""

from shared.ports.blobs import (
    BlobInfo as BlobInfo,
    Blobs as Blobs,
    BlobTooLarge as BlobTooLarge,
    SignedUpload as SignedUpload,
)
from shared.ports.clock import Clock as Clock, Ids as Ids
from shared.ports.http import (
    Http as Http,
    HttpLimits as HttpLimits,
    HttpReply as HttpReply,
    HttpRequest as HttpRequest,
    NoReply as NoReply,
    NotSent as NotSent,
    ReplyTooLarge as ReplyTooLarge,
)
from shared.ports.media import (
    BadMedia as BadMedia,
    Media as Media,
    MediaInfo as MediaInfo,
    PictureFit as PictureFit,
    PictureInfo as PictureInfo,
)
from shared.ports.queue import (
    Queue as Queue,
    QueueSpec as QueueSpec,
    Task as Task,
    Verdict as Verdict,
)
from shared.ports.store import (
    Check as Check,
    Create as Create,
    Data as Data,
    Decide as Decide,
    Delete as Delete,
    Document as Document,
    Documents as Documents,
    Key as Key,
    Operator as Operator,
    Order as Order,
    Put as Put,
    Query as Query,
    Store as Store,
    Where as Where,
    Write as Write,
)
from shared.ports.vendors import (
    Abilities as Abilities,
    Accepted as Accepted,
    Hint as Hint,
    Inbound as Inbound,
    Outcome as Outcome,
    OutcomeState as OutcomeState,
    Parcel as Parcel,
    Picture as Picture,
    Ticket as Ticket,
    Vendors as Vendors,
    Work as Work,
)
