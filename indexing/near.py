"""Words within some edits of a word, in bounded memory.

Invariant: the automata of one query stay small. Tantivy builds one for each near word before it
looks anything up, and each of its letters costs tens of kilobytes: a long enough text would end the
process, which cannot refuse a failed allocation.
"""

from tantivy import Query, Schema

from indexing.errors import InvalidQuery

NEAR_LETTERS_MAX = 2_000
"""Of all near words of one query together; about 70 MB while it runs."""


class NearWords:
    """Makes the near words of one query."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._letters = 0

    def query(
        self, column: str, word: str, edits: int, *, transpositions: bool = True, path: str
    ) -> Query:
        """The terms of a column within some edits of a word.

        Raises InvalidQuery, naming the path, when the query has more near words than fit.
        """
        self._letters += len(word)
        if self._letters > NEAR_LETTERS_MAX:
            raise InvalidQuery(
                f"the words to be matched fuzzily have more than {NEAR_LETTERS_MAX:,} letters",
                hint="ask for fewer words, or for long ones without fuzziness",
                path=path,
            )
        return Query.fuzzy_term_query(self._schema, column, word, edits, transpositions)


def edits_of(fuzziness: int | str, term: str) -> int:
    """How many edits a fuzziness allows of a term."""
    if isinstance(fuzziness, int):
        return fuzziness
    return 0 if len(term) < 3 else 1 if len(term) < 6 else 2
