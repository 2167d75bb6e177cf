"""Tables of bytes do what a loop over their rows would do."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dvr_ryu.pipeline.compile.byte_table import overlay, split_rows, varying_columns

patterns = st.binary(min_size=1, max_size=12)


@given(patterns, st.integers(1, 9), st.data())
def test_columns_are_laid_over_every_row(pattern: bytes, rows: int, drawn: st.DataObject):
    start, end = sorted(drawn.draw(st.tuples(*2 * [st.integers(0, len(pattern))])))
    cells = st.binary(min_size=end - start, max_size=end - start)
    own = drawn.draw(st.lists(cells, min_size=rows, max_size=rows))
    table = overlay(pattern, rows, [(start, b"".join(own))])
    assert split_rows(table, len(pattern)) == tuple(
        pattern[:start] + each + pattern[end:] for each in own
    )


@given(
    st.integers(1, 5).flatmap(
        lambda size: st.lists(st.binary(min_size=size, max_size=size), min_size=1)
    )
)
def test_what_varies_is_found_and_makes_the_rows_of_any_of_them(rows: list[bytes]):
    length = len(rows[0])
    columns = list(varying_columns(b"".join(rows), length))
    assert [at for at, _ in columns] == [
        at for at in range(length) if len({row[at] for row in rows}) > 1
    ]
    assert split_rows(overlay(rows[-1], len(rows), columns), length) == tuple(rows)
    assert list(varying_columns(b"".join(rows), length, 1)) == [
        each for each in columns if each[0] < 1
    ]
