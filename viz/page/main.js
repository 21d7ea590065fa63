// Putting it together: selection, keys, the address, the theme.

const START_LIMIT = 250; // of boxes that are open when the page is

class Explorer {
  constructor(data) {
    this.model = new Model(data);
    this.heat = new Heat(data.heat, this.model.sizes);
    this.scene = new Scene(this.model, this.heat);
    this.camera = new Camera(this.scene);
    this.panel = new Panel(this.model, this.heat, {
      select: (key) => this.select(key, { show: true }),
      toggle: (group) => this.toggle(group),
    });
    this.player = new Player(this.model, this.scene, this.camera, this.panel, this.heat);
    this.search = new Search(this.model, this.scene, (key) => this.select(key, { show: true }));
    this.player.changed = () => this.writeAddress();
    this.model.closeTo(START_LIMIT);
    this.listen();
    this.drawLegend();
    this.scene.draw();
    this.panel.show(null);
    this.camera.start();
    this.readAddress();
    this.camera.apply();
  }

  // --- Selection and modules ---------------------------------------------------------------------

  select(key, { show = false } = {}) {
    const { scene } = this;
    if (key !== null && key[0] === "v" && this.model.reveal(Number(key.slice(1)))) this.redraw(key);
    const before = scene.selected;
    scene.selected = key;
    for (const one of [before, key]) if (one !== null) scene.paint(one);
    scene.lightUp();
    this.panel.show(key);
    if (key !== null) {
      if (show) this.camera.show(key);
      this.say(scene.rects.has(key) ? scene.said(key) : this.model.groups[Number(key.slice(1))].label);
    }
    this.writeAddress();
  }

  toggle(group) {
    const { closed } = this.model;
    if (!closed.delete(group)) closed.add(group);
    this.redraw(`g${group}`);
    this.select(`g${group}`);
  }

  setAll(groups) {
    this.model.closed = new Set(groups);
    this.redraw(null);
    this.camera.start();
    this.camera.update();
  }

  // A new layout; what it is about stays where it is on the screen.
  redraw(key) {
    const { scene, camera } = this;
    const before = this.placeOf(key);
    this.player.mark();
    scene.draw();
    const after = this.placeOf(key);
    if (before && after) {
      camera.x += (before[0] - after[0]) * camera.k;
      camera.y += (before[1] - after[1]) * camera.k;
    }
    camera.redrawMap();
  }

  // The upper middle of a box or an open module.
  placeOf(key) {
    const { drawn } = this.scene;
    if (key === null || !drawn) return null;
    const box = drawn.boxes.get(key) || (key[0] === "g" && drawn.modules.get(Number(key.slice(1))));
    return box ? [box[0] + box[2] / 2, box[1]] : null;
  }

  say(text) {
    document.getElementById("said").textContent = text;
  }

  // To an input (-1) or a reader (1) of what is selected.
  walk(by) {
    const { scene, model } = this;
    const key = scene.selected;
    const ends = scene.drawn.edges.filter((edge) => (by < 0 ? edge.target : edge.source) === key);
    if (ends.length) {
      const others = ends.map((edge) => (by < 0 ? edge.source : edge.target));
      // The main line through the network first, then what feeds it.
      const op = others.find((other) => other[0] === "g" || model.nodes[Number(other.slice(1))].kind === "op");
      this.select(op || others[0], { show: true });
    } else if (key === null || !scene.rects.has(key)) {
      this.select([...scene.rects.keys()][by < 0 ? scene.rects.size - 1 : 0], { show: true });
    }
  }

  // --- The address -----------------------------------------------------------------------------

  // #node=12&step=3: what is selected and when.
  readAddress() {
    const words = new URLSearchParams(location.hash.slice(1));
    const { model } = this;
    if (words.has("step")) this.player.go(Number(words.get("step")));
    else this.player.mark();
    const node = words.get("node") || "";
    const group = /^g\d+$/.test(node) ? Number(node.slice(1)) : -1;
    if (/^\d+$/.test(node) && Number(node) < model.nodes.length) this.select(`v${Number(node)}`, { show: true });
    else if (model.live.includes(group)) this.select(node, { show: true });
  }

  writeAddress() {
    clearTimeout(this.writing);
    this.writing = setTimeout(() => {
      const words = new URLSearchParams();
      const key = this.scene.selected;
      if (key !== null) words.set("node", key[0] === "v" ? key.slice(1) : key);
      if (this.model.steps.length) words.set("step", this.model.at);
      this.written = words.size ? `#${words}` : " ";
      // A notebook's frame has no address of its own to write.
      if (location.protocol !== "about:") history.replaceState(null, "", this.written);
    }, 200);
  }

