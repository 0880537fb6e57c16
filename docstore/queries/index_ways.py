"""Ways to answer a search from global indexes, and what each would cost; pure.

A way is one index, covered (only the hits of the page are read) or with fetches (every candidate is
read and confirmed), or two indexes whose candidates are intersected and then read. Prices are
microseconds on one core as the router's are: only their order matters. An index that cannot answer
exactly is refused with the reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal, NamedTuple

from docstore.global_index.offers import Offer
from docstore.global_index.wanted import Condition, Values, Wanted
from docstore.queries.global_need import Clause, Need
from docstore.types import Candidate
from indexing.errors import InvalidQuery

TAIL_MAX = 2_000
"""Entries that a search digests before it is answered; of a longer tail, a scatter is cheaper."""
_LOOKUP_PRICE = 60.0
_PARTITION_PRICE = 15.0
_CANDIDATE_PRICE = 0.02
"""A candidate held against a condition, or put in order: arrays."""
_SHOWN_PRICE = 4.0
"""A candidate decoded for the page."""
_KEY_PRICE = 0.5
_FETCH_PRICE = 15.0
"""A document read, decoded and held against the query."""
_ENTRY_PRICE = 40.0
"""An entry of the tail digested."""
_PASSING = 0.3
"""The share of candidates that meet one more condition, where nothing is known of it."""


@dataclass(frozen=True, slots=True)
class Part:
    """What is asked of one index, and about how many documents it has of it.

    About `passing` of the `found` meet the conditions too, and are among the `also` under each of
    the other terms asked for.
    """

    offer: Offer
    wanted: Wanted
    conditions: tuple[Condition, ...]
    left: tuple[Clause, ...]
    found: int
    also: tuple[int, ...] = ()
    passing: float = 0.0

    @property
    def name(self) -> str:
        """The index's name."""
        return self.offer.definition.name


@dataclass(frozen=True, slots=True)
class Way:
    """One way, priced. `fetches`: every candidate is read; `fan_out` index partitions are asked."""

    name: Literal["global_covered", "global_fetch", "global_intersection"]
    parts: tuple[Part, ...]
    price: float
    reason: str
    fan_out: int

    @property
    def fetches(self) -> bool:
        """Whether every candidate is read and confirmed."""
        return self.name != "global_covered"

    def as_candidate(self) -> Candidate:
        """The way as plans show it."""
        names = tuple(part.name for part in self.parts)
        return Candidate(self.name, (), self.price, self.reason, names)


@dataclass(frozen=True, slots=True)
class Terms:
    """What prices depend on beside the query: freshness, the page's end, who asks."""

    is_any: bool
    window: int
    is_forced: bool = False
    may_fetch: bool = True


def ways_of(need: Need, offers: Sequence[Offer], terms: Terms) -> tuple[list[Way], list[Candidate]]:
    """The ways there are, cheapest first, and the indexes that cannot answer, with reasons."""
    ways: list[Way] = []
    refused: list[Candidate] = []
    parts: list[Part] = []
    for offer in offers:
        name = offer.definition.name
        part = _part_of(need, offer, terms)
        if isinstance(part, str):
            refused.append(Candidate("global_index", (), float("inf"), part, (name,)))
            continue
        parts.append(part)
    shares = _shares(parts)
    parts = [replace(part, passing=_passing(part, shares)) for part in parts]
    ways += [_alone(need, part, terms) for part in parts]
    if terms.may_fetch:
        for one, other in combinations(parts, 2):
            if one.offer.definition.field != other.offer.definition.field:
                ways.append(_together(one, other))
    ways.sort(key=lambda way: way.price)
    return ways, refused


def _shares(parts: Sequence[Part]) -> dict[str, float]:
    """The share of all documents that meets what is asked of a field, where an index knows."""
    documents = max((part.offer.documents for part in parts), default=0) or 1
    return {
        part.offer.definition.field: min(1.0, part.found / documents)
        for part in parts
        if len(part.offer.definition.fields) == 1
    }


def _passing(part: Part, shares: Mapping[str, float]) -> float:
    passing = float(part.found)
    for found in part.also:
        passing *= min(1.0, found / max(part.offer.documents, 1))
    for condition in part.conditions:
        share = shares.get(condition.field, _PASSING)
        passing *= 1 - _PASSING if condition.negated else share
    return passing


def _part_of(need: Need, offer: Offer, terms: Terms) -> Part | str:
    """What to ask of an index, or why it cannot be asked."""
    if need.refusal is not None:
        return need.refusal
    refusal = offer.refusal(is_forced=terms.is_forced)
    if refusal is not None:
        return refusal
    if offer.lag > TAIL_MAX and not terms.is_any and not terms.is_forced:
        return f"{offer.lag:,} entries are not in the index yet, more than are read on the way"
    asked = need.known.get(offer.live.extractor)
    if asked is None:
        asked = _asked(need, offer)
        if not offer.live.extractor.has_words:  # else the rarest word leads, which may change
            need.known[offer.live.extractor] = asked
    if isinstance(asked, str):
        return asked
    wanted, conditions, left, found = asked
    if not found:
        found = (offer.frequency(wanted),)
    part = Part(offer, wanted, conditions, left, found[0], found[1:])
    if not terms.may_fetch and _unconfirmed(need, part) is not None:
        return "every candidate has to be read, and a partial answer was asked for"
    return part


