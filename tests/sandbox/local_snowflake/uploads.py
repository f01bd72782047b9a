"""The upload address of a PUT, as a cloud store answers.

Rules restored: an address honours "do not overwrite" (412); one that has expired or is forbidden is refused
with the store's status, which the connectors treat in their own ways; a file is there whole or not at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from .answers import Cut
from .errors import SnowflakeError
from .faults import ConnectionReset, strike

if TYPE_CHECKING:
    from starlette.requests import Request

    from .faults import Fault
    from .world import World


_DEPTH = 4  # files/DATABASE/SCHEMA/STAGE/name


async def upload(world: World, request: Request) -> Response:
    """Store an uploaded file, unless it is there and must not be overwritten, or a fault strikes."""
    path = str(request.path_params["path"])
    if path.count("/") < _DEPTH or not path.startswith("files/"):
        return Response("no stage has this address", status_code=400)
    fault = world.faults.choose("upload", path)
    try:
        await run_in_threadpool(strike, fault, "before")
        content = await _content(request, fault)
        target = world.stages.from_bucket(path)
        if request.headers.get("x-goog-if-generation-match") == "0" and target.exists():
            return Response(status_code=412)
        await run_in_threadpool(world.stages.store, target, content)
        await run_in_threadpool(strike, fault, "after")
    except ConnectionReset:
        return Cut()
    except SnowflakeError as error:
        status = fault.status if fault else 403
        return Response(error.message, status_code=status)
    except (OSError, ValueError) as error:  # a name that no file can have
        return Response(str(error), status_code=400)
    return Response()


async def _content(request: Request, fault: Fault | None) -> bytes:
    """The body; a fault "during" the upload cuts it after its first part."""
    parts = []
    async for part in request.stream():
        parts.append(part)
        strike(fault, "during")
    return b"".join(parts)
