// Long edges: one chain of dummies, or one lane, for all that share an end (tensorgrad/viz/layouts/trunks.py).

// A link is { tail, head, tailX, headX }: where it leaves and arrives, from the items' centres.
function findTrunks(links, rank, budget) {
  const long = [];
  links.forEach((link, i) => { if (rank[link.head] - rank[link.tail] > 1) long.push(i); });
  const tailOf = (link) => `t${link.tail},${link.tailX}`;
  const headOf = (link) => `h${link.head},${link.headX}`;
  const uses = new Map();
  for (const i of long) {
    for (const end of [tailOf(links[i]), headOf(links[i])]) uses.set(end, (uses.get(end) || 0) + 1);
  }
  const bundles = new Map();
  for (const i of long) {
    const fromTail = uses.get(tailOf(links[i])) >= uses.get(headOf(links[i]));
    const end = fromTail ? tailOf(links[i]) : headOf(links[i]);
    if (!bundles.has(end)) bundles.set(end, { fromTail, members: [] });
    bundles.get(end).members.push(i);
  }
  const trunks = [];
  for (const { fromTail, members } of bundles.values()) {
    const length = (i) => rank[links[i].head] - rank[links[i].tail];
    members.sort((a, b) => length(b) - length(a) || a - b);
    const first = least(members.map((i) => rank[links[i].tail])) + 1;
    const last = most(members.map((i) => rank[links[i].head])) - 1;
    trunks.push({ links: members, fromTail, first, last, length: last - first + 1, inLane: false });
  }
  let places = trunks.reduce((sum, trunk) => sum + trunk.length, 0);
  for (const trunk of [...trunks].sort((a, b) => b.length - a.length)) {
    if (places <= budget) break;
    trunk.inLane = true;
    places -= trunk.length;
  }
  return trunks;
}
