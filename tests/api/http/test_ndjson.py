"""Lines cut from chunks: the same lines however the body is cut, and never more than one kept."""

from hypothesis import given
from hypothesis import strategies as st

from api.http.ndjson import Line, Lines

BYTES_MAX = 5


def lines_of(chunks: list[bytes]) -> list[Line]:
    lines = Lines(BYTES_MAX)
    found = [line for chunk in chunks for line in lines.feed(chunk)]
    return found + lines.end()


@given(st.lists(st.binary(max_size=12).map(lambda data: data.replace(b"a", b"\n")), max_size=12))
def test_lines_are_the_same_however_the_body_is_cut(chunks: list[bytes]) -> None:
    body = b"".join(chunks)
    expected = []
    for number, data in enumerate(body.split(b"\n"), 1):
        if len(data) > BYTES_MAX:
            expected.append(Line(number, None))
        elif data.strip():
            expected.append(Line(number, data))
    assert lines_of(chunks) == expected


def test_of_a_line_that_is_too_long_nothing_is_kept() -> None:
    lines = Lines(BYTES_MAX)
    for _ in range(1000):
        assert lines.feed(b"xxxx") == []
    assert sum(map(len, lines._pieces)) <= BYTES_MAX
    assert lines.feed(b"x\ny\n") == [Line(1, None), Line(2, b"y")]
