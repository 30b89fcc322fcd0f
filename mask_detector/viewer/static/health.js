// What the detectors say of themselves on /diagnostics.
import { byId, element, shortName } from "./dom.js";

const LEVELS = [["✓", "OK"], ["!", "warning"], ["✕", "error"], ["?", "no news"]];

export function showHealth(cameras) {
  const known = cameras.filter((camera) => camera.health.length);
  const open = new Set([...byId("health").querySelectorAll("details[open]")].map((one) => one.dataset.key));
  const groups = known.flatMap((camera) => [
    ...(cameras.length > 1 ? [element("h3", { textContent: shortName(camera.name) })] : []),
    ...camera.health.map((status) => row(status, `${camera.name} ${status.name}`, open)),
  ]);
  byId("health").replaceChildren(...(groups.length ? groups : [element("p", { className: "quiet", textContent: "Nothing is known now." })]));
}

function row(status, key, open) {
  const [symbol, word] = LEVELS[status.level];
  const terms = Object.entries(status.values).flatMap(([name, value]) => [
    element("dt", { textContent: name }),
    element("dd", { textContent: value }),
  ]);
  const details = element("details", { open: open.has(key) }, element("summary", { textContent: `${status.name}: ${word}` }), element("dl", {}, ...terms));
  details.dataset.key = key;
  const mark = element("span", { className: "badge", textContent: symbol, ariaHidden: "true" });
  return element("div", { className: "status" }, mark, element("div", {}, status.message, details));
}
