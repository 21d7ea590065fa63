// The order of the items within each row, with few crossings (tensorgrad/viz/layouts/ordering.py).

// above[item] and below[item] hold [neighbour, place on it in [-0.5, 0.5)]; pinned items stay first.
function orderRows(rows, above, below, pinned) {
  const size = rows.reduce((sum, row) => sum + row.length, 0);
  const sweeps = size < 600 ? 24 : size < 6000 ? 10 : 4;
  let best = rows.map((row) => [...row]);
  let fewest = countCrossings(best, below);
  const current = rows.map((row) => [...row]);
  const place = new Array(above.length).fill(0);
  for (let sweep = 0; sweep < sweeps && fewest; sweep++) {
    current.forEach((row) => row.forEach((item, i) => { place[item] = i; }));
    if (sweep % 2) {
      for (let r = current.length - 2; r >= 0; r--) sortRow(current[r], below, place, pinned);
    } else {
      for (let r = 1; r < current.length; r++) sortRow(current[r], above, place, pinned);
    }
    if (size < 3000) swapNeighbours(current, above, below, pinned);
    const crossings = countCrossings(current, below);
    if (crossings < fewest) {
      best = current.map((row) => [...row]);
      fewest = crossings;
    }
  }
  return best;
}

function countCrossings(rows, below) {
  const position = new Map();
  let total = 0;
  for (let r = 0; r + 1 < rows.length; r++) {
    position.clear();
    rows[r + 1].forEach((item, i) => position.set(item, i));
    total += crossingsBetween(rows[r], position, below);
  }
  return total;
}

// Sort one row by the mean place of each item's neighbours; the others keep their places.
function sortRow(row, beside, place, pinned) {
  const want = new Map();
  const free = [];
  for (const item of row) {
    const near = beside[item];
    if (pinned.has(item) || !near.length) continue;
    let sum = 0;
    for (const [other, shift] of near) sum += place[other] + shift;
    want.set(item, sum / near.length);
    free.push(item);
  }
  free.sort((a, b) => want.get(a) - want.get(b));
  let next = 0;
  row.forEach((item, i) => { if (want.has(item)) row[i] = free[next++]; });
  row.forEach((item, i) => { place[item] = i; });
}

// Inversions among the edges between two rows, with a binary indexed tree.
function crossingsBetween(upper, position, below) {
  const ends = [];
  for (const item of upper) {
    const found = [];
    for (const [other, shift] of below[item]) {
      if (position.has(other)) found.push(position.get(other) + shift);
    }
    found.sort((a, b) => a - b);
    ends.push(...found);
  }
  if (ends.length < 2) return 0;
  const ranks = new Map([...new Set(ends)].sort((a, b) => a - b).map((end, i) => [end, i + 1]));
  const tree = new Array(ranks.size + 1).fill(0);
  let total = 0;
  ends.forEach((end, seen) => {
    const rank = ranks.get(end);
    let notBeyond = 0;
    for (let at = rank; at; at &= at - 1) notBeyond += tree[at];
    total += seen - notBeyond;
    for (let at = rank; at < tree.length; at += at & -at) tree[at] += 1;
  });
  return total;
}

// Swap adjacent items while that removes crossings: what barycentres leave behind.
function swapNeighbours(rows, above, below, pinned) {
  const place = new Array(above.length).fill(0);
  rows.forEach((row) => row.forEach((item, i) => { place[item] = i; }));
  const gain = (left, right, beside) => {
    let sum = 0;
    for (const [a, s] of beside[left]) {
      for (const [b, t] of beside[right]) sum += Math.sign(place[a] + s - place[b] - t);
    }
    return sum;
  };
  for (const row of rows) {
    for (let round = 0; round < 3; round++) {
      let improved = false;
      for (let i = 0; i + 1 < row.length; i++) {
        const left = row[i], right = row[i + 1];
        if (pinned.has(left) || pinned.has(right)) continue;
        if (gain(left, right, above) + gain(left, right, below) > 0) {
          row[i] = right;
          row[i + 1] = left;
          place[left] = i + 1;
          place[right] = i;
          improved = true;
        }
      }
      if (!improved) break;
    }
  }
}
