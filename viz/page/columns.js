// Horizontal coordinates for ordered rows, after Brandes and Köpf (tensorgrad/viz/layouts/alignment.py).

// above[item] and below[item] hold [neighbour, place on this item, place on the neighbour].
function placeItems(rows, above, below, gap, dummy) {
  const n = dummy.length;
  const conflicts = findConflicts(rows, above, dummy);
  const variants = [];
  for (const upward of [true, false]) {
    for (const rightward of [false, true]) {
      const layers = rows.map((row) => (rightward ? [...row].reverse() : row));
      if (!upward) layers.reverse();
      const sign = rightward ? -1 : 1;
      const { root, shift } = alignBlocks(layers, upward ? above : below, conflicts, n, sign);
      const between = rightward ? (a, b) => gap(b, a) : gap;
      const x = packBlocks(layers, root, shift, between, n);
      variants.push(rightward ? x.map((v) => -v) : x);
    }
  }
  return balanced(variants);
}

// Edges that cross an edge between two dummies and must give way to it, as upper * n + lower.
function findConflicts(rows, above, dummy) {
  const found = new Set();
  const n = dummy.length;
  const inner = (item) => {
    if (dummy[item]) for (const [near] of above[item]) if (dummy[near]) return near;
    return null;
  };
  const place = new Array(n).fill(0);
  for (let r = 0; r + 1 < rows.length; r++) {
    const upper = rows[r], lower = rows[r + 1];
    upper.forEach((item, i) => { place[item] = i; });
    let left = -1, start = 0;
    lower.forEach((item, i) => {
      const straight = inner(item);
      if (straight === null && i < lower.length - 1) return;
      const right = straight === null ? upper.length : place[straight];
      for (const other of lower.slice(start, i + 1)) {
        for (const [near] of above[other]) {
          const at = place[near];
          if ((at < left || at > right) && !(dummy[near] && dummy[other])) {
            found.add(near * n + other);
          }
        }
      }
      left = right;
      start = i;
    });
  }
  return found;
}

// Align each item with a median neighbour: its block's root, and its shift within the block.
function alignBlocks(layers, beside, conflicts, n, sign) {
  const root = Array.from({ length: n }, (_, i) => i);
  const aligned = [...root];
  const shift = new Array(n).fill(0);
  let place = new Map();
  for (const layer of layers) {
    let reached = -1;
    for (const item of layer) {
      const near = [];
      for (const [other, s, e] of beside[item]) {
        if (place.has(other)) near.push([place.get(other), s, e, other]);
      }
      if (!near.length) continue;
      near.sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
      const last = Math.floor(near.length / 2);
      for (let k = Math.floor((near.length - 1) / 2); k <= last && k < near.length; k++) {
        const [at, start, end, other] = near[k];
        const crossing = conflicts.has(other * n + item) || conflicts.has(item * n + other);
        if (aligned[item] === item && reached < at && !crossing) {
          aligned[other] = item;
          root[item] = root[other];
          aligned[item] = root[item];
          shift[item] = shift[other] + sign * (end - start);
          reached = at;
        }
      }
    }
    place = new Map(layer.map((item, i) => [item, i]));
  }
  return { root, shift };
}

// Put the blocks as far left as they go, then pull each to the right as far as it may.
function packBlocks(layers, root, shift, gap, n) {
  const after = Array.from({ length: n }, () => new Map());
  const incoming = new Array(n).fill(0);
  for (const layer of layers) {
    for (let i = 0; i + 1 < layer.length; i++) {
      const a = layer[i], b = layer[i + 1];
      const need = gap(a, b) + shift[a] - shift[b];
      const heads = after[root[a]];
      const known = heads.get(root[b]);
      if (known === undefined) incoming[root[b]] += 1;
      if (known === undefined || known < need) heads.set(root[b], need);
    }
  }
  const order = [];
  for (let i = 0; i < n; i++) if (root[i] === i && !incoming[i]) order.push(i);
  const x = new Array(n).fill(0);
  for (const block of order) {
    for (const [head, need] of after[block]) {
      x[head] = Math.max(x[head], x[block] + need);
      incoming[head] -= 1;
      if (!incoming[head]) order.push(head);
    }
  }
  for (let k = order.length - 1; k >= 0; k--) {
    const block = order[k];
    let most = Infinity;
    for (const [head, need] of after[block]) most = Math.min(most, x[head] - need);
    if (after[block].size) x[block] = Math.max(x[block], most);
  }
  return root.map((r, item) => x[r] + shift[item]);
}

// Bring the variants over the narrowest one, and take the mean of the middle two.
function balanced(variants) {
  const ends = variants.map((x) => [least(x), most(x)]);
  let narrow = 0;
  ends.forEach(([low, high], i) => {
    if (high - low < ends[narrow][1] - ends[narrow][0]) narrow = i;
  });
  const [low, high] = ends[narrow];
  const by = ends.map(([l, h], i) => (i % 2 ? high - h : low - l));
  return variants[0].map((_, item) => {
    const four = variants.map((x, i) => x[item] + by[i]).sort((a, b) => a - b);
    return (four[1] + four[2]) / 2;
  });
}

// Math.min(...values) overflows the stack on long arrays.
function least(values) {
  return values.reduce((a, b) => Math.min(a, b), Infinity);
}

function most(values) {
  return values.reduce((a, b) => Math.max(a, b), -Infinity);
}