class _Asked(NamedTuple):
    """What an index is asked; `found` where documents had to be counted to tell it."""

    wanted: Wanted
    conditions: tuple[Condition, ...]
    left: tuple[Clause, ...]
    found: tuple[int, ...]


def _asked(need: Need, offer: Offer) -> _Asked | str:
    """What a question comes to for an index, or why it cannot be asked, whatever is in it."""
    holding = [clause for clause in need.clauses if not clause.negated]
    fields = offer.definition.fields
    missing = [path for path in fields if all(clause.path != path for clause in holding)]
    if missing:
        # Documents without one of its fields are not in the index.
        return f"the query asks for no value, range or prefix of {missing[0]!r}"
    used: list[Clause] = []
    for path in fields:
        used.append(next(clause for clause in holding if clause.path == path))
        if not isinstance(used[-1].asked, Values):
            break
    try:
        found, wanted, also = _looked_up(offer, used, holding)
    except InvalidQuery as error:
        return error.message
    rest = [clause for clause in need.clauses if clause not in (*used, *also)]
    covered = [clause for clause in rest if offer.covers(clause.path)]
    left = tuple(clause for clause in rest if not offer.covers(clause.path))
    return _Asked(wanted, tuple(clause.as_condition() for clause in covered), left, tuple(found))


def _looked_up(
    offer: Offer, used: Sequence[Clause], holding: Sequence[Clause]
) -> tuple[list[int], Wanted, list[Clause]]:
    """How many documents are under what is looked up, the rarest first, what that is, and which
    clauses it meets beside those used.

    They are counted only of words. Of several words that all must be there, the rarest leads, and
    the others are looked up too. Raises InvalidQuery.
    """
    extractor = offer.live.extractor
    if not extractor.has_words or not extractor.is_single:
        wanted = extractor.wanted([clause.asked for clause in used])
        return [], wanted, []
    words = [clause for clause in holding if clause.path == used[0].path]
    each = [extractor.wanted([clause.asked]) for clause in words]
    ranked = sorted(((offer.frequency(one), at) for at, one in enumerate(each)))
    first, *others = [each[at] for _, at in ranked]
    return [found for found, _ in ranked], replace(first, also=tuple(others)), words


def _unconfirmed(need: Need, part: Part) -> str | None:
    """Why the index alone does not say which documents match and in what order, or None."""
    if need.rest:
        return "a condition that only documents tell"
    if part.left:
        return f"{part.left[0].path!r}, which it does not include"
    if need.order is not None and not orders(part.offer, need):
        return f"the order by {need.order[0].path!r}, which it does not include"
    return None


def orders(offer: Offer, need: Need) -> bool:
    """Whether an index's rows say how documents are ordered."""
    if need.order is None:
        return True
    reader, _ = need.order
    definition = offer.definition
    carried = definition.covers_all or reader.path in definition.include
    return carried or (reader.is_single and definition.fields == (reader.path,))


def _alone(need: Need, part: Part, terms: Terms) -> Way:
    offer = part.offer
    asked = offer.partitions_of(part.wanted)
    price = _LOOKUP_PRICE + _PARTITION_PRICE * len(asked)
    price += _CANDIDATE_PRICE * part.found * (1 + len(part.conditions))
    if part.also:
        price += _KEY_PRICE * (part.found + sum(part.also))
    shown = f"about {part.found:,} candidates in {len(asked)} of {offer.partitions} partitions"
    fan = offer.fan(part.wanted)
    if fan > 1:
        shown = f"{shown}, one term spread over {fan}"
    unconfirmed = _unconfirmed(need, part)
    if unconfirmed is not None:
        price += _FETCH_PRICE * part.passing + _ENTRY_PRICE * offer.lag
        reason = f"{shown}, each read for {unconfirmed}"
        return Way("global_fetch", (part,), price, reason, len(asked))
    if not terms.is_any:
        price += _ENTRY_PRICE * offer.lag
    price += _SHOWN_PRICE * min(part.passing, terms.window)
    return Way("global_covered", (part,), price, f"{shown}, all it asks for is there", len(asked))


def _together(one: Part, other: Part) -> Way:
    partitions = [len(each.offer.partitions_of(each.wanted)) for each in (one, other)]
    documents = max(one.offer.documents, other.offer.documents, 1)
    left = one.passing * other.passing / documents
    price = 2 * _LOOKUP_PRICE + _PARTITION_PRICE * sum(partitions) + _FETCH_PRICE * left
    price += sum(_ENTRY_PRICE * each.offer.lag for each in (one, other))
    price += sum(
        _CANDIDATE_PRICE * each.found * (1 + len(each.conditions)) for each in (one, other)
    )
    price += sum(_KEY_PRICE * (each.found + sum(each.also)) for each in (one, other) if each.also)
    price += _KEY_PRICE * (one.passing + other.passing)
    reason = (
        f"about {one.passing:,.0f} and {other.passing:,.0f} candidates, "
        f"about {left:,.0f} in both, which are read"
    )
    return Way("global_intersection", (one, other), price, reason, sum(partitions))
