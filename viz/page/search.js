// Finding boxes by name, operation, module, shape or line.

class Search {
  constructor(model, scene, go) {
    Object.assign(this, { model, scene, go });
    this.field = document.getElementById("search");
    this.list = document.getElementById("found");
    this.at = -1;
    this.texts = model.nodes.map((node) => {
      const modules = model.chain(node.home).map((group) => model.groups[group].label);
      const place = node.place ? `${node.place[0]}:${node.place[1]}` : "";
      return [node.name, node.op, node.shape, place, ...modules].join(" ").toLowerCase();
    });
    this.field.addEventListener("input", () => this.find());
    this.field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.step(event.shiftKey ? -1 : 1);
      else if (event.key === "ArrowDown") this.step(1);
      else if (event.key === "ArrowUp") this.step(-1);
      else if (event.key === "Escape") this.clear();
      else return;
      event.preventDefault();
    });
  }

  find() {
    const words = this.field.value.toLowerCase().split(/\s+/).filter(Boolean);
    const before = this.scene.hits;
    this.hits = [];
    if (words.length) {
      this.texts.forEach((text, id) => { if (words.every((word) => text.includes(word))) this.hits.push(id); });
    }
    this.at = -1;
    this.scene.hits = new Set(this.hits);
    for (const id of new Set([...before, ...this.hits])) this.scene.paint(this.model.standsFor(id));
    this.show();
  }

  show() {
    const count = document.getElementById("found-count");
    count.textContent = this.field.value.trim() ? plural(this.hits.length, "match").replace("matchs", "matches") : "";
    this.list.replaceChildren(...(this.hits || []).slice(0, 40).map((id, k) => {
      const node = this.model.nodes[id];
      const path = this.model.chain(node.home).map((group) => this.model.groups[group].label).join(" › ");
      const item = html("li", { role: "option", "aria-selected": String(k === this.at), onpointerdown: (event) => { event.preventDefault(); this.at = k; this.choose(); } },
        html("b", {}, node.name || node.kind), ` ${node.op === node.name ? "" : node.op} ${node.shape}`, html("small", {}, path));
      if (k === this.at) item.scrollIntoView({ block: "nearest" });
      return item;
    }));
  }

  step(by) {
    if (!this.hits || !this.hits.length) return;
    this.at = (this.at + by + this.hits.length) % this.hits.length;
    this.choose();
  }

  choose() {
    this.go(`v${this.hits[this.at]}`);
    this.show();
  }

  clear() {
    this.field.value = "";
    this.find();
    this.field.blur();
  }
}
