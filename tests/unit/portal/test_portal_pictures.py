"""Promises of the pictures: nothing lies on anything else, edges go right, and the same is the same."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qs

from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from mesh_assets.capabilities.portal.app import make_app, make_site
from mesh_assets.capabilities.portal.drawn import Axis, Node, draw_graph
from mesh_assets.capabilities.portal.folding import ACROSS, MANY, fold
from mesh_assets.capabilities.portal.layers import Size, lay_out, layers_of
from mesh_assets.capabilities.portal.lineage_query import LineageQuery, read_lineage_query
from mesh_assets.capabilities.portal.looks import WELL
from mesh_assets.capabilities.registry import open_registry
from mesh_assets.words.portal import read_portal_settings
from tests.portal import HOME, HTML, make_many

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


LARGE = [f"d{number:03}" for number in range(200)]
LINKS = [(LARGE[number // 3], LARGE[number]) for number in range(3, 200)]
SOME = st.sets(st.sampled_from(LARGE), max_size=30)


def test_a_mesh_that_can_be_read_is_folded_nowhere() -> None:
    assert fold(LARGE[:MANY], LINKS) == []


@given(opened=SOME, unwell=SOME, unfolded=st.sets(st.integers(1, 9)))
def test_of_many_domains_each_is_shown_or_folded_with_others_of_its_layer(
    opened: set[str], unwell: set[str], unfolded: set[int]
) -> None:
    layer_of = layers_of(LARGE, LINKS)

    folds = fold(LARGE, LINKS, opened=opened, unwell=unwell, unfolded=unfolded)

    away = [name for each in folds for name in each.names]
    assert len(away) == len(set(away))
    assert all(len(each.names) > 1 and each.layer not in unfolded for each in folds)
    assert all({layer_of[name] + 1 for name in each.names} == {each.layer} for each in folds)
    assert not set(away) & opened
    rows = {each.layer: [name for name in LARGE if layer_of[name] + 1 == each.layer] for each in folds}
    for each in folds:
        named = set(rows[each.layer]) - opened - set(each.names)
        beside = {name for edge in LINKS if set(edge) & opened for name in edge}
        urgent = set(rows[each.layer]) & (unwell | beside) - opened
        assert named <= urgent or urgent <= named  # whoever is not well is named before others


def test_a_long_chain_of_domains_folds_to_the_width_of_a_page() -> None:
    chain = [(LARGE[number], LARGE[number + 1]) for number in range(199)]

    folds = fold(LARGE, chain, unwell=LARGE[100:101])

    assert len(folds) == ACROSS
    assert sum(len(each.names) for each in folds) == 200 - 3  # it, and its neighbours


@given(
    opened=SOME,
    unfolded=st.sets(st.integers(1, 99)),
    whole=st.booleans(),
    zoom=st.sampled_from(["", "whole", "large"]),
)
def test_what_is_asked_of_the_picture_is_read_as_it_is_written(
    opened: set[str], unfolded: set[int], whole: bool, zoom: str
) -> None:
    asked = LineageQuery(tuple(LARGE), frozenset(opened), frozenset(unfolded), whole, zoom)
    read = read_lineage_query(parse_qs(asked.text.lstrip("?")), LARGE)

    assert read == replace(asked, unfolded=frozenset() if whole else asked.unfolded)
    assert asked.opening(set(LARGE) - opened).text.count("d") <= len(opened) + 2
    name = LARGE[7]
    toggled = read_lineage_query(parse_qs(asked.toggled()[name].lstrip("?")), LARGE)
    assert toggled.opened == opened ^ {name}


def test_a_large_mesh_folds_and_unfolds_by_links(tmp_path: Path) -> None:
    settings = make_many(tmp_path)
    with open_registry(settings) as registry:
        client = TestClient(
            make_app(make_site(settings, read_portal_settings({}), registry, patience=60)), base_url=HOME
        )
        page, open_one, third, whole = (
            client.get(f"/-/lineage{query}", headers=HTML).text
            for query in ("", "?open=d59", "?unfold=3", "?unfold=*")
        )
        beside = client.get("/d59", headers=HTML).text
    folded = re.findall(r'href="/-/lineage\?unfold=(\d)" aria-label="Show (\d+) more domains', page)
    assert folded == [("1", "10"), ("2", "10"), ("3", "10")]
    assert all(f">{name}</text>" in open_one for name in ("numbers", "d39"))
    for shown in (page, open_one, third, whole):
        kept, away = (
            shown.count('class="node'),
            [int(each) for each in re.findall(r'aria-label="Show (\d+)', shown)],
        )
        assert kept - len(away) + sum(away) == 60
    assert all(f">d{number}</text>" in third for number in range(40, 60))
    assert "Show " not in whole
    assert "Fold again" in whole
    assert beside.count('class="node') == 2
    assert '58 more are further away. <a href="/-/lineage?open=d59">' in beside


@given(st.integers(1, 5_000_000), st.integers(0, 10**9))
def test_an_axis_has_few_round_ticks_inside_it(minutes: int, start: int) -> None:
    begin = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(seconds=start)
    axis = Axis(begin, begin + timedelta(minutes=minutes), 0, 100)

    ticks = axis.ticks()

    assert len(ticks) <= 7
    assert all(begin <= tick <= axis.end for tick in ticks)
    assert all(0 <= axis.x(tick) <= 100 for tick in ticks)
