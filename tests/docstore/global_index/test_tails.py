"""A tail is a state that its shard was in, wherever it is cut."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docstore.global_index.tails import read_tail
from docstore.shards.apply import Write
from docstore.shards.shard import Shard

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


def test_a_tail_is_read_while_the_log_grows_as_fast_as_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(Shard(tmp_path, 0, create=True)) as shard:
        reads = written = 0

        def write(many: int) -> None:
            # Each document is deleted when fifty others were written: some always are still to be.
            nonlocal written
            for _ in range(many):
                shard.write([Write(b"%d" % written, b"1", 0)])
                shard.write([Write(b"%d" % (written - 50), None, 0)])
                written += 1

        def growing(after: int, most: int) -> Any:
            nonlocal reads
            reads += 1
            write(60)
            return shard.tail(after, most)  # as of what memory holds no more

        write(200)
        monkeypatch.setattr(shard, "next_written", growing)
        tail = read_tail(shard, 0, 10)
        assert tail is not None
        assert reads <= 3
        kept = [key for key, record, _, _ in tail.documents if record is not None]
        assert len(kept) == 50
        assert tail.last == tail.seen
