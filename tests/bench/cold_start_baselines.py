"""What a cold start is compared with: functions-framework alone, and with the Firestore client."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response


async def nothing(_request: Request) -> Response:
    """Answer."""
    return JSONResponse({"status": "ok"})


def __getattr__(name: str) -> object:
    """`firestore`: the same, after importing the client; with a database, it reads a document."""
    if name != "firestore":
        raise AttributeError(name)
    import os

    from google.cloud.firestore import AsyncClient

    async def firestore(_request: Request) -> Response:
        if "FIRESTORE_EMULATOR_HOST" in os.environ:
            await AsyncClient(project="bench").document("accounts/nobody").get()
        return JSONResponse({"status": "ok"})

    return firestore
