// A layered layout of one level (tensorgrad/viz/layouts/layered.py): rows, dummies for long edges, order,
// places, curves.

const ITEM_GAP = 20; // between two boxes of a row
const LINE_GAP = 11; // between a box and a line, or two lines
const LANE_GAP = 8;
const ROW_GAP = 25; // between two rows, more where lines travel far
const PORT_GAP = 11; // between a border's row and the next

// Items are { width, height, row, lead }: row is "first" (what enters a group), "last" (what leaves
// it) or "".  Returns the level's size, the items' centres and upper ends, a curve for each link.
function arrange(items, links) {
  const { rank, strands } = levelRanks(items, links);
  const trunks = findTrunks(links, rank, 4 * items.length + 3000);
  const level = withDummies(items, links, rank, trunks);
  const rows = orderedRows(items, level);
  let x = levelColumns(items, level, rows, strands);
  const left = least(x.map((v, i) => v - level.width[i] / 2));
  x = x.map((v) => v - left);
  const right = most(x.map((v, i) => v + level.width[i] / 2));
  const { lanes, width } = levelLanes(trunks, right);
  const { top, bottom } = levelBands(items, links, level, trunks, rows, x);
  const hasAbove = new Set(links.map((link) => link.head));
  const hasBelow = new Set(links.map((link) => link.tail));
  const y = items.map((item, i) => {
    const room = bottom[level.rank[i]] - top[level.rank[i]] - item.height;
    // A box with neighbours on one side only moves towards them.
    let lift = !hasBelow.has(i) ? 0 : !hasAbove.has(i) ? room : room / 2;
    if (item.row) lift = item.row === "first" ? 0 : room;
    return top[level.rank[i]] + lift;
  });
  const heights = items.map((item) => item.height);
  const at = { x, y, heights, rank: level.rank, top, bottom, trunks, way: level.way, lanes };
  const height = bottom.length ? bottom[bottom.length - 1] : 0;
  return {
    width,
    height,
    x: x.slice(0, items.length),
    y,
    curves: drawLinks(links, at),
    fullCurve: (i) => fullCurve(i, links, at),
  };
}

// Rows: free items by rankItems, between the first row and the last.
function levelRanks(items, links) {
  const index = new Map();
  items.forEach((item, i) => { if (!item.row) index.set(i, index.size); });
  const inner = links
    .filter((link) => index.has(link.tail) && index.has(link.head))
    .map((link) => [index.get(link.tail), index.get(link.head)]);
  const ranks = rankItems(index.size, inner);
  const start = items.some((item) => item.row === "first") ? 1 : 0;
  const end = start + (ranks.length ? most(ranks) : -1) + 1;
  const rank = items.map((item, i) => {
    if (!item.row) return start + ranks[index.get(i)];
    return item.row === "first" ? 0 : end;
  });
  const free = [...index.keys()];
  return { rank, strands: new Set([...findStrands(free.length, inner)].map((k) => free[k])) };
}

function withDummies(items, links, ranks, trunks) {
  const rank = [...ranks];
  const width = items.map((item) => item.width);
  const dummy = items.map(() => false);
  const origin = items.map((_, i) => i); // for ties: a dummy sorts where its tail does
  const way = new Map(); // trunk -> its dummies
  const segments = new Map(); // [upper, lower, place on the upper, place on the lower]
  const segment = (a, b, atA, atB) => segments.set(`${a},${b},${atA},${atB}`, [a, b, atA, atB]);
  const trunkOf = new Map();
  trunks.forEach((trunk, t) => trunk.links.forEach((i) => trunkOf.set(i, t)));
  trunks.forEach((trunk, t) => {
    if (trunk.inLane) return;
    const own = Array.from({ length: trunk.length }, (_, k) => width.length + k);
    const from = least(trunk.links.map((i) => links[i].tail));
    own.forEach((_, k) => {
      width.push(0);
      dummy.push(true);
      origin.push(from);
      rank.push(trunk.first + k);
      if (k) segment(own[k - 1], own[k], 0, 0);
    });
    way.set(t, own);
  });
  links.forEach((link, i) => {
    if (!trunkOf.has(i)) {
      segment(link.tail, link.head, link.tailX, link.headX);
    } else if (way.has(trunkOf.get(i))) {
      const own = way.get(trunkOf.get(i)), first = trunks[trunkOf.get(i)].first;
      segment(link.tail, own[rank[link.tail] + 1 - first], link.tailX, 0);
      segment(own[rank[link.head] - 1 - first], link.head, 0, link.headX);
    }
  });
  return { rank, width, dummy, origin, way, segments: [...segments.values()] };
}

function orderedRows(items, level) {
  const { rank, width, origin, segments } = level;
  const rows = Array.from({ length: (rank.length ? most(rank) : -1) + 1 }, () => []);
  const lead = new Set();
  items.forEach((item, i) => { if (item.lead) lead.add(i); });
  const everything = width.map((_, i) => i);
  everything.sort((a, b) => lead.has(b) - lead.has(a) || origin[a] - origin[b] || a - b);
  for (const i of everything) rows[rank[i]].push(i);
  const above = width.map(() => []), below = width.map(() => []);
  for (const [a, b, atA, atB] of segments) {
    below[a].push([b, atB / (width[b] || 1)]);
    above[b].push([a, atA / (width[a] || 1)]);
  }
  return orderRows(rows, above, below, lead);
}

