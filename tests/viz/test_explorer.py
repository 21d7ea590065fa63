"""The explorer's page: what is in it, that it fetches nothing, and that names cannot act."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from html.parser import HTMLParser

import pytest

import tensorgrad as tg
from tensorgrad import nn, viz
from tensorgrad.primitive import push_scope


def parts(page):
    """The page's policy, data, styles and scripts, as a browser would take them."""
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)[1]
    scripts = re.findall(r"<script>(.*?)</script>", page, re.S)
    styles = re.findall(r"<style>(.*?)</style>", page, re.S)
    return policy, json.loads(data), styles, scripts


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen = []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        for name, _ in attrs:
            assert not name.startswith("on")
            assert name not in ("src", "href", "srcdoc", "style", "action")


@pytest.fixture
def explored():
    tg.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    with viz.record() as recording:
        loss = nn.CrossEntropyLoss()(model(tg.ones(5, 4)), tg.tensor([0, 1, 2, 0, 1]))
    with viz.trace_backward(loss) as trace:
        loss.backward()
    return viz.explore(loss, trace, recording, model)


def test_the_data_has_values_gradients_formulas_and_lines(explored):
    data = explored.data
    assert data["kind"] == "explorer"
    relu = next(node for node in data["nodes"] if node["op"] == "relu")
    assert relu["values"][0]["shape"] == [5, 8]
    assert relu["values"][0]["min"] >= 0
    assert relu["backward"]
    assert relu["forward"]
    excerpt = data["lines"][relu["source"]]
    assert excerpt["text"][excerpt["line"] - excerpt["first"]].strip().startswith("loss = nn.Cross")
    assert relu["place"][0].endswith("test_explorer.py")
    assert len(data["steps"]) == 8
    leaves = [node["name"] for node in data["nodes"] if node["kind"] == "leaf"]
    assert leaves == ["0.weight", "0.bias", "2.weight", "2.bias"]
    for step in data["steps"]:
        assert step["nodes"]
        assert step["stats"][0]["norm"] > 0


def test_what_was_not_kept_is_missing_and_never_zero():
    x = tg.ones(3, requires_grad=True)
    y = tg.ones(3, requires_grad=True)
    loss = (x * 2).sum()
    data = viz.explore((loss, y.exp().sum())).data
    assert data["traced"] is data["recorded"] is False
    assert data["steps"] == []
    assert all(not node.get("values") for node in data["nodes"])
    assert [leaf["grad"] for leaf in data["leaves"]] == [None, None]
    with viz.trace_backward(loss) as trace:
        loss.backward()
    data = viz.explore((loss, y.exp().sum()), trace).data
    reached = {node for step in data["steps"] for node in step["nodes"]}
    missed = [node["op"] for i, node in enumerate(data["nodes"]) if i not in reached]
    assert "exp" in missed
    assert [leaf["grad"] is None for leaf in data["leaves"]] == [False, True]


def test_it_works_without_trace_on_a_freed_graph_and_before_backward():
    x = tg.ones(3, requires_grad=True)
    loss = x.exp().sum()
    before = viz.explore(loss)
    loss.backward()
    after = viz.explore(loss)
    assert len(before.data["nodes"]) == len(after.data["nodes"])
    assert after.data["leaves"][0]["grad"]["values"] == pytest.approx([2.71828] * 3, rel=1e-5)


def test_the_policy_allows_the_page_s_own_style_and_script_alone(explored):
    policy, _, styles, scripts = parts(explored.html())
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert len(styles) == len(scripts) == 1
    for text, kind in ((styles[0], "style-src"), (scripts[0], "script-src")):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind} 'sha256-{digest}'" in policy
    page = explored.html()
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in page
    assert "@@" not in page


