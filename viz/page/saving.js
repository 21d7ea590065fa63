// The picture on the screen as an SVG file that needs no style sheet: for papers and for Inkscape.

const KEPT = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linejoin", "paint-order",
  "font-family", "font-size", "font-weight", "text-anchor"];

function pictureAsSvg(scene) {
  for (const key of scene.rects.keys()) scene.wordsOf(key);
  const far = scene.root.classList.contains("far");
  scene.root.classList.remove("far");
  for (const label of scene.labels) scene.placeLabel(label, true, LABEL_SIZE, 8, 0);
  scene.labels = [...scene.labels]; // which the camera places again
  const { width, height } = scene.drawn;
  const out = svg("svg", { width: Math.ceil(width), height: Math.ceil(height), viewBox: `0 0 ${Math.ceil(width)} ${Math.ceil(height)}` });
  const paper = getComputedStyle(document.documentElement).getPropertyValue("--paper").trim();
  out.append(svg("rect", { width: "100%", height: "100%", fill: paper }));
  out.append(...plainCopies(scene.world));
  scene.root.classList.toggle("far", far);
  return new XMLSerializer().serializeToString(out);
}

// Plates are for names that are read from afar.
function plainCopies(element) {
  return [...element.children].filter((child) => !child.classList.contains("plate")).map(plainCopy);
}

function plainCopy(element) {
  const made = document.createElementNS(SVG, element.tagName);
  for (const { name, value } of element.attributes) {
    if (["x", "y", "width", "height", "rx", "d"].includes(name)) made.setAttribute(name, value);
  }
  if (element.tagName !== "g") {
    const style = getComputedStyle(element);
    for (const name of KEPT) {
      const value = style.getPropertyValue(name);
      if (value && value !== "none" && value !== "normal") made.setAttribute(name, value);
    }
    if (style.fill === "none") made.setAttribute("fill", "none");
    if (element.tagName === "rect" && element.getAttribute("aria-label")) {
      made.append(svg("title", {}, element.getAttribute("aria-label")));
    }
  }
  if (element.tagName === "text") made.textContent = element.textContent.replace(/^[▾▸] /, "");
  else made.append(...plainCopies(element));
  return made;
}

function savePicture(scene) {
  const file = new Blob([pictureAsSvg(scene)], { type: "image/svg+xml" });
  const link = html("a", { href: URL.createObjectURL(file), download: "graph.svg" });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
