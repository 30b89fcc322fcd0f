// A card for each camera: the picture, who is there now, pause and resume.
import { byId, element, send, setText, shortName, speak } from "./dom.js";
import { badge, classes, paint } from "./looks.js";

const WORDS = { live: "live", paused: "paused", silent: "no images", gone: "detector not running" };

export class Cameras {
  constructor(onVisible) {
    this.cards = new Map();
    this.seen = new Set();
    this.onVisible = onVisible;
    this.watcher = new IntersectionObserver((entries) => this.notice(entries));
  }

  update(cameras) {
    byId("nobody").hidden = cameras.length > 0;
    for (const [name, card] of this.cards) {
      if (!cameras.some((camera) => camera.name === name)) this.remove(name, card);
    }
    for (const camera of cameras) {
      if (!this.cards.has(camera.name)) this.add(camera.name);
      this.cards.get(camera.name).update(camera);
    }
    this.report();
  }

  add(name) {
    const card = new Card(name);
    this.cards.set(name, card);
    byId("cameras").append(card.root);
    this.watcher.observe(card.root);
  }

  remove(name, card) {
    this.watcher.unobserve(card.root);
    card.root.remove();
    this.cards.delete(name);
    this.seen.delete(name);
  }

  notice(entries) {
    for (const entry of entries) {
      const name = [...this.cards].find(([, card]) => card.root === entry.target)?.[0];
      if (name && entry.isIntersecting) this.seen.add(name);
      else this.seen.delete(name);
    }
    this.report();
  }

  // Pictures are wanted of the cameras that are on the screen and send some.
  report() {
    this.onVisible([...this.seen].filter((name) => this.cards.get(name).running));
  }

  draw(name, picture) {
    this.cards.get(name)?.draw(picture);
    picture.close();
  }
}

class Card {
  constructor(name) {
    this.name = name;
    this.root = byId("camera").content.firstElementChild.cloneNode(true);
    const find = (selector) => this.root.querySelector(selector);
    [this.state, this.veil, this.canvas, this.button] = [".state", ".veil", "canvas", ".pause"].map(find);
    find("h2").textContent = shortName(name);
    find("h2").title = name;
    this.root.ariaLabel = shortName(name);
    this.tiles = classes.map((look) => this.tile(look));
    find(".tiles").append(...this.tiles.map((tile) => tile.root));
    this.button.onclick = () => this.toggle();
  }

  tile(look) {
    const number = element("b", { textContent: "–" });
    const root = element("li", {}, badge(look), number, element("span", { textContent: look.title }));
    paint(root, look);
    return { root, number, look };
  }

  get running() {
    return this.camera?.state === "live" || this.camera?.state === "silent";
  }

  update(camera) {
    if (this.camera && this.camera.state !== camera.state) speak(`${shortName(this.name)}: ${WORDS[camera.state]}`);
    this.camera = camera;
    this.state.className = `state ${camera.state}`;
    setText(this.state, WORDS[camera.state] + (camera.blurred ? ", faces blurred" : ""));
    const [symbol, verb] = camera.state === "paused" ? ["▶", "Resume"] : ["❚❚", "Pause"];
    setText(this.button, `${symbol} ${verb}`);
    this.button.ariaLabel = `${verb} ${shortName(this.name)}`;
    this.button.disabled = camera.state === "gone";
    setText(this.veil, this.trouble());
    this.veil.hidden = !this.veil.textContent;
    for (const { root, number, look } of this.tiles) {
      const count = camera.counts?.[look.id];
      setText(number, count === undefined ? "–" : String(count));
      root.classList.toggle("some", count > 0);
    }
    const people = this.tiles.map(({ number, look }) => `${number.textContent} ${look.title}`).join(", ");
    this.canvas.setAttribute("aria-label", `Picture of ${shortName(this.name)}: ${people}`);
  }

  trouble() {
    const { state, health } = this.camera;
    if (state === "live") return "";
    if (state === "paused") return "Paused: the detector takes no images until it is resumed.";
    if (state === "gone") return "The detector is not running.\nThis page goes on as soon as it is back.";
    const worst = health.reduce((worst, one) => (one.level > (worst?.level ?? 0) ? one : worst), null);
    return worst ? worst.message : "No images come.";
  }

  draw(picture) {
    const { canvas } = this;
    if (canvas.width !== picture.width || canvas.height !== picture.height) {
      canvas.width = picture.width;
      canvas.height = picture.height;
    }
    canvas.getContext("2d").drawImage(picture, 0, 0);
    canvas.dataset.pictures = Number(canvas.dataset.pictures ?? 0) + 1;
  }

  async toggle() {
    this.button.disabled = true;
    try {
      await send("/api/enable", { camera: this.name, enabled: this.camera.state === "paused" });
    } catch (error) {
      setText(this.veil, error.message);
      this.veil.hidden = false;
    }
    this.button.disabled = false;
  }
}
