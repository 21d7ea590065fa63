// Every open module is laid out by itself and then is one box in the next one out; edges enter and
// leave it through ports on its border (tensorgrad/viz/layouts/nesting.py).

const MARGIN = 12;
const PAD = 9; // between a module's border and its contents
const LABEL_HEIGHT = 19;
const CLOSED_HEIGHT = 35;

class Layout {
  constructor(model) {
    this.model = model;
    this.known = new Map(); // level -> its last arrangement, and what it was made from
  }

  // Boxes by key ([x, y, width, height]), open modules' boxes, and the edges with their pieces.
  solve() {
    this.levels = new Map([[null, newLevel()]]);
    this.addItems();
    this.edges = this.model.visibleEdges();
    for (const edge of this.edges) edge.pieces = this.piecesOf(edge);
    const order = [...this.levels.keys()].filter((level) => level !== null);
    order.sort((a, b) => this.model.chain(b).length - this.model.chain(a).length || a - b);
    for (const group of [...order, null]) this.arrangeLevel(group);
    return this.assemble(order);
  }

  addItems() {
    const { model, levels } = this;
    model.nodes.forEach((node, id) => {
      let level = null;
      for (const group of model.chain(node.home)) {
        itemOf(levels.get(level), `g${group}`);
        if (model.closed.has(group)) return;
        if (!levels.has(group)) levels.set(group, newLevel());
        level = group;
      }
      itemOf(levels.get(level), `v${id}`);
    });
  }

  // Cut an edge at the borders it crosses, through one port per border and source.
  piecesOf({ source, target }) {
    const out = [null, ...this.model.chain(this.model.levelOf(source))];
    const into = [null, ...this.model.chain(this.model.levelOf(target))];
    let shared = 0;
    while (shared < Math.min(out.length, into.length) && out[shared] === into[shared]) shared += 1;
    const pieces = [];
    const add = (group, tail, head) => {
      pieces.push([group, linkOf(this.levels.get(group), tail, head, source)]);
    };
    const port = (group, side) => {
      itemOf(this.levels.get(group), `${side}${source}`);
      return `${side}${source}`;
    };
    let tail = source;
    for (const group of out.slice(shared).reverse()) {
      add(group, tail, port(group, "out:"));
      tail = `g${group}`;
    }
    for (let k = shared; k < into.length; k++) {
      add(into[k - 1], tail, `g${into[k]}`);
      tail = port(into[k], "in:");
    }
    add(into[into.length - 1], tail, target);
    return pieces;
  }

  arrangeLevel(group) {
    const level = this.levels.get(group);
    const items = level.keys.map((key) => this.itemFor(key));
    if (group !== null) {
      const width = this.model.groups[group].width;
      items.push({ width, height: LABEL_HEIGHT, row: "first", lead: true });
    }
    const links = level.links.map(({ tail, head, source }) => ({
      tail: level.index.get(tail),
      head: level.index.get(head),
      tailX: this.portPlace(tail, `out:${source}`),
      headX: this.portPlace(head, `in:${source}`),
    }));
    const made = (level.made = this.arrangedOnce(group, items, links));
    if (group === null) {
      level.left = level.top = MARGIN;
      level.size = [made.width + 2 * MARGIN, made.height + 2 * MARGIN];
      return;
    }
    level.left = PAD;
    level.top = 0;
    const below = items.some((item) => item.row === "last") ? 0 : PAD;
    level.size = [made.width + 2 * PAD, made.height + below];
  }

  // A module far from what was opened or closed is not laid out again.
  arrangedOnce(group, items, links) {
    const from = JSON.stringify([items, links]);
    const last = this.known.get(group);
    if (last && last.from === from) return last.made;
    const made = arrange(items, links);
    this.known.set(group, { from, made });
    return made;
  }

  itemFor(key) {
    if (key.startsWith("in:")) return { width: 0, height: 0, row: "first", lead: false };
    if (key.startsWith("out:")) return { width: 0, height: 0, row: "last", lead: false };
    const [width, height] = this.sizeOfKey(key);
    return { width, height, row: "", lead: false };
  }

  sizeOfKey(key) {
    const id = Number(key.slice(1));
    if (key[0] === "v") return [this.model.nodes[id].width, this.model.nodes[id].height];
    if (this.model.closed.has(id)) return [this.model.groups[id].width + 16, CLOSED_HEIGHT];
    return this.levels.get(id).size;
  }

