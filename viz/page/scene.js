// The drawing: SVG elements for what is on the screen, and classes for what changes.

const SVG = "http://www.w3.org/2000/svg";
const ROUND = { op: 5, leaf: 1.5, output: 10, cut: 9 };
const CHUNK = 60; // strokes in one path element: thousands of elements would be slow to move
const BAND = 500; // what lies in bands of this height is shown and hidden together
const OVER = 200; // by which it may reach into the next
const LABEL_SIZE = 10; // of modules' names, for which the layout keeps room
const NEAR = 0.42; // the zoom below which a box is too small for words

function svg(tag, attributes = {}, text = null) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== null) made.textContent = text;
  return made;
}

const short = (value) => Math.round(value * 10) / 10;
const pair = ([x, y]) => `${short(x)} ${short(y)}`;

function pathOf(points) {
  let out = `M${pair(points[0])}`;
  for (let k = 1; k < points.length; k += 3) {
    out += `C${pair(points[k])} ${pair(points[k + 1])} ${pair(points[k + 2])}`;
  }
  return out;
}

// An arrowhead at a point; lines arrive from above.
const tipOf = ([x, y]) => `M${pair([x, y])}L${pair([x - 2.6, y - 6])}L${pair([x + 2.6, y - 6])}Z`;

class Scene {
  constructor(model, heat) {
    this.model = model;
    this.heat = heat;
    this.layout = new Layout(model);
    this.root = document.getElementById("picture");
    this.world = document.getElementById("world");
    this.selected = null; // a key
    this.hits = new Set(); // vertices that a search has found
    this.now = 0; // the vertex or module in which the current step happened
  }

  // Lay out and draw anew: after a module was opened or closed.
  draw() {
    const drawn = this.layout.solve();
    this.drawn = drawn;
    this.rects = new Map();
    this.words = new Map();
    this.labels = [];
    this.parts = []; // what is only shown when it is near the screen: { element, top, bottom }
    this.bands = new Map();
    this.ends = new Map(); // the edges at each box
    for (const edge of drawn.edges) {
      for (const key of [edge.source, edge.target]) {
        if (!this.ends.has(key)) this.ends.set(key, []);
        this.ends.get(key).push(edge);
      }
    }
    this.lit = svg("g", { class: "lit" });
    this.layers = {
      modules: svg("g", { class: "modules" }),
      small: svg("g", { class: "modules" }), // those that fit into a band, within the others
      edges: svg("g", { class: "edges" }),
      nodes: svg("g", { class: "nodes" }),
      words: svg("g", { class: "words" }),
      labels: svg("g", { class: "labels" }),
    };
    this.drawModules();
    this.drawEdges();
    for (const [key, box] of drawn.boxes) this.drawBox(key, box);
    const { modules, small, edges, nodes, words, labels } = this.layers;
    this.world.replaceChildren(modules, small, edges, this.lit, nodes, words, labels);
    this.paintAll();
  }

  drawModules() {
    const ordered = [...this.drawn.modules].sort((a, b) => this.depth(a[0]) - this.depth(b[0]));
    for (const [group, [x, y, width, height]] of ordered) {
      const shade = `module shade${this.depth(group) % 3}`;
      const rect = svg("rect", { class: shade, x: short(x), y: short(y), rx: 6 });
      rect.setAttribute("width", short(width));
      rect.setAttribute("height", short(height));
      if (height > OVER) this.part(this.layers.modules, rect, y, y + height);
      else this.band(y).modules.append(rect);
      const label = svg("text", { class: `label shade${this.depth(group) % 3}`, role: "button" });
      label.dataset.group = group;
      label.textContent = `▾ ${this.model.groups[group].label}`;
      label.setAttribute("aria-label", `Close ${this.model.groups[group].label}`);
      label.setAttribute("x", short(x + 8));
      label.setAttribute("y", short(y + 13));
      const plate = svg("rect", { class: `plate hidden shade${this.depth(group) % 3}`, x: short(x), y: short(y) });
      this.band(y).labels.append(plate, label);
      this.labels.push({ label, plate, x, y, width, words: this.model.groups[group].width });
    }
  }

