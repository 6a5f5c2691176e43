"""Promises of the pictures: nothing lies on anything else, edges go right, and the same is the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mesh_assets.capabilities.portal.drawn import Axis, Node, draw_graph
from mesh_assets.capabilities.portal.layers import Size, lay_out
from mesh_assets.capabilities.portal.looks import WELL

NAMES = st.sampled_from([f"n{number}" for number in range(14)])


@given(st.lists(st.tuples(NAMES, NAMES), max_size=30))
def test_nodes_never_overlap_and_edges_reach_their_nodes(edges: list[tuple[str, str]]) -> None:
    names = sorted({name for edge in edges for name in edge} | {"alone"})
    size = Size()

    found = lay_out(names, edges, size)

    boxes = sorted(found.nodes.values())
    for (x, y), (other_x, other_y) in pairwise(boxes):
        assert other_x >= x + size.width or other_y >= y + size.height or x != other_x
    for (start, end), points in found.edges.items():
        ends = {points[0], points[-1]}
        middle = {(x + size.width, y + size.height / 2) for x, y in (found.nodes[start], found.nodes[end])}
        assert ends & middle
    assert found == lay_out(reversed(names), reversed(edges), size)


@given(
    st.sets(
        st.tuples(st.integers(0, 13), st.integers(0, 13)).filter(lambda edge: edge[0] < edge[1]), max_size=30
    )
)
def test_in_a_graph_without_circles_every_edge_goes_to_the_right(edges: set[tuple[int, int]]) -> None:
    named = [(f"n{a:02}", f"n{b:02}") for a, b in edges]
    found = lay_out({name for edge in named for name in edge}, named)

    assert all(found.nodes[start][0] < found.nodes[end][0] for start, end in named)


def test_two_hundred_domains_are_drawn_side_by_side() -> None:
    names = [f"domain_{number:03}" for number in range(200)]
    edges = [(names[number // 3], names[number]) for number in range(3, 200)]

    svg = draw_graph([Node(name, name, "5 products", WELL) for name in names], edges, "mesh")

    assert svg.count('class="node') == 200
    assert svg.count("<path") == len(edges)


@given(st.integers(1, 5_000_000), st.integers(0, 10**9))
def test_an_axis_has_few_round_ticks_inside_it(minutes: int, start: int) -> None:
    begin = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(seconds=start)
    axis = Axis(begin, begin + timedelta(minutes=minutes), 0, 100)

    ticks = axis.ticks()

    assert len(ticks) <= 7
    assert all(begin <= tick <= axis.end for tick in ticks)
    assert all(0 <= axis.x(tick) <= 100 for tick in ticks)
