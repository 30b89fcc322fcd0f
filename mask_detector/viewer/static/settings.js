// Sliders for what a detector lets change while it runs; wide ranges are stretched at their low end.
import { byId, element, send, shortName } from "./dom.js";

const WIDE = 300; // a range of so many whole numbers is a wide one
const sliders = new Map();

export function showSettings(settings) {
  const names = Object.keys(settings).filter((name) => settings[name].length);
  const wanted = names.flatMap((name) => settings[name].map((setting) => key(name, setting)));
  if (wanted.join() !== [...sliders.keys()].join()) rebuild(names, settings);
  for (const name of names) {
    for (const setting of settings[name]) sliders.get(key(name, setting)).update(setting.value);
  }
}

const key = (camera, setting) => `${camera} ${setting.name} ${setting.low} ${setting.high}`;

function rebuild(names, settings) {
  sliders.clear();
  byId("sliders").replaceChildren();
  for (const name of names) {
    const group = element("div", { className: "sliders", role: "group", ariaLabel: `Settings of ${shortName(name)}` });
    for (const setting of settings[name]) {
      const slider = new Slider(name, setting);
      sliders.set(key(name, setting), slider);
      group.append(slider.root);
    }
    if (names.length > 1) byId("sliders").append(element("h3", { textContent: shortName(name) }));
    byId("sliders").append(group);
  }
}

class Slider {
  constructor(camera, setting) {
    Object.assign(this, { camera, setting });
    const id = `set${camera}/${setting.name}`.replace(/[^\w]/g, "-");
    const wide = setting.whole && setting.high - setting.low > WIDE;
    const bounds = wide ? { min: 0, max: 1000, step: 1 } : { min: setting.low, max: setting.high, step: setting.whole ? 1 : 0.01 };
    this.wide = wide;
    this.range = element("input", { type: "range", id, ...bounds });
    const step = setting.whole ? 1 : "any";
    this.number = element("input", { type: "number", ariaLabel: `${setting.name}, number`, min: setting.low, max: setting.high, step });
    const words = element("label", { htmlFor: id }, setting.name.replaceAll("_", " "), element("small", { textContent: setting.description }));
    this.root = element("div", { className: "slider" }, words, this.range, this.number);
    this.range.oninput = () => this.preview();
    this.range.onchange = () => this.set(this.valueOf(this.range.valueAsNumber));
    this.number.onchange = () => this.set(this.number.valueAsNumber);
  }

  valueOf(place) {
    if (!this.wide) return place;
    const { low, high } = this.setting;
    return Math.round(low - 1 + (high - low + 1) ** (place / 1000));
  }

  placeOf(value) {
    if (!this.wide) return value;
    const { low, high } = this.setting;
    return Math.round((1000 * Math.log(value - low + 1)) / Math.log(high - low + 1));
  }

  preview() {
    this.number.value = this.valueOf(this.range.valueAsNumber);
    this.range.setAttribute("aria-valuetext", this.number.value);
  }

  update(value) {
    this.value = value;
    if (document.activeElement === this.number) return;
    if (!this.range.matches(":active")) this.range.value = this.placeOf(value);
    this.number.value = Number(value.toFixed(3));
    this.range.setAttribute("aria-valuetext", this.number.value);
  }

  async set(value) {
    byId("refused").textContent = "";
    try {
      if (!Number.isFinite(value)) throw new Error(`${this.setting.name} must be a number`);
      await send("/api/settings", { camera: this.camera, name: this.setting.name, value });
    } catch (error) {
      byId("refused").textContent = error.message;
      this.number.blur();
      this.update(this.value);
    }
  }
}