  // A module's name, and the plate behind it if it is given a width.
  placeLabel({ label, plate, x, y }, shown, size, indent, wide) {
    label.classList.toggle("hidden", !shown);
    plate.classList.toggle("hidden", !shown || !wide);
    if (!shown) return;
    label.setAttribute("font-size", short(size));
    label.setAttribute("x", short(x + indent));
    label.setAttribute("y", short(y + size * (wide ? 1.1 : 1.3)));
    plate.setAttribute("width", short(wide));
    plate.setAttribute("height", short(size * 1.5));
  }

  depth(group) {
    return this.model.chain(group).length - 1;
  }

  drawEdges() {
    const { strokes } = this.drawn;
    for (let start = 0; start < strokes.length; start += CHUNK) {
      const chunk = strokes.slice(start, start + CHUNK);
      const lines = chunk.map((stroke) => pathOf(stroke.points)).join("");
      const tips = chunk.filter((s) => s.tip).map((s) => tipOf(s.points[s.points.length - 1]));
      const ys = chunk.flatMap((stroke) => stroke.points.map((point) => point[1]));
      const [top, bottom] = [least(ys), most(ys)];
      this.part(this.layers.edges, svg("path", { class: "line", d: lines }), top, bottom);
      this.part(this.layers.edges, svg("path", { class: "tip", d: tips.join("") }), top, bottom);
    }
    for (const edge of this.drawn.edges) {
      if (edge.times === 1) continue;
      const [x, y] = edge.label;
      const text = svg("text", { class: "times", x: short(x + 10), y: short(y + 3.5) });
      text.textContent = `×${edge.times}`;
      this.band(y).labels.append(text);
    }
  }

  drawBox(key, [x, y, width, height]) {
    const id = Number(key.slice(1));
    const kind = key[0] === "v" ? this.model.nodes[id].kind : "closed";
    const rect = svg("rect", { x: short(x), y: short(y), rx: ROUND[kind] || 6 });
    rect.setAttribute("width", short(width));
    rect.setAttribute("height", short(height));
    rect.setAttribute("role", "button");
    rect.setAttribute("tabindex", "-1");
    rect.dataset.key = key;
    this.band(y).nodes.append(rect);
    this.band(y).keys.push(key);
    this.rects.set(key, { rect, kind, box: [x, y, width, height], reached: false });
  }

  // An element of a layer that leaves the document's picture while it is far from the screen: what
  // is drawn again at each move of a large graph must not be all of it.
  part(layer, element, top, bottom) {
    layer.append(element);
    this.parts.push({ element, top, bottom, shown: true });
    return element;
  }

  band(y) {
    const number = Math.floor(y / BAND);
    if (!this.bands.has(number)) {
      const ends = [number * BAND, (number + 1) * BAND + OVER];
      this.bands.set(number, {
        modules: this.part(this.layers.small, svg("g"), ...ends),
        labels: this.part(this.layers.labels, svg("g"), ...ends),
        nodes: this.part(this.layers.nodes, svg("g"), ...ends),
        words: this.part(this.layers.words, svg("g"), ...ends),
        keys: [],
      });
    }
    return this.bands.get(number);
  }

  // The boxes of the bands that reach between two heights.
  keysBetween(top, bottom) {
    const found = [];
    for (let number = Math.floor(top / BAND) - 1; number <= Math.floor(bottom / BAND); number++) {
      if (this.bands.has(number)) found.push(...this.bands.get(number).keys);
    }
    return found;
  }

  showBetween(top, bottom) {
    for (const part of this.parts) {
      const shown = part.top <= bottom && part.bottom >= top;
      if (shown === part.shown) continue;
      part.shown = shown;
      part.element.classList.toggle("hidden", !shown);
    }
  }

