"""JSON Merge Patch (RFC 7396): the document that results from applying a patch to another.

Neither argument is changed; what the patch does not touch is shared with the target, so a caller
that goes on to change the result copies it first. Objects merge, null removes, everything else,
arrays included, replaces. Deliberately absent: schemas and versions.
"""

from typing import Any

from indexing.errors import InvalidDocument

PATCH_LEVELS_MAX = 100
"""How deep a patch's objects may nest: far beyond documents people write, far within the stack."""


def merge_patch(target: Any, patch: Any) -> Any:
    """Apply `patch` to `target`, both JSON values, and return the new value.

    A patch nested deeper than PATCH_LEVELS_MAX objects raises InvalidDocument.
    """
    return _merged(target, patch, 1)


def _merged(target: Any, patch: Any, level: int) -> Any:
    if not isinstance(patch, dict):
        return patch
    if level > PATCH_LEVELS_MAX:
        raise InvalidDocument(
            f"the patch nests more than {PATCH_LEVELS_MAX} objects",
            hint="send a flatter patch, or replace the document with put",
            levels_max=PATCH_LEVELS_MAX,
        )
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = _merged(result.get(name), value, level + 1)
    return result
