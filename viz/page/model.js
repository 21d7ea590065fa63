// The graph as the reader sees it: which modules are open, what stands for what, what happened when.
// A key names a thing on the screen: "v12" is vertex 12, "g3" is module call 3, closed.

class Model {
  constructor(data) {
    this.data = data;
    this.nodes = data.nodes;
    this.groups = data.groups;
    this.closed = new Set();
    this.inputs = data.nodes.map(() => []);
    this.readers = data.nodes.map(() => []);
    for (const [source, target] of data.edges) {
      this.inputs[target].push(source);
      this.readers[source].push(target);
    }
    this.chains = new Map([[null, []]]);
    this.members = data.groups.map(() => []);
    data.nodes.forEach((node, id) => {
      for (const group of this.chain(node.home)) this.members[group].push(id);
    });
    this.live = data.groups.map((_, g) => g).filter((g) => this.members[g].length);
    this.rememberSteps();
  }

  // The module calls around a level, from outside in to the level itself.
  chain(group) {
    let known = this.chains.get(group);
    if (known === undefined) {
      known = [];
      for (let at = group; at !== null; at = this.groups[at].parent) known.unshift(at);
      this.chains.set(group, known);
    }
    return known;
  }

  // What stands for a vertex: the outermost closed module around it, or itself.
  standsFor(id) {
    for (const group of this.chain(this.nodes[id].home)) if (this.closed.has(group)) return `g${group}`;
    return `v${id}`;
  }

  // The level in which a key's thing stands.
  levelOf(key) {
    const id = Number(key.slice(1));
    return key[0] === "v" ? this.nodes[id].home : this.groups[id].parent;
  }

  verticesOf(key) {
    const id = Number(key.slice(1));
    return key[0] === "v" ? [id] : this.members[id];
  }

  // The edges between what is on the screen: { source, target, times }.
  visibleEdges() {
    const merged = new Map();
    const stands = this.nodes.map((_, id) => this.standsFor(id));
    for (const [a, b, times] of this.data.edges) {
      const source = stands[a], target = stands[b];
      if (source === target) continue;
      const name = `${source}>${target}`;
      const known = merged.get(name);
      if (known) known.times += times;
      else merged.set(name, { source, target, times });
    }
    return [...merged.values()];
  }

  // Open what hides a vertex; true if anything changed.
  reveal(id) {
    let changed = false;
    for (const group of this.chain(this.nodes[id].home)) changed = this.closed.delete(group) || changed;
    return changed;
  }

  // Close modules, the inner ones first, until about so many things are on the screen.
  closeTo(limit) {
    const depth = (group) => this.chain(group).length;
    const deepest = most([0, ...this.live.map(depth)]);
    for (let level = deepest; level > 0; level--) {
      const visible = new Set(this.nodes.map((_, id) => this.standsFor(id)));
      if (visible.size <= limit) return;
      for (const group of this.live) if (depth(group) === level) this.closed.add(group);
    }
  }

  // --- The backward pass ---------------------------------------------------------------------

  // Steps are numbered from 1; `at` is how many have happened.
  rememberSteps() {
    this.steps = this.data.steps;
    this.arrivals = this.nodes.map(() => []); // per vertex, the steps at which something arrived
    this.sizes = this.steps.map((step, k) => {
      for (const id of step.nodes) this.arrivals[id].push(k + 1);
      return sizeOf(step.stats);
    });
    this.at = this.steps.length;
  }

  // The last step up to now at which a gradient arrived at a vertex; 0 if none has.
  arrived(id) {
    let last = 0;
    for (const step of this.arrivals[id]) if (step <= this.at) last = step;
    return last;
  }

  // What is known of the gradient behind a key: that of a vertex, or the largest within a module.
  sizeAt(key) {
    let largest = null;
    for (const id of this.verticesOf(key)) {
      const step = this.arrived(id);
      if (!step) continue;
      const size = this.sizes[step - 1];
      if (largest === null || rankOfSize(size) > rankOfSize(largest)) largest = size;
    }
    return largest;
  }
}

// A gradient's size over all outputs: { norm, status }.
function sizeOf(stats) {
  const statuses = new Set(stats.map((part) => part.status));
  for (const bad of ["nan", "inf"]) if (statuses.has(bad)) return { norm: null, status: bad };
  const norms = stats.filter((part) => part.status !== "empty").map((part) => part.norm);
  if (!norms.length) return { norm: null, status: "empty" };
  const norm = Math.hypot(...norms);
  return { norm, status: norm ? "ok" : "zero" };
}

function rankOfSize(size) {
  return { empty: -2, zero: -1, ok: size.norm, inf: Infinity, nan: Infinity }[size.status];
}