function levelColumns(items, level, rows, strands) {
  const { width, dummy, segments } = level;
  const above = width.map(() => []), below = width.map(() => []);
  const feeders = findFeeders(items, segments);
  const hanging = findHanging(strands, segments);
  const leaving = new Map();
  for (const [a, , atA] of segments) {
    if (!leaving.has(a)) leaving.set(a, []);
    leaving.get(a).push(atA);
  }
  for (const [a, b, atA, at] of segments) {
    if (feeders.has(a) || hanging.has(a) || hanging.has(b)) continue;
    // A line that leaves a group elsewhere than it came in would shift the next group, and that one
    // the next: so what is aligned is where groups are left, and lines bend.
    let atB = at;
    for (const [k, other] of (leaving.get(b) || []).entries()) {
      if (!k || Math.abs(other - at) < Math.abs(atB - at)) atB = other;
    }
    below[a].push([b, atA, atB]);
    above[b].push([a, atB, atA]);
  }
  const gap = (a, b) => {
    const line = dummy[a] || dummy[b] || !width[a] || !width[b];
    return (width[a] + width[b]) / 2 + (line ? LINE_GAP : ITEM_GAP);
  };
  const x = placeItems(rows, above, below, gap, dummy);
  for (const beside of [hanging, feeders]) {
    for (const row of rows) {
      const places = row.map((_, k) => k);
      for (const k of [...places, ...[...places].reverse()]) {
        const other = beside.get(row[k]);
        if (other === undefined) continue;
        const low = k ? x[row[k - 1]] + gap(row[k - 1], row[k]) : -1e9;
        const high = k + 1 < row.length ? x[row[k + 1]] - gap(row[k], row[k + 1]) : 1e9;
        x[row[k]] = Math.max(low, Math.min(high, x[other]));
      }
    }
  }
  return x;
}

// Items of side strands: item -> the item above that it hangs on.
function findHanging(strands, segments) {
  const fed = new Set(segments.map(([, b]) => b));
  const above = new Map();
  for (const [a, b] of segments) {
    if (!strands.has(b) || !fed.has(a)) continue;
    if (!above.has(b)) above.set(b, []);
    above.get(b).push(a);
  }
  return new Map([...above].filter(([, tails]) => tails.length === 1).map(([b, [a]]) => [b, a]));
}

// Leaves of an item that something else flows into as well: item -> the item it feeds.
function findFeeders(items, segments) {
  const heads = new Map(), fed = new Map();
  for (const [a, b] of segments) {
    if (!heads.has(a)) heads.set(a, []);
    heads.get(a).push(b);
    if (!fed.has(b)) fed.set(b, []);
    fed.get(b).push(a);
  }
  const lone = new Map();
  for (const [a, found] of heads) {
    if (found.length === 1 && !fed.has(a) && a < items.length && !items[a].row) lone.set(a, found[0]);
  }
  const feeders = new Map();
  for (const [a, b] of lone) if (fed.get(b).some((tail) => !lone.has(tail))) feeders.set(a, b);
  return feeders;
}

// The x of each lane by its trunk; trunks that do not meet share one.
function levelLanes(trunks, right) {
  const lanes = new Map();
  const freeFrom = [];
  const beside = [];
  trunks.forEach((trunk, t) => { if (trunk.inLane) beside.push([trunk.first, trunk.last, t]); });
  beside.sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
  for (const [first, last, t] of beside) {
    let k = freeFrom.findIndex((row) => row < first);
    if (k < 0) k = freeFrom.length;
    freeFrom[k] = last + 1;
    lanes.set(t, right + LINE_GAP + LANE_GAP * k);
  }
  return { lanes, width: Math.max(right, most([...lanes.values()])) };
}

// Upper and lower end of each row; rows between which lines travel far get more room.
function levelBands(items, links, level, trunks, rows, x) {
  const { rank, segments } = level;
  const travel = rows.map(() => 0);
  for (const [a, b, atA, atB] of segments) {
    travel[rank[a]] = Math.max(travel[rank[a]], Math.abs(x[a] + atA - x[b] - atB));
  }
  for (const trunk of trunks) {
    if (!trunk.inLane) continue;
    for (const i of trunk.links) {
      for (const row of [rank[links[i].tail], rank[links[i].head] - 1]) {
        travel[row] = Math.max(travel[row], 400);
      }
    }
  }
  const onBorder = (i) => i < items.length && Boolean(items[i].row);
  const top = [], bottom = [];
  let at = 0;
  rows.forEach((members, r) => {
    top.push(at);
    at += members.reduce((h, i) => (i < items.length ? Math.max(h, items[i].height) : h), 0);
    bottom.push(at);
    if (r + 1 < rows.length) {
      const border = members.some(onBorder) || rows[r + 1].some(onBorder);
      at += (border ? PORT_GAP : ROW_GAP) + Math.min(travel[r] * 0.055, 60);
    }
  });
  return { top, bottom };
}
