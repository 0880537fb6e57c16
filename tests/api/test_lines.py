"""Lines of files, whatever their ends, their compression and the chunks they arrive in."""

import gzip
import io
import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.lines import Line, Reader, source_of, split_lines
from docstore import InvalidRequest, NotFound


def read(*files: Path, done: dict[str, int] | None = None) -> list[Line]:
    return list(Reader([source_of(str(file)) for file in files]).lines(done or {}))


@given(st.lists(st.binary().filter(lambda line: b"\n" not in line)), st.integers(1, 50))
def test_lines_do_not_depend_on_the_chunks(lines: list[bytes], chunk_bytes: int) -> None:
    data = b"".join(line + b"\n" for line in lines)
    found = list(split_lines(io.BytesIO(data), chunk_bytes))
    if data.startswith(b"\xef\xbb\xbf"):
        return
    assert found == [(line, False) for line in lines]


def test_the_last_line_needs_no_end() -> None:
    assert list(split_lines(io.BytesIO(b"a\nb"))) == [(b"a", False), (b"b", False)]


def test_a_byte_order_mark_is_dropped() -> None:
    assert list(split_lines(io.BytesIO(b"\xef\xbb\xbf{}\n"))) == [(b"{}", False)]


def test_a_line_that_is_too_long_is_cut_and_the_next_one_is_whole() -> None:
    stream = io.BytesIO(b"x" * 100 + b"\nshort\n")
    assert list(split_lines(stream, 8, 20)) == [(b"x" * 20, True), (b"short", False)]


def test_blank_lines_are_passed_over_but_counted(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(b"one\n\n  \r\nfour\n")
    assert [(line.number, line.data) for line in read(file)] == [(1, b"one"), (4, b"four")]


def test_gzip_is_known_by_its_content(tmp_path: Path) -> None:
    file = tmp_path / "no-telling-name"
    file.write_bytes(gzip.compress(b"one\ntwo\n"))
    assert [line.data for line in read(file)] == [b"one", b"two"]


def test_lines_that_are_done_are_not_read_again(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_bytes(b"1\n2\n3\n")
    second.write_bytes(b"4\n")
    identity = source_of(str(first)).identity
    assert identity is not None
    assert [line.data for line in read(first, second, done={identity: 2})] == [b"3", b"4"]


def test_truncated_gzip_gives_what_it_holds_and_then_an_error(tmp_path: Path) -> None:
    file = tmp_path / "a.gz"
    whole = gzip.compress(b"".join(b"%d\n" % number for number in range(50_000)))
    file.write_bytes(whole[: len(whole) // 2])
    lines = Reader([source_of(str(file))]).lines({})
    assert next(lines).data == b"0"
    with pytest.raises(InvalidRequest, match="not whole gzip after line"):
        list(lines)


def test_bytes_read_reach_the_size_on_disk(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a", tmp_path / "b.gz"
    plain.write_bytes(b"one\n")
    packed.write_bytes(gzip.compress(b"two\n"))
    reader = Reader([source_of(str(plain)), source_of(str(packed))])
    assert len(list(reader.lines({}))) == 2
    assert reader.bytes_read == reader.bytes_total == 4 + packed.stat().st_size


def test_a_changed_file_is_another_source(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"1\n")
    before = source_of(str(file))
    file.write_bytes(b"1\n2\n")
    assert source_of(str(file)).identity != before.identity


def test_generated_keys_are_version_7_uuids_that_depend_on_file_and_line(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    for file in (first, second):
        file.write_bytes(b"{}\n")
    source, other = source_of(str(first)), source_of(str(second))
    keys = [source.key_of(line) for line in (1, 2, 300, 2**37)]
    assert keys == sorted(keys) == [source.key_of(line) for line in (1, 2, 300, 2**37)]
    assert len({*keys, other.key_of(1)}) == 5
    assert {(uuid.UUID(key).version, uuid.UUID(key).variant) for key in keys} == {
        (7, uuid.RFC_4122)
    }


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there is no file"):
        source_of(str(tmp_path / "none"))
    with pytest.raises(InvalidRequest, match="is a directory"):
        source_of(str(tmp_path))
