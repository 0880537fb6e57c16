"""A tail is a state that its shard was in, wherever it is cut."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docstore.apply import Write
from docstore.global_index.tails import read_tail
from docstore.shard import Shard

WRITES = st.lists(
    st.tuples(st.sampled_from([b"a", b"b", b"c"]), st.booleans()), min_size=1, max_size=12
)


@settings(max_examples=60, deadline=None)
@given(WRITES, st.integers(1, 4))
def test_a_tail_shows_its_documents_as_of_its_last_entry(
    tmp_path_factory: pytest.TempPathFactory, writes: list[tuple[bytes, bool]], most: int
) -> None:
    directory: Path = tmp_path_factory.mktemp("shard")
    shard = Shard(directory, 0, create=True)
    history: list[dict[bytes, bytes]] = [{}]
    for number, (key, is_put) in enumerate(writes):
        body = b"%d" % number
        shard.write([Write(key, body if is_put else None, 0)])
        if shard.head == len(history):
            now = {**history[-1], key: body}
            history.append(now if is_put else {k: v for k, v in now.items() if k != key})
    seen: dict[bytes, bytes] = {}
    after = 0
    while after < shard.head:
        tail = read_tail(shard, after, most)
        assert tail is not None
        for key, record, document, _ in tail.documents:
            seen.pop(key, None)
            if record is not None:
                seen[key] = record.body
                assert document == int(record.body)
        after = tail.last
        assert seen == history[after]
    assert read_tail(shard, shard.head, most) is None
    shard.close()