  // The words of a box, made when they are first near enough to be read.
  wordsOf(key) {
    if (this.words.has(key)) return;
    const { kind, box: [x, y, width] } = this.rects.get(key);
    const group = svg("g", { class: `words-${kind}` });
    const middle = short(x + width / 2);
    const [title, ...details] = this.textOf(key);
    const base = kind === "cut" ? 13 : 15;
    group.append(svg("text", { class: "title", x: middle, y: short(y + base) }, title));
    details.forEach((line, k) => {
      group.append(svg("text", { class: "detail", x: middle, y: short(y + base + 13 * (k + 1)) }, line));
    });
    this.words.set(key, group);
    this.band(y).words.append(group);
    this.paintWords(key);
  }

  textOf(key) {
    const id = Number(key.slice(1));
    if (key[0] === "v") return [this.model.nodes[id].title, ...this.model.nodes[id].details];
    const operations = this.model.members[id].filter((v) => this.model.nodes[v].kind === "op").length;
    return [`▸ ${this.model.groups[id].label}`, plural(operations, "operation")];
  }

  // --- What changes without a new layout ---------------------------------------------------------

  paintAll() {
    for (const key of this.rects.keys()) this.paint(key);
    this.lightUp();
  }

  // One box: its colour at the present step, whether it is selected, found, or where things happen.
  // Only what is not so already is written: a step may reach thousands of boxes that are hidden.
  paint(key) {
    const entry = this.rects.get(key);
    if (!entry) return;
    const { kind, rect } = entry;
    const size = kind === "cut" || kind === "output" ? null : this.model.sizeAt(key);
    const heat = this.heat.classOf(size);
    const found = this.hits.size && this.model.verticesOf(key).some((id) => this.hits.has(id));
    const state = [
      "node", kind, heat, key === this.selected ? "selected" : "", key === this.now ? "now" : "",
      found ? "found" : "",
    ].filter(Boolean).join(" ");
    const change = (name, value) => {
      if (entry[name] === value) return false;
      entry[name] = value;
      return true;
    };
    if (change("state", state)) rect.setAttribute("class", state);
    if (change("reached", key === this.selected)) rect.setAttribute("tabindex", entry.reached ? "0" : "-1");
    // A gradient may grow and keep its colour.
    if (change("size", size) && change("said", this.said(key))) rect.setAttribute("aria-label", entry.said);
    if (change("heat", heat) && this.words.has(key)) this.paintWords(key);
  }

  paintWords(key) {
    const { kind, heat } = this.rects.get(key);
    this.words.get(key).setAttribute("class", `words-${kind} on-${heat || "plain"}`);
  }

  // What a screen reader says of a box.
  said(key) {
    const id = Number(key.slice(1));
    const gradient = this.model.data.traced ? `, gradient norm ${sizeText(this.model.sizeAt(key))}` : "";
    if (key[0] === "g") {
      const operations = this.textOf(key)[1];
      return `Module ${this.model.groups[id].label}, closed, ${operations}${gradient}`;
    }
    const node = this.model.nodes[id];
    const what = { op: node.op, leaf: "leaf tensor", output: "output", cut: "left out" }[node.kind];
    const name = node.kind === "leaf" || node.name !== node.op ? `${node.name}, ` : "";
    return `${name}${what}, shape ${node.shape}${node.kind === "output" ? "" : gradient}`;
  }

  // The edges of what is selected, and those through which the current step sends gradients.
  lightUp() {
    const lines = { near: [], flow: [] };
    const into = (key) => this.ends.get(key) || [];
    for (const edge of new Set([...into(this.now), ...into(this.selected)])) {
      if (this.now && edge.target === this.now) lines.flow.push(...this.layout.wayOf(edge));
      else if (edge.target === this.selected || edge.source === this.selected) {
        lines.near.push(...this.layout.wayOf(edge));
      }
    }
    const paths = Object.entries(lines).filter(([, found]) => found.length);
    this.lit.replaceChildren(
      ...paths.map(([kind, found]) => svg("path", { class: kind, d: found.map(pathOf).join("") })),
    );
  }
}
