"""A reader in the explorer: click, scrub, close and open, search, links, keys, files."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest

import tensorgrad as tg
from tensorgrad import nn, viz
from tensorgrad.primitive import push_scope

TRACKED = "window.explorer"


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(6, 6)
        self.act = nn.Tanh()

    def forward(self, x):
        return x + self.act(self.fc(x))


@pytest.fixture(scope="module")
def figure():
    tg.manual_seed(0)
    model = nn.Sequential(Block(), Block(), nn.Linear(6, 3))
    with viz.record() as recording:
        loss = nn.CrossEntropyLoss()(model(tg.randn(5, 6)), tg.tensor([0, 1, 2, 0, 1]))
    with viz.trace_backward(loss) as trace:
        loss.backward()
    return viz.explore(loss, trace, recording, model, title="two blocks")


def node_of(figure, op, nth=0):
    return [i for i, node in enumerate(figure.data["nodes"]) if node["op"] == op][nth]


def test_a_click_shows_all_that_is_known(figure, show):
    page = show(figure)
    assert page.text("#panel h2") == "two blocks"
    tanh = node_of(figure, "tanh")
    page.click(f'rect[data-key="v{tanh}"]')
    panel = page.find("#panel").text
    assert panel.startswith("tanh")
    for words in ("(5, 6)", "float32", "Sequential › 0: Block › act: Tanh", "FORMULA", "GRADIENT"):
        assert words in panel
    assert "x̄ = " in page.text("#panel .formulas")
    assert page.value("document.querySelectorAll('#panel .histogram').length") == 2
    assert "return x + self.act(self.fc(x))" in page.text("#panel .program .here")
    norm = next(s["stats"][0]["norm"] for s in figure.data["steps"] if tanh in s["nodes"])
    assert float(page.text("#panel .gradient tr:nth-child(1) td").split()[0]) > 0
    shown = page.value(
        "[...document.querySelectorAll('#panel .gradient tr')]"
        ".find(r => r.firstChild.textContent === 'norm').lastChild.textContent"
    )
    assert float(shown.replace("−", "-")) == pytest.approx(norm, rel=1e-3)


def test_the_slider_goes_through_the_backward_pass(figure, show):
    page = show(figure)
    steps = len(figure.data["steps"])
    heated = "document.querySelectorAll('rect[class*=heat]').length"
    page.press("\ue011")  # Home
    assert page.value("document.getElementById('step').value") == "0"
    assert page.value(heated) == 0
    counts = []
    for step in range(steps):
        page.press("\ue014")  # arrow to the right
        counts.append(page.value(heated))
        reached = figure.data["steps"][step]["nodes"][0]
        assert page.value("document.querySelector('rect.now').dataset.key") == f"v{reached}"
    assert counts == sorted(counts)
    assert counts[0] == 1
    drawn = [n for n in figure.data["nodes"] if n["kind"] in ("op", "leaf")]
    assert counts[-1] == len(drawn)
    page.run(
        "const s = document.getElementById('step'); s.value = 3; "
        "s.dispatchEvent(new Event('input'))"
    )
    assert page.value(heated) == 3
    assert page.text("#step-label").startswith(f"3 / {steps} ")


def test_before_it_arrives_a_gradient_is_not_zero(figure, show):
    page = show(figure, f"#node={node_of(figure, 'linear')}&step=1")
    text = page.text("#panel .gradient")
    assert "arrives at step" in text
    assert "norm" not in text


def test_play_runs_to_the_end(figure, show):
    page = show(figure, "#step=0")
    page.run("document.getElementById('speed').value = '4'")
    page.click("#play")
    page.wait(f"window.explorer.model.at === {len(figure.data['steps'])}")
    page.wait("document.getElementById('play').textContent === 'Play'")


def test_modules_close_and_open_with_a_new_layout(figure, show):
    page = show(figure)
    boxes = "document.querySelectorAll('rect[data-key]').length"
    before, height = page.value(boxes), page.value("window.explorer.scene.drawn.height")
    group = next(i for i, g in enumerate(figure.data["groups"]) if g["label"] == "0: Block")
    page.click(f'text[data-group="{group}"]')
    assert page.value(boxes) < before
    assert page.value("window.explorer.scene.drawn.height") < height
    closed = page.find(f'rect[data-key="g{group}"]')
    assert "Module 0: Block, closed, 3 operations" in closed.get_attribute("aria-label")
    assert page.text("#panel h2") == "0: Block"
    assert "largest norm" in page.text("#panel .gradient")
    closed.click()
    assert page.value(boxes) == before
    assert page.value("window.explorer.scene.drawn.height") == height
    page.click("#close-all")
    assert page.value(boxes) == 3  # the network, the loss and the output
    page.click("#open-all")
    assert page.value(boxes) == before


def test_a_step_writes_what_changed_and_nothing_else(figure, show):
    page = show(figure)
    page.click("#close-all")
    written = page.value("""(() => {
      const { scene, player, model } = window.explorer;
      const watch = new MutationObserver(() => {});
      watch.observe(scene.world, { attributes: true, attributeOldValue: true, subtree: true });
      const told = { same: 0, stale: 0, changed: 0 };
      for (let step = 0; step <= model.steps.length; step++) {
        player.go(step);
        const last = new Map(); // what an attribute is by now, read backwards
        for (const one of watch.takeRecords().reverse()) {
          const name = `${one.target.dataset.key} ${one.attributeName}`;
          const now = last.has(name) ? last.get(name) : one.target.getAttribute(one.attributeName);
          if (one.target.dataset.key) told[one.oldValue === now ? "same" : "changed"]++;
          last.set(name, one.oldValue);
        }
        for (const [key, { rect }] of scene.rects) {
          told.stale += rect.getAttribute("aria-label") !== scene.said(key);
        }
      }
      return told;
    })()""")
    assert written["changed"] > 5
    assert (written["same"], written["stale"]) == (0, 0)


def test_search_finds_marks_and_opens(figure, show):
    page = show(figure)
    page.click("#close-all")
    page.press("/")
    page.press("tanh 1: block")
    assert page.text("#found-count") == "1 match"
    page.press("\ue007")
    assert page.value("document.querySelector('rect.selected').dataset.key") == (
        f"v{node_of(figure, 'tanh', 1)}"
    )
    assert page.value("document.querySelectorAll('rect.found').length") == 1
    page.press("\ue00c")
    assert page.value("document.querySelectorAll('rect.found').length") == 0


def test_links_lead_to_a_node_and_a_step(figure, show):
    node = node_of(figure, "tanh", 1)
    page = show(figure, f"#node={node}&step=4")
    assert page.value("window.explorer.model.at") == 4
    assert page.value("document.querySelector('rect.selected').dataset.key") == f"v{node}"
    page.press("\ue014")
    page.wait(f"location.hash === '#node={node}&step=5'")
    for wrong in ("#node=999999&step=-3", "#node=constructor&step=x", "#node=g999", "#%&="):
        show(figure, wrong)


def test_keys_walk_along_edges_and_are_documented(figure, show):
    page = show(figure, f"#node={node_of(figure, 'cross_entropy')}")
    page.press("\ue013")  # arrow up
    assert page.text("#panel h2") == "linear"
    assert "linear" in page.text("#said")
    page.press("\ue015")
    assert page.text("#panel h2") == "cross_entropy"
    page.press("?")
    assert page.value("document.getElementById('help').open") is True
    shown = page.find("#help").text
    for words in ("PageUp", "search", "to an input", "save the picture"):
        assert words in shown
    page.click("#help-close")
    page.press("c")
    assert page.text("#panel h2") == "CrossEntropyLoss"


def test_zoom_pan_map_and_fit(figure, show):
    page = show(figure)
    k = "window.explorer.camera.k"
    before = page.value(k)
    page.click("#zoom-in")
    assert page.value(k) == pytest.approx(before * 1.3)
    page.run(
        "document.getElementById('picture').dispatchEvent(new WheelEvent('wheel', "
        "{deltaY: -400, clientX: 300, clientY: 300, cancelable: true}))"
    )
    assert page.value(k) > before * 1.5
    from selenium.webdriver import ActionChains

    x = page.value("window.explorer.camera.x")
    picture = page.find("#picture")
    ActionChains(page.driver).move_to_element_with_offset(
        picture, -400, -200
    ).click_and_hold().move_by_offset(80, 30).release().perform()
    assert page.value("window.explorer.camera.x") == pytest.approx(x + 80, abs=1)
    ActionChains(page.driver).move_to_element(page.find("#map")).click().perform()
    assert page.value("window.explorer.camera.x") != pytest.approx(x + 80, abs=1)
    page.click("#fit")
    assert page.value(k) <= before * 1.01


def test_fit_shows_the_whole_of_a_long_chain(show):
    x = tg.ones(2, requires_grad=True)
    for _ in range(1500):
        x = x.sin()
    page = show(viz.explore(x.sum()))
    page.click("#fit")
    edges = ("top", "bottom")
    box = "document.getElementById('{}').getBoundingClientRect().{}"
    page.wait(f"{box.format('world', 'height')} < {box.format('picture', 'height')}")
    top, bottom = (page.value(box.format("world", edge)) for edge in edges)
    first, last = (page.value(box.format("picture", edge)) for edge in edges)
    assert first < top < bottom < last
    k = page.value("window.explorer.camera.k")
    page.click("#zoom-out")
    assert page.value("window.explorer.camera.k") == k
    page.click("#zoom-in")
    assert page.value("window.explorer.camera.k") > k


def test_the_saved_picture_stands_alone(figure, show):
    page = show(figure)
    made = page.run(
        "const kept = []; const make = URL.createObjectURL;"
        "URL.createObjectURL = (blob) => { kept.push(blob); return make(blob); };"
        "document.getElementById('save').click(); window.kept = kept; return kept.length"
    )
    assert made == 1
    text = page.driver.execute_async_script("window.kept[0].text().then(arguments[0])")
    root = ET.fromstring(text)
    words = {"".join(e.itertext()) for e in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"tanh", "0: Block", "cross_entropy"} <= words
    assert "class" not in text
    assert "var(" not in text
    assert float(root.get("width")) >= page.value("window.explorer.scene.drawn.width")


def test_light_and_dark(figure, show):
    page = show(figure)
    paper = "getComputedStyle(document.body).backgroundColor"
    assert page.value(paper) == "rgb(255, 255, 255)"
    page.click("#theme")
    assert page.value(paper) == "rgb(20, 22, 27)"
    page.press("t")
    assert page.value(paper) == "rgb(255, 255, 255)"
    page.driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": "dark"}]},
    )
    try:
        show(figure)
        assert page.value(paper) == "rgb(20, 22, 27)"
    finally:
        page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_without_recordings_it_says_not_kept(show):
    x = tg.ones(30, requires_grad=True)
    page = show(viz.explore(x.exp().sum()), "#node=1")
    assert "not kept" in page.text("#panel .value")
    assert "not kept" in page.text("#panel .gradient")
    assert "0" not in page.text("#panel .gradient")
    assert page.text("#step-label") == "no backward pass was traced"
    assert page.value("document.getElementById('play').disabled") is True


def test_strange_numbers_shapes_and_nodes(show):
    x = tg.tensor([1.0, float("nan"), float("inf")], requires_grad=True)
    empty = tg.ones((0, 2), requires_grad=True)
    scalar = tg.tensor(2.0, requires_grad=True)
    with viz.record() as recording:
        a, b, _ = (x * scalar).split(1)
        loss = a.sum() + b.sum() + (empty * 2).sum()
    with viz.trace_backward(loss) as trace:
        loss.backward()
    figure = viz.explore(loss, trace, recording)
    page = show(figure)
    for node in range(len(figure.data["nodes"])):
        page.run("window.explorer.select(`v${arguments[0]}`)", node)
        assert page.find("#panel h2").text
    page.run("window.explorer.select(`v${arguments[0]}`)", 0)
    assert "NaN" in page.text("#panel .value")
    for step in range(len(figure.data["steps"]) + 1):
        page.run("window.explorer.player.go(arguments[0])", step)


def test_hostile_names_do_nothing(hostile, show):
    names = [*hostile, "__proto__", "constructor", "toString", "<img src=x onerror=pwned=1>"]
    params = {name + str(k): tg.ones(2, requires_grad=True) for k, name in enumerate(names)}
    x = tg.ones(2)
    for k, tensor in enumerate(params.values()):
        with push_scope(names[k], names[-k], 0):
            x = x * tensor
    loss = x.sum()
    with viz.trace_backward(loss) as trace:
        loss.backward()
    for title in ("</title><script>window.pwned=1</script>", '"><img src=x onerror=pwned=1>'):
        figure = viz.explore(loss, trace, params=params, title=title)
        page = show(figure)
        for node in range(len(figure.data["nodes"])):
            page.run("window.explorer.select(`v${arguments[0]}`)", node)
        page.click("#close-all")
        page.press("/")
        page.press("o")
        page.press("\ue00c")
        assert page.value("document.images.length") == 0
        assert page.value("document.scripts.length") == 2
        assert page.value("typeof window.pwned") == "undefined"
        assert page.value("({}).polluted === undefined")
        assert page.value("document.title") == title


def test_the_frame_of_a_notebook_runs(figure, page, tmp_path):
    frame = figure._repr_mimebundle_()["text/html"]
    outer = tmp_path / "notebook.html"
    outer.write_text(
        f"<!doctype html><meta charset=utf-8><html data-ready=1><body>{frame}</body></html>",
        "utf-8",
    )
    page.open(outer)
    page.driver.switch_to.frame(0)
    page.wait("document.documentElement.dataset.ready")
    page.run("window.explorer.select('v1'); window.explorer.player.go(2)")
    assert page.value("window.explorer.model.at") == 2
    page.driver.switch_to.default_content()
    json.dumps(page.value("document.title"))
