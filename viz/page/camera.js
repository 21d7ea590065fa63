// Moving about: pan, zoom, what is near enough to be written, and the small map of the whole.

const ZOOM = [0.02, 4]; // further out where the whole drawing asks for it
const READABLE = 1.1; // at which a page opens: the smallest words are 11 pixels high

class Camera {
  constructor(scene) {
    this.scene = scene;
    this.x = this.y = 0;
    this.k = 1;
    this.map = document.getElementById("map");
    this.asked = false;
    this.pointers = new Map();
    this.listen();
  }

  // Asking the document for a size after a change makes it lay everything out: asked for once.
  get view() {
    if (!this.size) {
      const { width, height } = this.scene.root.getBoundingClientRect();
      this.size = { width: width || 800, height: height || 600 };
    }
    return this.size;
  }

  // One update a frame, however many events ask for it.
  update() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      this.apply();
    });
  }

  apply() {
    const { scene } = this;
    scene.world.setAttribute("transform", `translate(${short(this.x)} ${short(this.y)}) scale(${this.k})`);
    const near = this.k >= NEAR;
    scene.root.classList.toggle("far", !near);
    const [, top, , bottom] = this.window;
    scene.showBetween(top, bottom);
    if (near) this.writeWords();
    this.placeLabels();
    this.drawMap();
  }

  // The part of the drawing that is on the screen: left, top, right, bottom.
  get window() {
    const { width, height } = this.view;
    return [-this.x / this.k, -this.y / this.k, (width - this.x) / this.k, (height - this.y) / this.k];
  }

  writeWords() {
    const [left, top, right, bottom] = this.window;
    for (const key of this.scene.keysBetween(top, bottom)) {
      const [x, y, width, height] = this.scene.rects.get(key).box;
      if (x < right && x + width > left && y < bottom && y + height > top) this.scene.wordsOf(key);
    }
  }

  // Names of modules have their own strip, which no line crosses.  From too far away to read them
  // there they grow, on a plate that covers what is below, and inner ones give way to outer ones.
  placeLabels() {
    const near = this.k >= NEAR;
    const size = near ? LABEL_SIZE : 11 / this.k;
    if (near && this.labelSize === size && this.labelled === this.scene.labels) return;
    [this.labelSize, this.labelled] = [size, this.scene.labels];
    const [left, top, right, bottom] = this.window;
    const taken = [];
    for (const one of this.scene.labels) {
      const { x, y, width } = one;
      const wide = ((one.words - 8) * size) / LABEL_SIZE;
      const place = [x, y, x + wide, y + size * 1.5];
      const shown = near || (x < right && place[2] > left && y < bottom && place[3] > top
        && wide <= width && taken.every((t) => place[2] < t[0] || place[0] > t[2] || place[3] < t[1] || place[1] > t[3]));
      if (shown && !near) taken.push(place);
      this.scene.placeLabel(one, shown, size, near ? 8 : size * 0.4, near ? 0 : wide);
    }
  }

  zoom(factor, at = null) {
    const { width, height } = this.view;
    const [px, py] = at || [width / 2, height / 2];
    const k = Math.max(Math.min(ZOOM[0], this.whole), Math.min(ZOOM[1], this.k * factor));
    this.x = px - ((px - this.x) * k) / this.k;
    this.y = py - ((py - this.y) * k) / this.k;
    this.k = k;
    this.update();
  }

  // The scale at which the whole drawing is on the screen.
  get whole() {
    const { width, height } = this.view;
    const { drawn } = this.scene;
    return Math.max(1e-4, Math.min(1.5, (width - 24) / drawn.width, (height - 24) / drawn.height));
  }

  // The whole drawing.
  fit() {
    const { width, height } = this.view;
    const { drawn } = this.scene;
    this.k = this.whole;
    this.x = (width - drawn.width * this.k) / 2;
    this.y = (height - drawn.height * this.k) / 2;
    this.update();
  }

  // The whole drawing if it can be read so; else its upper end, as large as words must be.
  start() {
    // In a frame or tab that is not shown yet there is nothing to fit into.
    this.unseen = !this.scene.root.getBoundingClientRect().width;
    this.fit();
    if (this.k >= READABLE) return;
    const { width } = this.view;
    const { drawn } = this.scene;
    this.k = READABLE;
    this.y = 12;
    this.x = (width - drawn.width * this.k) / 2;
    const top = [...this.scene.rects.values()].reduce((a, b) => (b.box[1] < a.box[1] ? b : a));
    const middle = top.box[0] + top.box[2] / 2;
    // Where it is wider than the screen: its first box in the middle, but no empty margin.
    if (this.x < 0) this.x = Math.max(width - 12 - drawn.width * this.k, Math.min(12, width / 2 - middle * this.k));
  }

  // Bring a box to the middle if it is not in view.
  show(key, always = false) {
    const entry = this.scene.rects.get(key);
    if (!entry) return;
    const [x, y, width, height] = entry.box;
    const [left, top, right, bottom] = this.window;
    const margin = 20 / this.k;
    const inside = x > left + margin && x + width < right - margin
      && y > top + margin && y + height < bottom - margin;
    if (inside && !always) return;
    const { width: w, height: h } = this.view;
    this.x = w / 2 - (x + width / 2) * this.k;
    this.y = h / 2 - (y + height / 2) * this.k;
    this.update();
  }

  // --- The map ---------------------------------------------------------------------------------

  // The whole anew, after a new layout or in other colours.
  redrawMap() {
    this.mapPicture = null;
    this.update();
  }

  // Only these boxes: a step of the backward pass changes few.
  repaintMap(keys) {
    if (this.mapPicture) for (const key of keys) this.mapBox(key);
    this.update();
  }

  makeMap() {
    const { drawn, rects } = this.scene;
    const ratio = window.devicePixelRatio || 1;
    const scale = Math.min(150 / drawn.width, Math.min(320, this.view.height / 2) / drawn.height);
    const size = [Math.max(28, drawn.width * scale), Math.max(20, drawn.height * scale)];
    this.mapScale = scale;
    this.mapPicture = document.createElement("canvas");
    [this.map.width, this.map.height] = size.map((v) => Math.round(v * ratio));
    [this.map.style.width, this.map.style.height] = size.map((v) => `${Math.round(v)}px`);
    [this.mapPicture.width, this.mapPicture.height] = [this.map.width, this.map.height];
    this.mapPen = this.mapPicture.getContext("2d");
    this.mapPen.scale(scale * ratio, scale * ratio);
    this.colour = coloursOfPage();
    this.mapPen.strokeStyle = this.colour("--module-edge");
    this.mapPen.lineWidth = 1 / scale;
    for (const box of drawn.modules.values()) this.mapPen.strokeRect(...box);
    for (const key of rects.keys()) this.mapBox(key);
  }

  mapBox(key) {
    const entry = this.scene.rects.get(key);
    if (!entry) return;
    const { heat, kind, box: [x, y, width, height] } = entry;
    const plain = kind === "leaf" ? "--leaf-edge" : "--line";
    this.mapPen.fillStyle = this.colour(heat ? `--${heat}` : plain);
    const thin = 1 / this.mapScale;
    this.mapPen.fillRect(x, y, Math.max(width, thin), Math.max(height, thin));
  }

  drawMap() {
    if (!this.mapPicture) this.makeMap();
    const ratio = window.devicePixelRatio || 1;
    const pen = this.map.getContext("2d");
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, this.map.width, this.map.height);
    pen.drawImage(this.mapPicture, 0, 0);
    const [left, top, right, bottom] = this.window;
    pen.scale(this.mapScale * ratio, this.mapScale * ratio);
    pen.strokeStyle = this.colour("--accent");
    pen.lineWidth = 1.5 / this.mapScale;
    pen.strokeRect(left, top, right - left, bottom - top);
  }

  goTo(event) {
    const place = this.map.getBoundingClientRect();
    const { width, height } = this.view;
    this.x = width / 2 - ((event.clientX - place.left) / this.mapScale) * this.k;
    this.y = height / 2 - ((event.clientY - place.top) / this.mapScale) * this.k;
    this.update();
  }

  // --- Pointer and wheel -------------------------------------------------------------------------

  listen() {
    const { root } = this.scene;
    const inRoot = (event) => {
      const { left, top } = root.getBoundingClientRect();
      return [event.clientX - left, event.clientY - top];
    };
    root.addEventListener("wheel", (event) => {
      event.preventDefault();
      const lines = event.deltaMode === 1 ? 16 : 1;
      this.zoom(Math.exp(-event.deltaY * lines * 0.0015), inRoot(event));
    }, { passive: false });
    root.addEventListener("pointerdown", (event) => {
      this.pointers.set(event.pointerId, inRoot(event));
      this.moved = 0;
    });
    window.addEventListener("pointermove", (event) => {
      if (this.pointers.has(event.pointerId)) this.drag(event.pointerId, inRoot(event));
    });
    for (const end of ["pointerup", "pointercancel"]) {
      window.addEventListener(end, (event) => this.pointers.delete(event.pointerId));
    }
    this.map.addEventListener("pointerdown", (event) => {
      this.map.setPointerCapture(event.pointerId);
      this.goTo(event);
    });
    this.map.addEventListener("pointermove", (event) => {
      if (event.buttons) this.goTo(event);
    });
    new ResizeObserver(() => {
      this.size = null;
      if (this.unseen) this.start();
      this.mapPicture = null;
      this.update();
    }).observe(root);
  }

  // One pointer moves the drawing, two zoom it as well.
  drag(id, to) {
    const from = this.pointers.get(id);
    const others = [...this.pointers].filter(([other]) => other !== id).map(([, at]) => at);
    this.pointers.set(id, to);
    this.moved += Math.hypot(to[0] - from[0], to[1] - from[1]);
    if (others.length) {
      const distance = (p) => Math.hypot(p[0] - others[0][0], p[1] - others[0][1]) || 1;
      const middle = [(to[0] + others[0][0]) / 2, (to[1] + others[0][1]) / 2];
      this.zoom(distance(to) / distance(from), middle);
      return;
    }
    this.x += to[0] - from[0];
    this.y += to[1] - from[1];
    this.update();
  }
}
