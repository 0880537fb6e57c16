"""One covered field of many postings as arrays: compared and ordered without decoding any.

A number, a date too, is a float; any other value is a number of a table of the
values that occur. Where that would not be exact (whole numbers beyond 2^53), where values are of
several kinds, and for lists, the values themselves are compared: right first, quick where it is
usual. Immutable.
"""

from collections.abc import Sequence
from functools import cached_property
from types import NoneType
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from docstore.global_index.merging import Merge
from docstore.global_index.readings import order_value
from docstore.global_index.wanted import Held, Present, Values
from docstore.queries.ordering import order_key

Numbers = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]

_EXACT_MAX = 2**53


class Column:
    """The comparable values of one field, in the order of the postings they are of."""

    def __init__(self, values: Sequence[Any]) -> None:
        self.values = values
        self.coded: list[Any] = []
        self._code_of: dict[Any, int] = {}
        self._has_lists = False
        self._is_exact = True
        numbers = np.full(len(values), np.nan)
        codes: Codes = np.full(len(values), -1, np.int32)
        kinds = set(map(type, values))
        if kinds <= {int, float}:
            numbers = self._floats(values)
        elif kinds <= {str, NoneType}:
            self.coded = [value for value in dict.fromkeys(values) if value is not None]
            self._code_of = {value: code for code, value in enumerate(self.coded)}
            code_of = {**self._code_of, None: -1}
            codes = np.fromiter(map(code_of.__getitem__, values), np.int32, len(values))
        else:
            self._spread(values, numbers, codes)
        self.numbers: Numbers = numbers
        self.codes: Codes = codes

    def merged(self, merge: Merge, values: Sequence[Any]) -> "Column":
        """A column without the values that go, with new ones between those that stay."""
        kept, new = merge.values(self.values, values), Column(values)
        if len(self.coded) > 2 * len(kept):
            return Column(kept)  # most of its table is of values that are gone
        found = Column(())
        found.values, found.coded, found._code_of = kept, [*self.coded], {**self._code_of}
        codes = np.full(len(new.coded) + 1, -1, np.int32)
        for code, value in enumerate(new.coded):
            name = orjson.dumps(value) if type(value) is list else value
            codes[code] = known = found._code_of.setdefault(name, len(found.coded))
            if known == len(found.coded):
                found.coded.append(value)
        found._has_lists = self._has_lists or new._has_lists
        found._is_exact = self._is_exact and new._is_exact
        found.numbers = merge.array(self.numbers, new.numbers)
        found.codes = merge.array(self.codes, codes[new.codes])
        return found

    def _floats(self, values: Sequence[Any]) -> Numbers:
        try:
            numbers = np.array(values, np.float64)
        except OverflowError:
            self._is_exact = False
            return np.full(len(values), np.nan)
        if len(numbers) and np.abs(numbers).max() >= _EXACT_MAX:
            self._is_exact = False
        return numbers

    def _spread(self, values: Sequence[Any], numbers: Numbers, codes: Codes) -> None:
        code_of, coded = self._code_of, self.coded
        at: list[int] = []
        found: list[Any] = []
        spread: list[int] = []
        names: dict[int, bytes] = {}  # of lists, which several postings of a document share
        for place, value in enumerate(values):
            kind = type(value)
            if kind is int or kind is float:
                at.append(place)
                found.append(value)
                spread.append(-1)
            elif value is None:
                spread.append(-1)
            else:
                name = value
                if kind is list:
                    self._has_lists = True
                    name = names.get(id(value)) or names.setdefault(id(value), orjson.dumps(value))
                code = code_of.get(name)
                if code is None:
                    code = code_of[name] = len(coded)
                    coded.append(value)
                spread.append(code)
        numbers[at] = self._floats(found)
        codes[:] = spread

    @cached_property
    def _is_mixed(self) -> bool:
        """Whether 7 and 7.0 may both be here."""
        return {int, float} <= set(map(type, self.values))

    def mask(self, test: Held, first: int, last: int) -> Mask:
        """Which of the postings from `first` to before `last` meet a condition."""
        found = self._matching(test, first, last)
        return ~found if test.is_negated else found

    def _matching(self, test: Held, first: int, last: int) -> Mask:
        numeric = test.numeric
        if numeric is None or not self._is_exact:
            each = self.values[first:last]
            return np.fromiter(map(test.matches, each), np.bool_, last - first)
        numbers = self.numbers[first:last]
        asked = test.condition.asked
        if isinstance(asked, Present):
            return (self.codes[first:last] >= 0) | ~np.isnan(numbers)
        found = np.zeros(last - first, np.bool_)
        for lower, upper, with_lower, with_upper in numeric:
            if lower == upper and with_lower and with_upper:
                found |= numbers == lower
                continue
            above = numbers >= lower if with_lower else numbers > lower
            found |= above & (numbers <= upper if with_upper else numbers < upper)
        if self.coded and (self._has_lists or not test.is_numeric_only):
            found |= self._coded(test, first, last)
        return found

    def _coded(self, test: Held, first: int, last: int) -> Mask:
        codes = self.codes[first:last]
        asked = test.condition.asked
        if isinstance(asked, Values) and not self._has_lists:
            wanted = [
                code
                for value in asked.values
                if isinstance(value, str | bool) and (code := self._code_of.get(value)) is not None
            ]
            found = np.zeros(last - first, np.bool_)
            for code in wanted:
                found |= codes == code
            return found
        table = np.fromiter(map(test.matches, self.coded), np.bool_, len(self.coded))
        return (codes >= 0) & table[codes]

    @cached_property
    def _ranks(self) -> Numbers | None:
        """The place of every coded value among them, then NaN for none; None when not alike."""
        if self._has_lists or not np.isnan(self.numbers).all():
            return None
        ordered = sorted(
            range(len(self.coded)), key=lambda code: order_key(self.coded[code], False)
        )
        ranks = np.full(len(ordered) + 1, np.nan)
        ranks[ordered] = np.arange(len(ordered))
        return ranks

    def _orders(self, places: Places) -> Numbers | None:
        """Floats that compare as the values do, NaN for missing; None when there are none such."""
        if self.coded:
            ranks = self._ranks
            return None if ranks is None else ranks[self.codes[places]]
        if self._has_lists or not self._is_exact:
            return None
        return self.numbers[places]

    def first(self, places: Places, most: int, *, descending: bool) -> Places:
        """The postings of the first values, with all that equal the last of them, unordered."""
        if most <= 0 or most >= len(places):
            return places[:0] if most <= 0 else places
        orders = self._orders(places)
        if orders is None:
            keyed = [
                order_key(order_value(self.values[at], descending=descending), descending)
                for at in places.tolist()
            ]
            last = sorted(keyed)[most - 1]
            return places[[not last < each for each in keyed]]
        if descending:
            orders = -orders
        bound = np.partition(orders, most - 1)[most - 1]
        return places if np.isnan(bound) else places[orders <= bound]

    def floats(self, places: Places) -> Numbers | None:
        """The numbers of some postings, of those that have one; None where they are not exact."""
        if self.coded or not self._is_exact:
            return None
        numbers = self.numbers[places]
        return numbers[~np.isnan(numbers)]

    def counts(self, places: Places) -> dict[Any, int]:
        """How many of some postings hold each value, by `name_of`; of a list each, once."""
        if not self._is_exact or self._has_lists or self._is_mixed:
            return counted([self.values[at] for at in places.tolist()])
        found: dict[Any, int] = {}
        numbers = self.numbers[places]
        present = ~np.isnan(numbers)
        if present.any():
            # A place of each value, for what it looks like: 7, not 7.0.
            _, firsts, many = np.unique(numbers[present], return_index=True, return_counts=True)
            shown = places[present][firsts].tolist()
            found = {
                name_of(self.values[at]): n for at, n in zip(shown, many.tolist(), strict=True)
            }
        codes = self.codes[places]
        many = np.bincount(codes[codes >= 0], minlength=len(self.coded)).tolist()
        found.update((name_of(value), n) for value, n in zip(self.coded, many, strict=True) if n)
        return found


def name_of(value: Any) -> tuple[bool, Any]:
    """What tells values apart that are equal to Python: True is not 1."""
    return isinstance(value, bool), value


def count_in(found: dict[Any, int], name: tuple[bool, Any], documents: int) -> None:
    """Count a value by its name; where 7 and 7.0 occur it looks like 7, as elsewhere."""
    if type(name[1]) is int:
        documents += found.pop(name, 0)  # a name that is there would stay what it looks like
        found[name] = documents
    else:
        found[name] = found.get(name, 0) + documents


def counted(values: Sequence[Any]) -> dict[Any, int]:
    """How many of some values each is, by `name_of`; a list counts under each of its own, once."""
    found: dict[Any, int] = {}
    for value in values:
        if type(value) is list:
            once: dict[Any, int] = {}
            for one in value:
                count_in(once, name_of(one), 0)
            for name in once:
                if name[1] is not None:
                    count_in(found, name, 1)
        elif value is not None:
            count_in(found, name_of(value), 1)
    return found
