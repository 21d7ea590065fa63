// The backward pass as a film: a slider over its steps, in the order in which gradients arrived.

class Player {
  constructor(model, scene, camera, panel, heat) {
    Object.assign(this, { model, scene, camera, panel, heat });
    this.slider = document.getElementById("step");
    this.label = document.getElementById("step-label");
    this.strip = document.getElementById("strip");
    this.button = document.getElementById("play");
    this.timer = null;
    this.changed = () => {};
    this.slider.max = model.steps.length;
    this.slider.value = model.at;
    this.slider.addEventListener("input", () => this.go(Number(this.slider.value)));
    this.button.addEventListener("click", () => this.play());
    for (const [id, by] of [["first", -Infinity], ["back", -1], ["next", 1], ["last", Infinity]]) {
      document.getElementById(id).addEventListener("click", () => this.move(by));
    }
    this.strip.addEventListener("pointerdown", (event) => this.pick(event));
    this.strip.addEventListener("pointermove", (event) => { if (event.buttons) this.pick(event); });
    if (!model.steps.length) {
      document.getElementById("player").classList.add("empty");
      for (const control of document.querySelectorAll("#player button, #player input")) control.disabled = true;
    }
    this.describe();
  }

  move(by) {
    this.go(this.model.at + by);
  }

  // To a step: only boxes that something reached in between are painted again.
  go(step) {
    const { model, scene } = this;
    const to = Math.max(0, Math.min(model.steps.length, Math.round(step) || 0));
    const wanted = step === Infinity ? model.steps.length : step === -Infinity ? 0 : to;
    const from = model.at;
    model.at = wanted;
    const touched = new Set([scene.now]);
    for (let k = Math.min(from, wanted); k < Math.max(from, wanted); k++) {
      for (const id of model.steps[k].nodes) touched.add(model.standsFor(id));
    }
    this.mark();
    touched.add(scene.now);
    for (const key of touched) if (key) scene.paint(key);
    scene.lightUp();
    this.slider.value = wanted;
    this.describe();
    this.panel.refresh();
    if (scene.now && document.getElementById("follow").checked) this.camera.show(scene.now);
    this.camera.repaintMap(touched);
    this.changed();
  }

  // Where the present step happened.
  mark() {
    const step = this.model.steps[this.model.at - 1];
    this.scene.now = step ? this.model.standsFor(step.nodes[0]) : null;
  }

  describe() {
    const { model } = this;
    const step = model.steps[model.at - 1];
    let text = model.data.traced ? "before the backward pass" : "no backward pass was traced";
    if (step) {
      const node = model.nodes[step.nodes[0]];
      text = `${node.name || node.op} ${node.shape}: norm ${sizeText(model.sizes[model.at - 1])}`;
    }
    this.label.textContent = model.steps.length ? `${model.at} / ${model.steps.length}  ${text}` : text;
    this.slider.setAttribute("aria-valuetext", this.label.textContent);
    this.drawStrip();
  }

  play() {
    if (this.timer !== null) return this.stop();
    if (this.model.at >= this.model.steps.length) this.go(0);
    this.button.textContent = "Pause";
    this.button.setAttribute("aria-label", "Pause");
    const speed = Number(document.getElementById("speed").value);
    const pause = Math.max(33, Math.min(500, 20000 / this.model.steps.length)) / speed;
    this.timer = setInterval(() => {
      this.move(1);
      if (this.model.at >= this.model.steps.length) this.stop();
    }, pause);
    return undefined;
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    this.button.textContent = "Play";
    this.button.setAttribute("aria-label", "Play");
  }

  pick(event) {
    const { left, width } = this.strip.getBoundingClientRect();
    this.go(Math.ceil(((event.clientX - left) / width) * this.model.steps.length));
  }

  // The norms of all steps as bars on a log scale, and where we are.
  drawStrip() {
    const { model, strip } = this;
    if (!model.steps.length) return;
    const { theme = "" } = document.documentElement.dataset;
    if (!this.bars || this.bars.theme !== theme) this.makeBars(theme);
    if (!this.bars) return; // in a frame or tab that is not shown yet
    const { picture, colour, ratio } = this.bars;
    const { width: wide, height: high } = picture;
    const pen = strip.getContext("2d");
    const here = (wide * model.at) / model.steps.length;
    pen.clearRect(0, 0, wide, high);
    pen.drawImage(picture, 0, 0);
    pen.globalCompositeOperation = "source-atop";
    pen.globalAlpha = 0.72;
    pen.fillStyle = colour("--chrome");
    pen.fillRect(here, 0, wide - here, high);
    pen.globalAlpha = 1;
    pen.globalCompositeOperation = "source-over";
    pen.fillStyle = colour("--accent");
    pen.fillRect(Math.max(0, here - ratio), 0, 2 * ratio, high);
  }

  // Its bars, which only a new size or theme changes: asking for either at each step would have the
  // document laid out at each step.
  makeBars(theme) {
    const { model, strip, heat } = this;
    this.bars = null;
    const ratio = window.devicePixelRatio || 1;
    const { width, height } = strip.getBoundingClientRect();
    const wide = Math.round(width * ratio), high = Math.round(height * ratio);
    if (!wide || !high) return;
    const colour = coloursOfPage();
    const picture = document.createElement("canvas");
    [picture.width, picture.height] = [strip.width, strip.height] = [wide, high];
    const pen = picture.getContext("2d");
    const each = wide / model.steps.length;
    model.sizes.forEach((size, k) => {
      const share = size.status === "ok" ? 0.12 + 0.88 * heat.share(size.norm) : 0.06;
      const known = heat.classOf(size);
      pen.fillStyle = colour(known.startsWith("heat") ? `--${known}` : known === "bad" ? "--bad" : "--line");
      pen.fillRect(k * each, high * (1 - share), Math.max(each - (each > 4 ? 1 : 0), 1), high * share);
    });
    this.bars = { theme, picture, colour, ratio };
  }

  redrawStrip() {
    this.bars = null;
    this.drawStrip();
  }
}