  // --- Theme, legend, help -----------------------------------------------------------------------

  switchTheme() {
    const { dataset } = document.documentElement;
    const dark = dataset.theme ? dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    dataset.theme = dark ? "light" : "dark";
    this.camera.redrawMap();
    this.player.redrawStrip();
  }

  drawLegend() {
    const place = document.getElementById("legend");
    if (!this.model.steps.length) return place.remove();
    const { count, low, high } = this.heat;
    const swatches = Array.from({ length: count }, (_, i) => html("i", { class: `swatch swatch${i}` }));
    place.append(html("span", {}, `‖gradient‖  ${numberText(low)}`), html("span", { class: "swatches" }, ...swatches), html("span", {}, numberText(high)));
    place.append(html("span", {}, html("i", { class: "swatch plain" }), " none"), html("span", {}, html("i", { class: "swatch zero" }), " zero"));
    if (this.heat.broken) place.append(html("span", {}, html("i", { class: "swatch bad" }), " not finite"));
    return undefined;
  }

  save() {
    savePicture(this.scene);
    this.camera.update();
  }

  help(open) {
    const dialog = document.getElementById("help");
    if (open && !dialog.open) dialog.showModal();
    else dialog.close();
  }

  // --- Events ------------------------------------------------------------------------------------

  listen() {
    const on = (id, act) => document.getElementById(id).addEventListener("click", act);
    const { scene, camera, model } = this;
    on("zoom-in", () => camera.zoom(1.3));
    on("zoom-out", () => camera.zoom(1 / 1.3));
    on("fit", () => camera.fit());
    on("close-all", () => this.setAll(model.live));
    on("open-all", () => this.setAll([]));
    on("theme", () => this.switchTheme());
    on("save", () => this.save());
    on("keys", () => this.help(true));
    on("help-close", () => this.help(false));
    scene.root.addEventListener("click", (event) => {
      if (camera.moved > 5) return; // the end of a drag
      const { key, group } = event.target.dataset;
      if (group !== undefined) this.toggle(Number(group));
      else if (key !== undefined && key[0] === "g") this.toggle(Number(key.slice(1)));
      else this.select(key === undefined ? null : key);
    });
    window.addEventListener("keydown", (event) => this.key(event));
    window.addEventListener("hashchange", () => { if (location.hash !== this.written) this.readAddress(); });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.camera.redrawMap();
      this.player.redrawStrip();
    });
    new ResizeObserver(() => this.player.redrawStrip()).observe(this.player.strip);
  }

  key(event) {
    const target = event.target;
    if (event.ctrlKey || event.metaKey || event.altKey || target.tagName === "SELECT") return;
    if (target.tagName === "INPUT" && target.type !== "range") return;
    if (document.getElementById("help").open) return;
    const { camera, player, model, scene } = this;
    const key = scene.selected;
    const toggleHere = () => {
      if (key === null) return;
      const group = key[0] === "g" ? Number(key.slice(1)) : model.nodes[Number(key.slice(1))].home;
      if (group !== null) this.toggle(group);
    };
    const keys = {
      "/": () => this.search.field.focus(),
      "?": () => this.help(true),
      ArrowRight: () => player.move(1),
      ArrowLeft: () => player.move(-1),
      PageUp: () => player.move(-10),
      PageDown: () => player.move(10),
      Home: () => player.go(-Infinity),
      End: () => player.go(Infinity),
      " ": () => player.play(),
      ArrowUp: () => this.walk(-1),
      ArrowDown: () => this.walk(1),
      Enter: toggleHere,
      c: toggleHere,
      C: () => this.setAll(model.live),
      E: () => this.setAll([]),
      "+": () => camera.zoom(1.3),
      "=": () => camera.zoom(1.3),
      "-": () => camera.zoom(1 / 1.3),
      f: () => camera.fit(),
      0: () => camera.fit(),
      t: () => this.switchTheme(),
      s: () => this.save(),
      Escape: () => { this.search.clear(); this.select(null); },
    };
    const act = keys[event.key];
    const onButton = target.tagName === "BUTTON" && (event.key === " " || event.key === "Enter");
    if (!act || onButton) return;
    event.preventDefault();
    act();
  }
}

const explorer = new Explorer(JSON.parse(document.getElementById("data").textContent));
window.explorer = explorer; // for the console, and for tests
requestAnimationFrame(() => setTimeout(() => {
  // After the first frame: milliseconds since the page was asked for.
  document.documentElement.dataset.ready = performance.now().toFixed(1);
}));
