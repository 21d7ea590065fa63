// The side: everything that is known of what is selected.

function html(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

// Of an operation with several outputs each under its number.
function ofOutputs(known, what) {
  return known.flatMap((stats) => [
    ...(stats.output === undefined ? [] : [html("h4", {}, `output ${stats.output}`)]),
    ...statistics(stats, what),
  ]);
}

class Panel {
  constructor(model, heat, actions) {
    this.model = model;
    this.heat = heat;
    this.actions = actions; // { select(key), toggle(group) }
    this.place = document.getElementById("panel");
  }

  show(key) {
    this.key = key;
    const id = key === null ? null : Number(key.slice(1));
    const parts = key === null ? this.nothing() : key[0] === "v" ? this.vertex(id) : this.module(id);
    this.place.replaceChildren(...parts.filter((part) => part !== null));
  }

  // After a step only the gradient's part changes.
  refresh() {
    const old = this.place.querySelector(".gradient");
    if (old && this.key !== null) old.replaceWith(this.gradient(this.key));
  }

  nothing() {
    const operations = this.model.nodes.filter((node) => node.kind === "op").length;
    const rows = [
      ["operations", operations.toLocaleString("en")],
      ["leaf tensors", this.model.data.leaves.length.toLocaleString("en")],
      ["modules", this.model.live.length.toLocaleString("en")],
      ["values", this.model.data.recorded ? "recorded" : "not kept"],
      ["backward pass", this.model.data.traced ? plural(this.model.steps.length, "step") : "not traced"],
    ];
    return [
      html("h2", {}, this.model.data.title),
      table(rows),
      html("p", { class: "hint" }, "Click a box for all that is known of it, a module's name to close or open it. Press ? for the keys."),
    ];
  }

  module(id) {
    const group = this.model.groups[id];
    const members = this.model.members[id].map((v) => this.model.nodes[v]);
    const leaves = new Set(members.filter((n) => n.kind === "leaf").map((n) => n.leaf));
    const elements = [...leaves].reduce((sum, leaf) => sum + product(this.model.data.leaves[leaf].value.shape), 0);
    const open = !this.model.closed.has(id);
    return [
      html("h2", {}, group.label),
      html("button", { type: "button", onclick: () => this.actions.toggle(id) }, open ? "Close" : "Open"),
      table([
        ["class", group.cls],
        ["path", group.path || "–"],
        ["operations", members.filter((n) => n.kind === "op").length.toLocaleString("en")],
        ["leaf tensors", `${leaves.size} with ${plural(elements, "element")}`],
      ]),
      this.gradient(`g${id}`),
    ];
  }

  vertex(id) {
    const node = this.model.nodes[id];
    const leaf = node.leaf === undefined ? null : this.model.data.leaves[node.leaf];
    const kind = { op: node.op, leaf: leaf && leaf.type, output: "output", cut: "left out" }[node.kind];
    const rows = [["kind", node.kind === "op" ? "operation" : kind], ["shape", node.shape || "()"], ["dtype", node.dtype]];
    if (leaf) rows.push(["memory", leaf.size], ["used", leaf.uses === 1 ? "once" : `${leaf.uses} times`]);
    if (node.home !== null) rows.push(["module", this.pathOf(node.home)]);
    if (node.params) rows.push(["parameters", node.params]);
    const title = node.kind === "op" && node.name !== node.op ? `${node.name} = ${node.op}` : node.name || kind;
    if (node.kind === "cut" || node.kind === "output") return [html("h2", {}, title), table(rows), this.neighbours(id)];
    return [
      html("h2", {}, title),
      table(rows),
      node.kind === "op" ? this.formulas(node) : null,
      this.values(node, leaf),
      this.gradient(`v${id}`),
      node.kind === "op" ? this.program(node) : null,
      this.neighbours(id),
    ];
  }

  pathOf(home) {
    return this.model.chain(home).map((group) => this.model.groups[group].label).join(" › ");
  }

  formulas(node) {
    const part = section("Formula", "formulas");
    part.append(html("div", { class: "caption" }, "forward"), html("div", { class: "formula" }, node.forward || "–"));
    part.append(html("div", { class: "caption" }, "backward"));
    for (const line of node.backward) part.append(html("div", { class: "formula" }, line));
    if (!node.backward.length) part.append(html("div", { class: "formula" }, node.prose || "no formula is declared"));
    return part;
  }

  values(node, leaf) {
    const part = section(leaf ? "Value now" : "Value", "value");
    const known = leaf ? [leaf.value] : node.values;
    if (!known.length) part.append(html("p", { class: "missing" }, "not kept"), html("p", { class: "hint" }, this.model.data.recorded ? "It was not seen: it ran outside of viz.record()." : "Run the forward pass in: with viz.record()"));
    part.append(...ofOutputs(known, "value"));
    return part;
  }

  // The gradient at the present step: of a vertex what arrived last, of a module the largest.
  gradient(key) {
    const part = section("Gradient", "gradient");
    const { traced } = this.model.data;
    const id = Number(key.slice(1));
    if (key[0] === "g") {
      const size = this.model.sizeAt(key);
      part.append(traced ? table([["largest norm", sizeText(size)]]) : html("p", { class: "missing" }, "not kept"));
      return part;
    }
    const step = this.model.arrived(id);
    if (step) {
      part.append(table([["arrived at step", `${step} of ${this.model.steps.length}`]]));
      part.append(...ofOutputs(this.model.steps[step - 1].stats, "gradient"));
    } else if (traced) {
      const first = this.model.arrivals[id][0];
      part.append(html("p", { class: "missing" }, first ? `arrives at step ${first}` : "none arrived in the traced backward pass"));
    } else {
      part.append(html("p", { class: "missing" }, "not kept"), html("p", { class: "hint" }, "Run the backward pass in: with viz.trace_backward(loss)"));
    }
    const leaf = this.model.nodes[id].leaf;
    const grad = leaf === undefined ? null : this.model.data.leaves[leaf].grad;
    if (leaf !== undefined) {
      part.append(html("h4", {}, ".grad now"));
      part.append(...(grad ? statistics(grad, "accumulated gradient") : [html("p", { class: "missing" }, "None")]));
    }
    return part;
  }

  program(node) {
    if (!node.place) return null;
    const [file, line, name] = node.place;
    const part = section("Your program", "program");
    part.append(html("div", { class: "caption" }, `${file}:${line} in ${name}`));
    const excerpt = node.source === null || node.source === undefined ? null : this.model.data.lines[node.source];
    if (!excerpt) part.append(html("p", { class: "missing" }, "the file could not be read"));
    else {
      const lines = excerpt.text.map((text, k) => html("div", { class: excerpt.first + k === excerpt.line ? "line here" : "line" },
        html("span", { class: "lineno" }, String(excerpt.first + k)), text));
      part.append(html("pre", { tabindex: "0" }, ...lines));
    }
    return part;
  }

  neighbours(id) {
    const part = section("Connections", "connections");
    const button = (other) => {
      const node = this.model.nodes[other];
      const text = `${node.name || node.kind} ${node.shape}`;
      return html("button", { type: "button", class: "link", onclick: () => this.actions.select(`v${other}`) }, text);
    };
    const node = this.model.nodes[id];
    const list = (title, items) => {
      if (items.length) part.append(html("div", { class: "caption" }, title), html("ul", {}, ...items.map((item) => html("li", {}, ...item))));
    };
    const given = (node.arguments || []).map(([name, source, output]) => [`${name}: `,
      source === null ? "needs no gradient" : button(source), output === null ? null : ` output ${output}`].filter((x) => x !== null));
    list("arguments", node.arguments ? given : this.model.inputs[id].map((other) => [button(other)]));
    list("read by", this.model.readers[id].slice(0, 50).map((other) => [button(other)]));
    return part;
  }
}

function section(title, name) {
  return html("section", { class: name }, html("h3", {}, title));
}

function table(rows) {
  return html("table", {}, html("tbody", {}, ...rows.map(([name, value]) =>
    html("tr", {}, html("th", { scope: "row" }, name), html("td", {}, value)))));
}

function product(dims) {
  return dims.reduce((a, b) => a * b, 1);
}

// A table of what is known of an array, its few values or its histogram.
function statistics(stats, what) {
  if (stats.status === "empty") return [html("p", { class: "missing" }, `no elements, shape (${stats.shape.join(", ")})`)];
  const rows = [];
  if (stats.nan) rows.push(["NaN", stats.nan.toLocaleString("en")]);
  if (stats.inf) rows.push(["infinite", stats.inf.toLocaleString("en")]);
  for (const [name, label] of [["norm", "norm"], ["mean", "mean"], ["std", "std"], ["min", "min"], ["max", "max"]]) {
    if (stats[name] !== null) rows.push([label, numberText(stats[name])]);
  }
  if (stats.zeros) rows.push(["zeros", `${(stats.zeros * 100).toFixed(stats.zeros < 0.1 ? 1 : 0)} %`]);
  const parts = [table(rows)];
  if (stats.values && product(stats.shape) <= 16) parts.push(html("div", { class: "values" }, valuesText(stats)));
  else if (stats.counts.length) parts.push(histogram(stats, what));
  return parts;
}

// Few values as rows of a matrix; a vector in rows of four.
function valuesText({ shape, values }) {
  const width = shape.length > 1 ? shape[shape.length - 1] : 4;
  const texts = values.map(numberText);
  const longest = most(texts.map((text) => text.length));
  const lines = [];
  for (let k = 0; k < texts.length; k += width) {
    lines.push(texts.slice(k, k + width).map((text) => text.padStart(longest)).join("  "));
  }
  return lines.join("\n");
}

function histogram({ counts, min, max }, what) {
  const highest = most(counts);
  const picture = svg("svg", { class: "histogram", viewBox: "0 0 240 74", role: "img" });
  picture.setAttribute("aria-label", `Histogram of the ${what} from ${numberText(min)} to ${numberText(max)}`);
  counts.forEach((count, i) => {
    const height = count ? Math.max(1, (54 * count) / highest) : 0;
    picture.append(svg("rect", { x: i * 10 + 0.5, y: 56 - height, width: 9, height: short(height) }));
  });
  if (min < 0 && max > 0) {
    const zero = short((-min / (max - min)) * 240);
    picture.append(svg("line", { x1: zero, x2: zero, y1: 0, y2: 56 }));
    if (zero > 50 && zero < 190) picture.append(svg("text", { x: zero, y: 69, "text-anchor": "middle" }, "0"));
  }
  picture.append(svg("text", { x: 0, y: 69 }, numberText(min)));
  picture.append(svg("text", { x: 240, y: 69, "text-anchor": "end" }, numberText(max)));
  return picture;
}
