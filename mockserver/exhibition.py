"""Serves the pictures that answers give addresses of, to whoever has one: pages and programs of any origin.

Their addresses are made and read by :mod:`mockserver.gallery`.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from mockserver.gallery import PATH, Gallery, MalformedAddressError, picture_at
from mockserver.pictures import KINDS
from mockserver.problems import ProblemError


def exhibition(gallery: Gallery) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint for one mock's pictures."""

    async def endpoint(request: Request) -> Response:
        try:
            picture, expires = picture_at(PATH + request.path_params["name"])
        except MalformedAddressError as wrong:
            raise ProblemError(404, str(wrong)) from None
        left = expires - time.time()
        if expires and left <= 0:
            raise ProblemError(410, f"the address was there until {time.strftime('%H:%M:%S', time.localtime(expires))}")
        file = await gallery.apart(partial(gallery.file, picture))
        headers = {
            "cache-control": f"private, max-age={int(left) if expires else 86400}",
            "access-control-allow-origin": "*",
            "cross-origin-resource-policy": "cross-origin",
            "x-content-type-options": "nosniff",
        }
        return Response(file, 200, headers, KINDS[picture.format])

    return endpoint