def test_hostile_names_titles_and_programs_are_data(hostile):
    names = [*hostile, "__proto__", "constructor", "@@DATA@@", "@@SCRIPT@@"]
    params = {name + str(k): tg.ones(2, requires_grad=True) for k, name in enumerate(names)}
    x = tg.ones(2)
    for k, tensor in enumerate(params.values()):
        with push_scope(names[k], names[-k], 0):
            x = x * tensor
    loss = x.sum()
    with viz.trace_backward(loss) as trace:
        loss.backward()
    for title in names:
        figure = viz.explore(loss, trace, params=params, title=title)
        page = figure.html()
        _, data, _, scripts = parts(page)
        assert len(scripts) == 1
        tags = Tags()
        tags.feed(page)
        assert tags.seen.count("script") == 2
        assert "img" not in tags.seen
        assert "b" not in tags.seen
        assert data["title"] == viz.figures.words.visible(title)
        page.encode("utf-8")
        assert html.unescape(re.search("<title>(.*?)</title>", page, re.S)[1]) == data["title"]


def test_numbers_that_json_lacks(tmp_path):
    x = tg.tensor([1.0, float("nan"), float("inf")], requires_grad=True)
    with viz.record() as recording:
        loss = (x * 2).log().sum()
    with viz.trace_backward(loss) as trace:
        loss.backward()
    figure = viz.explore(loss, trace, recording)
    _, data, _, _ = parts(figure.html())
    assert data["leaves"][0]["value"]["nan"] == 1
    assert data["leaves"][0]["value"]["values"] == [1, "nan", "inf"]


def test_the_same_graph_gives_the_same_bytes():
    def page():
        tg.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, 8), nn.ReLU())
        with viz.record() as recording:
            loss = model(tg.ones(5, 4)).sum()
        with viz.trace_backward(loss) as trace:
            loss.backward()
        return viz.explore(loss, trace, recording, model).html()

    assert page() == page()


def test_formats_and_the_frame_for_notebooks(explored, tmp_path):
    for suffix in (".html", ".svg", ".dot", ".txt", ".json"):
        assert explored.save(tmp_path / f"x{suffix}").stat().st_size > 100
    assert (tmp_path / "x.html").read_text("utf-8") == explored.html()
    bundle = explored._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "image/svg+xml", "text/html"}
    frame = bundle["text/html"]
    assert frame.startswith('<iframe sandbox="allow-scripts allow-downloads" ')
    assert "allow-same-origin" not in frame
    assert html.unescape(re.search('srcdoc="([^"]*)"', frame)[1]) == explored.html()
    assert "values: recorded" in str(explored)
    assert "backward: 8 steps" in str(explored)


def test_figures_without_a_script_have_no_frame():
    assert set(viz.graph(tg.ones(2, requires_grad=True))._repr_mimebundle_()) == {
        "text/plain",
        "image/svg+xml",
    }


def test_wrong_arguments_are_refused():
    x = tg.ones(2, requires_grad=True)
    with pytest.raises(TypeError, match=r"trace must be what `with viz.trace_backward\(loss\)"):
        viz.explore(x.sum(), viz.record())
    with pytest.raises(TypeError, match="not Linear; a model goes to params="):
        viz.explore(x.sum(), tg.nn.Linear(2, 2))
    with pytest.raises(TypeError, match=r"record must be what `with viz.record\(\)"):
        viz.explore(x.sum(), record=[])
    with pytest.raises(RuntimeError, match="no graph"):
        viz.explore(tg.ones(2))
    with pytest.raises(ValueError, match="max_nodes"):
        viz.explore(x.sum(), max_nodes=0)


def test_a_trace_of_another_graph_gives_no_steps():
    x = tg.ones(2, requires_grad=True)
    other = (x * 3).sum()
    with viz.trace_backward(other) as trace:
        other.backward()
    loss = x.exp().sum()
    data = viz.explore(loss, trace).data
    # The leaf is the same, the operations are not.
    kinds = [data["nodes"][i]["kind"] for step in data["steps"] for i in step["nodes"]]
    assert kinds == ["leaf"]
