// How large a gradient is, as one of a few colours on a log scale; numbers as text.

class Heat {
  constructor(stops, sizes) {
    this.count = stops.length;
    const style = document.documentElement.style;
    stops.forEach(([fill, ink], i) => {
      style.setProperty(`--heat${i}`, fill);
      style.setProperty(`--ink${i}`, ink);
    });
    const norms = sizes.filter((size) => size.status === "ok").map((size) => size.norm);
    this.broken = sizes.some((size) => size.status === "nan" || size.status === "inf");
    this.low = norms.length ? least(norms) : 1;
    this.high = norms.length ? most(norms) : 1;
    // At least two decades: rounding errors between equal gradients must not fill the scale.
    const span = Math.log10(this.high / this.low);
    const missing = Math.max(0, 2 - span) / 2;
    this.from = Math.log10(this.low) - missing;
    this.span = Math.max(span, 2);
  }

  // The share of the scale, 0 to 1.
  share(norm) {
    return Math.max(0, Math.min(1, (Math.log10(norm) - this.from) / this.span));
  }

  // The class that colours a size; "" where no gradient has arrived.
  classOf(size) {
    if (size === null) return "";
    if (size.status !== "ok") return { zero: "zero", empty: "zero" }[size.status] || "bad";
    return `heat${Math.min(this.count - 1, Math.floor(this.share(size.norm) * this.count))}`;
  }
}

// The page's colours by their names, each asked for once.
function coloursOfPage() {
  const style = getComputedStyle(document.documentElement);
  const known = new Map();
  return (name) => {
    if (!known.has(name)) known.set(name, style.getPropertyValue(name).trim());
    return known.get(name);
  };
}

function numberText(value) {
  if (value === null || value === undefined) return "–";
  if (typeof value === "string") return { nan: "NaN", inf: "∞", "-inf": "−∞" }[value] || value;
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size >= 1e-3 && size < 1e6 ? String(Number(value.toPrecision(4))) : value.toExponential(2);
  return text.replaceAll("-", "−").replace("e+", "e");
}

function sizeText(size) {
  if (size === null) return "no gradient yet";
  return { nan: "NaN", inf: "∞", empty: "no elements", zero: "0 (computed)" }[size.status]
    || numberText(size.norm);
}

function plural(n, noun) {
  return `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;
}
