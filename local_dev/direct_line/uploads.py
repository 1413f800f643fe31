"""Files that users send: taken as a form, shown to everyone as attachments with a URL.

https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-direct-line-3-0-send-activity#send-by-upload
"""

import secrets

from aiohttp import web

from local_dev.direct_line.client_routes import BASE, running_conversation, take_activity
from local_dev.direct_line.service import SERVICE, DirectLine, Upload
from local_dev.direct_line.wire import ApiError, JsonObject, object_in, objects_in, parse_object

FormPart = str | bytearray | bytes | web.FileField


async def upload(request: web.Request) -> web.Response:
    """Take files, and the activity they belong to if there is one, as one activity."""
    conversation, grant = running_conversation(request)
    activity, files = _split(await _form(request))
    activity.setdefault("type", "message")
    if user_id := request.query.get("userId", ""):
        activity["from"] = object_in(activity, "from", "from") | {"id": user_id}
    service = request.app[SERVICE]
    attachments = objects_in(activity, "attachments", "attachments")
    activity["attachments"] = _attach(service, attachments, files)
    bound = grant.user_id if grant else ""
    return await take_activity(service, conversation, activity, bound)


async def attachment(request: web.Request) -> web.Response:
    """Give a file back. Its unguessable id is the permission, so that <img> can show it."""
    found = request.app[SERVICE].uploads.get(request.match_info["attachment"])
    if found is None:
        raise ApiError(404, "NotFound", "There is no such attachment.")
    headers = {
        "Content-Type": found.content_type,
        "Content-Security-Policy": "sandbox",  # a page that a user sent must not act as ours
        "X-Content-Type-Options": "nosniff",
    }
    return web.Response(body=found.content, headers=headers)


async def _form(request: web.Request) -> list[tuple[str, FormPart]]:
    if request.content_type != "multipart/form-data":
        raise ApiError(400, "BadArgument", "The body must be multipart/form-data.")
    try:
        return list((await request.post()).items())
    except (ValueError, LookupError, web.RequestPayloadError):
        raise ApiError(400, "BadSyntax", "The body is no valid multipart/form-data.") from None


def _split(form: list[tuple[str, FormPart]]) -> tuple[JsonObject, list[web.FileField]]:
    activity: JsonObject = {}
    files = []
    for name, part in form:
        if name == "activity":
            activity = parse_object(_content(part))
        elif isinstance(part, web.FileField):
            files.append(part)
    if not files:
        raise ApiError(400, "MissingProperty", "At least one file is required.")
    return activity, files


def _content(part: FormPart) -> bytes:
    if isinstance(part, web.FileField):
        return part.file.read()
    return part.encode() if isinstance(part, str) else bytes(part)


def _attach(
    service: DirectLine, attachments: list[JsonObject], files: list[web.FileField]
) -> list[JsonObject]:
    """Give each file a URL: in the attachment that announced it by name, or in a new one."""
    waiting = {each.get("name"): each for each in attachments if not each.get("contentUrl")}
    for file in files:
        key = secrets.token_urlsafe(16)
        service.uploads[key] = Upload(_content(file), file.content_type)
        announced = waiting.pop(file.filename, None)
        if announced is None:
            attachments.append(announced := {"name": file.filename})
        announced["contentType"] = file.content_type
        announced["contentUrl"] = f"{service.base_url}/v3/attachments/{key}/views/original"
    return attachments


ROUTES = [
    web.post(f"{BASE}/conversations/{{conversation}}/upload", upload),
    web.get("/v3/attachments/{attachment}/views/original", attachment),
]
