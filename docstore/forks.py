"""What a forked process inherits: nothing of an open store, which is its opener's alone.

LMDB forbids using an environment across a fork, and a child that wrote would do so under its
parent's lock. So whatever is open forgets itself in the child, and says so when it is used there.
"""

import os
from typing import Protocol
from weakref import WeakSet


class Open(Protocol):
    """Something that a child must not use."""

    def forget(self) -> None:
        """Be closed, without touching what the parent has open."""


_open: WeakSet[Open] = WeakSet()
INHERITED = "the store was opened before this process was forked"
"""Why nothing works in a child."""


def forget_in_children(each: Open) -> None:
    """Have something forget itself in every process that is forked from this one."""
    _open.add(each)


def _forget_all() -> None:
    for each in list(_open):
        each.forget()
    _open.clear()


os.register_at_fork(after_in_child=_forget_all)
