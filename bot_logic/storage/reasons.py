"""What a storage service's error codes mean to an operator."""

from typing import Final

_NOT_LET_IN: Final = "the key, signature or identity is not accepted; was the key rotated?"
# https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes
_MEANINGS: Final = {
    "AuthenticationFailed": _NOT_LET_IN,
    "InvalidAuthenticationInfo": _NOT_LET_IN,
    "NoAuthenticationInformation": _NOT_LET_IN,
    "AuthorizationFailure": "the account's network rules refuse this app, or the key is wrong",
    "AuthorizationPermissionMismatch": "the identity or signature lacks the right to do this",
    "KeyBasedAuthenticationNotPermitted": "the account takes identities only, no keys",
    "AccountIsDisabled": "the storage account is disabled",
    "AccountBeingCreated": "the storage account is still being created",
    "QueueBeingDeleted": "the queue is being deleted; it can be made anew in half a minute",
    "TableBeingDeleted": "the table is being deleted; it can be made anew in half a minute",
}


def explained(code: str) -> str:
    """Add to a storage service's error code what an operator has to know of it."""
    meaning = _MEANINGS.get(code)
    return code if meaning is None else f"{code} ({meaning})"


def reason_of(error: Exception) -> str:
    """Say what went wrong, in a word; the error's own text may quote a signed request."""
    code = getattr(error, "error_code", None)
    return explained(str(getattr(code, "value", code) or type(error).__name__))