  // How far from the centre of an item the edges through this port leave or enter it.
  portPlace(key, port) {
    const id = Number(key.slice(1));
    if (key[0] !== "g" || this.model.closed.has(id)) return 0;
    const inner = this.levels.get(id);
    return inner.left + inner.made.x[inner.index.get(port)] - inner.size[0] / 2;
  }

  assemble(order) {
    const boxes = new Map(), modules = new Map();
    for (const group of [null, ...[...order].reverse()]) {
      const level = this.levels.get(group);
      if (group !== null) modules.set(group, [...level.at, ...level.size]);
      level.keys.forEach((key, i) => {
        if (key.includes(":")) return;
        const [width, height] = this.sizeOfKey(key);
        const x = level.at[0] + level.left + level.made.x[i] - width / 2;
        const y = level.at[1] + level.top + level.made.y[i];
        const id = Number(key.slice(1));
        if (key[0] === "g" && !this.model.closed.has(id)) this.levels.get(id).at = [x, y];
        else boxes.set(key, [x, y, width, height]);
      });
    }
    const [width, height] = this.levels.get(null).size;
    return { width, height, boxes, modules, edges: this.edges, strokes: this.strokes() };
  }

  // Each edge as strokes of those of its pieces that no edge before it has drawn.
  strokes() {
    const drawn = new Set();
    const strokes = [];
    for (const edge of this.edges) {
      const runs = [];
      for (const [group, number] of edge.pieces) {
        const name = `${group} ${number}`;
        if (drawn.has(name)) continue;
        drawn.add(name);
        const found = this.placed(group, number, this.levels.get(group).made.curves[number]);
        const last = runs[runs.length - 1];
        if (last && close(last[last.length - 1], found[0])) last.push(...found.slice(1));
        else runs.push(found);
      }
      const [group, number] = edge.pieces[edge.pieces.length - 1];
      const curve = this.levels.get(group).made.curves[number];
      edge.label = this.shifted(this.levels.get(group), curve.middle);
      runs.forEach((points, k) => {
        strokes.push({ edge, points, tip: k === runs.length - 1 && curve.whole });
      });
    }
    return strokes;
  }

  // The whole way of an edge, also where another one draws it: for lighting it up.
  wayOf(edge) {
    return edge.pieces.map(([group, number]) => {
      const { made } = this.levels.get(group);
      return this.placed(group, number, made.fullCurve(number));
    });
  }

  // The curve of a piece in the drawing, drawn out to the module's border at a port.
  placed(group, number, curve) {
    const level = this.levels.get(group);
    const points = curve.points.map((point) => this.shifted(level, point));
    const { tail, head } = level.links[number];
    const top = level.at[1], bottom = level.at[1] + level.size[1];
    const [x, y] = points[0], [z, w] = points[points.length - 1];
    if (tail.startsWith("in:") && y > top) {
      const i = level.index.get(tail);
      if (close(curve.points[0], [level.made.x[i], level.made.y[i]])) {
        points.unshift([x, top], ...straightTo([x, top], [x, y]).slice(0, 2));
      }
    }
    if (head.startsWith("out:") && curve.whole && w < bottom) {
      points.push(...straightTo([z, w], [z, bottom]));
    }
    return points;
  }

  shifted(level, [x, y]) {
    return [x + level.at[0] + level.left, y + level.at[1] + level.top];
  }
}

function newLevel() {
  return { keys: [], index: new Map(), links: [], linkIndex: new Map(), at: [0, 0] };
}

function itemOf(level, key) {
  if (!level.index.has(key)) {
    level.index.set(key, level.keys.length);
    level.keys.push(key);
  }
}

// A local edge, shared by all edges from one source that take it.
function linkOf(level, tail, head, source) {
  const name = `${tail} ${head} ${source}`;
  let number = level.linkIndex.get(name);
  if (number === undefined) {
    number = level.links.length;
    level.linkIndex.set(name, number);
    level.links.push({ tail, head, source });
  }
  return number;
}

function close(a, b) {
  return Math.abs(a[0] - b[0]) < 0.05 && Math.abs(a[1] - b[1]) < 0.05;
}
