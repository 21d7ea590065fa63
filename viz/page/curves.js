// Curves of a layered layout: vertical through rows, an S between two, so that no box is crossed
// (tensorgrad/viz/layouts/splines.py).  Points are those of a cubic spline: a start, then threes.

function drawLinks(links, at) {
  const curves = new Array(links.length).fill(null);
  at.trunks.forEach((trunk, t) => {
    trunk.links.forEach((i, k) => { curves[i] = curveAlong(trunk, t, links[i], at, k > 0); });
  });
  links.forEach((link, i) => {
    if (!curves[i]) curves[i] = curveBetween(startOf(link, at), endOf(link, at));
  });
  return curves;
}

// One link's whole way, also along the part of a trunk that another link's curve draws.
function fullCurve(i, links, at) {
  const t = at.trunks.findIndex((trunk) => trunk.links.includes(i));
  if (t < 0) return curveBetween(startOf(links[i], at), endOf(links[i], at));
  return curveAlong(at.trunks[t], t, links[i], at, false);
}

const straightTo = (a, b) => [a, b, b];

function startOf(link, at) {
  const from = [at.x[link.tail] + link.tailX, at.y[link.tail] + at.heights[link.tail]];
  return [from, ...straightTo(from, [from[0], at.bottom[at.rank[link.tail]]])];
}

function endOf(link, at) {
  const to = [at.x[link.head] + link.headX, at.y[link.head]];
  const first = [to[0], at.top[at.rank[link.head]]];
  return [first, ...straightTo(first, to)];
}

function curveAlong(trunk, t, link, at, shared) {
  const first = at.rank[link.tail] + 1, last = at.rank[link.head] - 1;
  let middle = [];
  if (trunk.inLane) {
    const x = at.lanes.get(t);
    const from = [x, at.top[first]];
    middle = [from, ...straightTo(from, [x, at.bottom[last]])];
  } else {
    let low = first, high = last;
    if (shared && trunk.fromTail) low = last;
    else if (shared) high = first;
    for (let row = low; row <= high; row++) {
      const x = at.x[at.way.get(t)[row - trunk.first]];
      const from = [x, at.top[row]];
      const piece = [from, ...straightTo(from, [x, at.bottom[row]])];
      middle = middle.length ? joined(middle, piece) : piece;
    }
  }
  if (!shared) return curveBetween(joined(startOf(link, at), middle), endOf(link, at));
  if (trunk.fromTail) return curveBetween(middle.slice(-1), endOf(link, at));
  const curve = curveBetween(startOf(link, at), middle.slice(0, 1));
  curve.whole = false;
  return curve;
}

function curveBetween(upper, lower) {
  const [x0, y0] = upper[upper.length - 1], [x1, y1] = lower[0];
  return {
    points: tidy(joined(upper, lower)),
    middle: [(x0 + x1) / 2, (y0 + y1) / 2],
    whole: true,
  };
}

// Two curves with an S between them; its tangents are vertical, so it stays between.
function joined(upper, lower) {
  const [x0, y0] = upper[upper.length - 1], [x1, y1] = lower[0];
  const middle = (y0 + y1) / 2;
  return [...upper, [x0, middle], [x1, middle], ...lower];
}

// The same curve with empty pieces dropped and vertical runs merged into one.
function tidy(points) {
  const out = [points[0]];
  let run = false;
  for (let k = 1; k < points.length; k += 3) {
    const a = out[out.length - 1];
    const [c, d, b] = points.slice(k, k + 3);
    if (a[0] === b[0] && a[1] === b[1]) continue;
    const vertical = [c, d, b].every((p) => Math.abs(p[0] - a[0]) < 0.05);
    if (vertical && run) {
      const start = out[out.length - 4];
      out.splice(-3, 3, ...straightTo(start, [start[0], b[1]]));
    } else if (vertical) {
      out.push(...straightTo(a, [a[0], b[1]]));
    } else {
      out.push(c, d, b);
    }
    run = vertical;
  }
  return out;
}
