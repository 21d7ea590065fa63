// Ranks for a layered layout: every edge points down at least one row, and few edges are long.
// The layout is the one of tensorgrad/viz/layouts/ranking.py and its neighbours, which say why; a test
// compares the two.

const GATHERED = 4; // computed inputs above which an operation gathers (stack, cat)

// Items 0..n-1 so that edges [tail, head] go forward.
function topological(n, edges) {
  const incoming = new Array(n).fill(0);
  const after = Array.from({ length: n }, () => []);
  for (const [tail, head] of edges) {
    incoming[head] += 1;
    after[tail].push(head);
  }
  const order = [];
  for (let item = 0; item < n; item++) if (!incoming[item]) order.push(item);
  for (const item of order) {
    for (const head of after[item]) {
      incoming[head] -= 1;
      if (!incoming[head]) order.push(head); // grows while it is walked
    }
  }
  return order;
}

// A rank for each item of an acyclic graph, from 0.
function rankItems(n, edges) {
  const before = Array.from({ length: n }, () => []);
  const after = Array.from({ length: n }, () => []);
  for (const [tail, head] of edges) {
    after[tail].push(head);
    before[head].push(tail);
  }
  const rank = new Array(n).fill(0);
  for (const item of topological(n, edges).reverse()) {
    let least = Infinity;
    for (const head of after[item]) least = Math.min(least, rank[head] - 1);
    rank[item] = after[item].length ? least : 0;
  }
  for (let round = 0; round < 12; round++) if (!shiftParts(rank, before, after)) break;
  liftStrands(rank, edges, before, after, findStrands(n, edges));
  const lowest = rank.reduce((a, b) => Math.min(a, b), n ? rank[0] : 0);
  return rank.map((r) => r - lowest);
}

// Shift each part joined by edges of length 1, if that shortens the edges leaving it.
function shiftParts(rank, before, after) {
  const part = tightParts(rank, after);
  const members = new Map();
  part.forEach((root, item) => {
    if (!members.has(root)) members.set(root, []);
    members.get(root).push(item);
  });
  let moved = false;
  for (const [root, items] of members) {
    let ups = 0, downs = 0, up = Infinity, down = Infinity, fanIn = 0, fanOut = 0;
    for (const item of items) {
      for (const tail of before[item]) {
        if (part[tail] !== root) {
          ups += 1;
          fanOut += after[tail].length;
          up = Math.min(up, rank[item] - rank[tail]);
        }
      }
      for (const head of after[item]) {
        if (part[head] !== root) {
          downs += 1;
          fanIn += before[head].length;
          down = Math.min(down, rank[head] - rank[item]);
        }
      }
    }
    // Where it is all the same, long edges are better at the end where many meet.
    const gathered = ups === downs && fanIn > 2 * fanOut;
    let step = 0;
    if (ups && (ups > downs || gathered) && up > 1) step = 1 - up;
    else if (downs > ups && down > 1) step = down - 1;
    if (!step) continue;
    for (const item of items) rank[item] += step;
    moved = true;
  }
  return moved;
}

// What lies on a way of its own between something and a gathering of many (stack, cat).
function findStrands(n, edges) {
  const before = Array.from({ length: n }, () => []);
  const after = Array.from({ length: n }, () => []);
  for (const [tail, head] of edges) {
    after[tail].push(head);
    before[head].push(tail);
  }
  if (before.every((tails) => tails.length <= GATHERED)) return new Set();
  const gathers = before.map((tails) => tails.filter((tail) => before[tail].length).length > GATHERED);
  const strands = new Set();
  for (const item of topological(n, edges).reverse()) {
    if (after[item].length !== 1 || !before[item].length) continue;
    const head = after[item][0];
    if (gathers[head] || strands.has(head)) strands.add(item);
  }
  return strands;
}

// Draw strands up to the value that they come from; leaves come along.
function liftStrands(rank, edges, before, after, strands) {
  if (!strands.size) return;
  for (const item of topological(rank.length, edges)) {
    if (!strands.has(item)) continue;
    const leaves = before[item].filter((tail) => !before[tail].length && after[tail].length === 1);
    const flow = before[item].filter((tail) => !leaves.includes(tail));
    if (!flow.length) continue;
    rank[item] = most(flow.map((tail) => rank[tail])) + 1;
    for (const leaf of leaves) rank[leaf] = rank[item] - 1;
  }
}

// Union-find over the edges of length 1: for each item the representative of its part.
function tightParts(rank, after) {
  const parent = rank.map((_, item) => item);
  const find = (item) => {
    while (parent[item] !== item) {
      parent[item] = parent[parent[item]];
      item = parent[item];
    }
    return item;
  };
  after.forEach((heads, tail) => {
    for (const head of heads) {
      if (rank[head] - rank[tail] === 1) {
        const a = find(tail), b = find(head);
        if (a !== b) parent[Math.max(a, b)] = Math.min(a, b);
      }
    }
  });
  return rank.map((_, item) => find(item));
}
