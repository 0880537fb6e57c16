"""Spreading the postings of a term over index partitions, and gathering them, while all goes on.

Postings under another fan are made beside those that are read, under a name of their own; then one
change of the index's map reads them, and the old ones are removed.

| killed | on opening | so |
|---|---|---|
| before the map names the other fan | the old map | nothing was made |
| while postings are made | the old map, naming a fan that is not read | they are removed |
| after the map reads them | the new map, naming the old fan | the old ones are removed |
| after they are removed | the new map, naming the old fan or not | nothing is left to remove |

A step holds the index's lock for a few hundred postings and rests as long as it took. An index that
is emptied meanwhile ends the change.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from docstore.global_index.definition import GlobalIndex
from docstore.global_index.live_index import LiveIndex
from docstore.global_index.lookups import asked_of
from docstore.global_index.postings import renamed
from docstore.global_index.renewing import renew
from docstore.global_index.resident import Resident
from docstore.global_index.term_salts import TermSalt, fan_max, named
from docstore.map_changes.salting import is_fan
from indexing.errors import DocstoreError, InvalidRequest, NotFound, Unavailable

STEP_POSTINGS = 400
"""Postings that are made or removed at once: some 3 ms for which readers wait."""

Write = Callable[[GlobalIndex], None]
"""Writes another map of an index down, durably."""


@dataclass(frozen=True, slots=True)
class TermChange:
    """A change of a term's fan: how many documents are under the term, and how long it took."""

    index: str
    value: Any
    fan: int
    documents: int
    seconds: float


def salt(index: LiveIndex, write: Write, value: Any, fan: object) -> TermChange:
    """Spread the postings of a value over `fan` index partitions; 1 gathers them again.

    Nothing is done when it is so already. Raises InvalidRequest for a fan that is none or too
    large, InvalidQuery for what is no value, NotFound for one without documents.
    """
    began = time.perf_counter()
    definition = index.definition
    most = fan_max(definition.partitions)
    if not is_fan(fan) or not isinstance(fan, int) or fan > most:
        raise InvalidRequest(
            f"a fan of {fan!r} is none for {definition.partitions} index partitions",
            hint=f"use a power of two up to {most}, or 1 to take the salt away",
            fan_max=most,
        )
    asked = asked_of((value,), {}, len(definition.fields))
    wanted = index.extractor.wanted(asked)
    if not wanted.is_one:
        raise InvalidRequest(
            f"{value!r} is not one value of the index {definition.name!r}",
            hint=f"give a value of each of: {', '.join(definition.fields)}",
        )
    _check_unmoved(index, index.begun)
    documents = index.files.frequency(wanted)
    before = definition.fan_of(wanted.terms[0])
    if fan != before:
        if fan > 1 and not documents:
            raise NotFound(
                f"no document of the index {definition.name!r} has {value!r}",
                hint="hot_terms() tells which values are hot; a new one is indexed within a second",
            )
        _move(index, write, TermSalt(wanted.terms[0], before, fan))
    return TermChange(definition.name, value, fan, documents, time.perf_counter() - began)


def _move(index: LiveIndex, write: Write, salt: TermSalt) -> None:
    begun = index.begun
    remove_unread(index, write)  # of a change that could not be ended
    _mapped(index, write, salt, is_spreading=True)
    try:
        index.flush(is_last=True)  # what was digested before has no postings under the other fan
        for _ in _made(index, salt):
            _check_unmoved(index, begun)
        index.flush(is_last=True)
        _check_unmoved(index, begun)
    except BaseException:
        with suppress(DocstoreError):  # else whoever opens the index next removes them
            _mapped(index, write, salt)
        tidy(index, write)
        raise
    _mapped(index, write, TermSalt(salt.term, salt.other or 1, salt.fan))
    remove_unread(index, write)
    for place in range(index.definition.partitions):
        # Lookups would decode what changed one by one until the next writes.
        index.change(partial(_renewed, place=place))


def _renewed(residents: Sequence[Resident], place: int) -> None:
    renew(residents[place], nullcontext(), is_last=True)


def _mapped(index: LiveIndex, write: Write, salt: TermSalt, *, is_spreading: bool = False) -> None:
    """Write down and take into use how the postings of one term are spread."""
    definition = index.definition
    kept = [each for each in definition.salts if each.term != salt.term]
    if salt.fan > 1 or salt.other is not None:
        kept.append(salt)
    changed = definition.changed(salts=sorted(kept, key=lambda each: each.term))
    write(changed)
    index.remap(changed, is_spreading=is_spreading)


def _check_unmoved(index: LiveIndex, begun: int) -> None:
    if index.begun != begun or not index.files.is_compared:
        raise Unavailable(
            f"the index {index.definition.name!r} is being filled again",
            hint="salt the value when it is ready",
            retryable=True,
        )


def _made(index: LiveIndex, salt: TermSalt) -> Iterator[int]:
    """Make the postings under the other fan, step by step."""
    definition, other = index.definition, salt.other or 1
    name = named(salt.term, other)

    def make(residents: Sequence[Resident], place: int, after: bytes) -> bytes | None:
        rows, further = residents[place].on_disk(salt.name, after, STEP_POSTINGS)
        made: dict[int, dict[bytes, bytes]] = {}
        for _, key, row in rows:
            target = definition.place_of(salt.term, key, other)
            made.setdefault(target, {})[key] = renamed(row, name)
        for target, put in made.items():
            now = residents[target].rows_of(list(put))
            residents[target].take({key: {**now[key], name: row} for key, row in put.items()})
        return further

    return _steps(index, definition.places_of(salt.term), make)


def remove_unread(index: LiveIndex, write: Write) -> None:
    """Remove the postings that no map reads, which a change of fan leaves or a crash left."""
    for salt in index.definition.salts:
        if salt.other is None:
            continue
        index.flush(is_last=True)  # what was digested before may have postings under both fans
        for _ in _removed(index, salt, index.definition.places_at(salt.term, salt.other)):
            pass
        index.flush(is_last=True)
        _mapped(index, write, replace(salt, other=None))


def tidy(index: LiveIndex, write: Write) -> None:
    """The same after opening; where it fails, nobody reads them and the next change tries again."""
    with suppress(DocstoreError):
        remove_unread(index, write)


def _removed(index: LiveIndex, salt: TermSalt, places: Sequence[int]) -> Iterator[int]:
    name = named(salt.term, salt.other or 1)

    def remove(residents: Sequence[Resident], place: int, after: bytes) -> bytes | None:
        resident = residents[place]
        rows, further = resident.on_disk(name, after, STEP_POSTINGS)
        now = resident.rows_of([key for _, key, _ in rows])
        resident.take(
            {
                key: {its: row for its, row in held.items() if its != name}
                for key, held in now.items()
            }
        )
        return further

    return _steps(index, places, remove)


def _steps(
    index: LiveIndex,
    places: Sequence[int],
    step: Callable[..., bytes | None],
) -> Iterator[int]:
    """Take step after step through some partitions, and write what they change."""
    for place in places:
        after: bytes | None = b""
        while after is not None:
            began = time.perf_counter()
            after = index.change(partial(step, place=place, after=after))
            index.flush_due()
            index.tend()
            time.sleep(time.perf_counter() - began)
            yield place
