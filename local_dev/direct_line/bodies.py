"""Request bodies: read whole, unpacked, and never more of them than an activity can have."""

import zlib

from aiohttp import web

from local_dev.direct_line.wire import ACTIVITY_LIMIT, ApiError

UNPACKED_LIMIT = 4 * ACTIVITY_LIMIT  # bytes, unpacked; a character has 4 at most
GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS  # whichever its first bytes say


async def read_body(request: web.Request) -> bytes:
    """Read a body, packed or not. The server itself unpacks none, as aiohttp knows no limit there.

    Raises:
        ApiError: 413 if it is too long, 415 or 400 if it cannot be unpacked.
    """
    body = await request.read()
    match request.headers.get("Content-Encoding", "identity").lower():
        case "identity":
            return body
        case "gzip" | "deflate":
            return unpack(body)
    message = "A body is plain, or packed as Content-Encoding gzip or deflate."
    raise ApiError(415, "UnsupportedMediaType", message)


def unpack(packed: bytes) -> bytes:
    """Unpack gzip or zlib (RFC 1952, RFC 1950) as far as a body can be long.

    Raises:
        ApiError: 413 if there is more of it, 400 if it is not packed so.
    """
    unpacker = zlib.decompressobj(GZIP_OR_ZLIB)
    try:
        body = unpacker.decompress(packed, UNPACKED_LIMIT + 1)
    except zlib.error:
        body = b""
    if len(body) > UNPACKED_LIMIT:
        message = f"The body must have at most {UNPACKED_LIMIT} bytes when it is unpacked."
        raise ApiError(413, "MessageSizeTooBig", message)
    if not unpacker.eof:
        raise ApiError(400, "BadSyntax", "The body cannot be unpacked.")
    return body
