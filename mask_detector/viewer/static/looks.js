// How classes look: words, a symbol, a colour and a pattern, so that none of them stands alone.
import { answerOf, element } from "./dom.js";

export const about = await fetch("/api/about").then(answerOf);
export const classes = about.classes;
const known = new Map(classes.map((look) => [look.id, look]));
const left = { id: "", title: "has left", symbol: "→", colour: "" };

export const lookOf = (id) => (id === "" ? left : known.get(id) ?? { ...left, title: id, symbol: "?" });

export function badge(look) {
  const made = element("span", { className: "badge", textContent: look.symbol, ariaHidden: "true" });
  paint(made, look);
  return made;
}

export function paint(node, look) {
  if (!look.colour) return;
  node.style.setProperty("--colour", look.colour);
  node.style.setProperty("--ink", bright(look.colour) ? "#000" : "#fff");
}

// Whether black letters stand out more than white ones; either has a contrast of 4.5 and more then.
function bright(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => (parseInt(colour.slice(at, at + 2), 16) / 255) ** 2.2);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18;
}

// Fills for charts: plain, diagonal, crossed, as in the printed report.
export function pattern(index) {
  const tile = element("canvas", { width: 8, height: 8 });
  const brush = tile.getContext("2d");
  brush.fillStyle = classes[index].colour;
  brush.fillRect(0, 0, 8, 8);
  brush.strokeStyle = "#fff";
  brush.lineWidth = index === 1 ? 1.6 : 1;
  brush.beginPath();
  const lines = [[], [[-2, 2, 2, -2], [0, 8, 8, 0], [6, 10, 10, 6]], [[0, 0.5, 8, 0.5], [0, 4.5, 8, 4.5], [0.5, 0, 0.5, 8], [4.5, 0, 4.5, 8]]];
  for (const [x0, y0, x1, y1] of lines[index] ?? []) {
    brush.moveTo(x0, y0);
    brush.lineTo(x1, y1);
  }
  brush.stroke();
  return brush.createPattern(tile, "repeat");
}
