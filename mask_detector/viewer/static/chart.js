// How many people wore a mask how, over time: stacked steps, the same as a table, and a line to read.
import { answerOf, byId, clock, element, shortName } from "./dom.js";
import { classes, pattern } from "./looks.js";

const TICKS = [15, 30, 60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600]; // seconds
const EVERY = 5000; // milliseconds
const LEAST = 12; // points
let plot = null;
let hours = "";
let points = [];

export function startChart() {
  byId("key").append(...classes.map(keyEntry));
  for (const button of byId("ranges").children) button.onclick = () => choose(button);
  byId("chart-camera").onchange = refresh;
  new ResizeObserver(() => plot?.setSize(size())).observe(byId("chart"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  setInterval(() => document.visibilityState === "visible" && refresh(), EVERY);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && refresh());
  choose(byId("ranges").firstElementChild);
}

// Offer each camera, if there are several.
export function offerCameras(names) {
  const select = byId("chart-camera");
  const offered = [...select.options].slice(1).map((option) => option.value);
  byId("chart-camera-label").hidden = names.length < 2;
  for (const name of names) {
    if (!offered.includes(name)) select.append(element("option", { value: name, textContent: shortName(name) }));
  }
}

function choose(button) {
  for (const one of byId("ranges").children) one.setAttribute("aria-pressed", String(one === button));
  hours = button.dataset.hours;
  refresh();
}

async function refresh() {
  const query = new URLSearchParams({ hours, camera: byId("chart-camera").value });
  try {
    points = begun((await fetch(`/api/history?${query}`).then(answerOf)).points);
  } catch {
    return; // the line at the top says that the viewer is away
  }
  if (plot) plot.setData(stacked());
  else redraw();
  byId("chart-table").replaceChildren(...table());
}

// Leave out the time before anything was watched, but for a short chart.
function begun(all) {
  const first = all.findIndex(([, people]) => people);
  return all.slice(Math.max(0, Math.min(first, all.length - LEAST)));
}

// Times and, from the whole stack down to its lowest part, the upper edges; nothing where no camera was watched.
function stacked() {
  const edges = classes.map((_, upto) => points.map(([, people]) => people && sum(people, upto)));
  return [points.map(([start]) => start), ...edges.reverse()];
}

const sum = (people, upto) => classes.slice(0, upto + 1).reduce((total, look) => total + (people[look.id] ?? 0), 0);

function redraw() {
  plot?.destroy();
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui" };
  const steps = uPlot.paths.stepped({ align: 1 });
  const series = classes.map((look, index) => ({ label: look.title, paths: steps, width: 0, fill: () => pattern(index), points: { show: false } }));
  const options = {
    ...size(),
    padding: [8, 36, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    scales: { y: { range: (_, low, high) => [0, Math.max(2, Math.ceil(high * 1.1))] } },
    axes: [{ ...axis, space: 90, incrs: TICKS, values: (_, times) => times.map(tickOf) }, { ...axis, size: 40, incrs: [1, 2, 5, 10, 20, 50, 100] }],
    series: [{}, ...series.reverse()],
    hooks: { setCursor: [(chart) => read(chart.cursor.idx)] },
  };
  plot = new uPlot(options, stacked(), byId("chart"));
}

const tickOf = (at) => clock(at, at % 60 ? undefined : { hour: "2-digit", minute: "2-digit" });

function size() {
  const box = byId("chart");
  return { width: Math.max(200, box.clientWidth), height: Math.max(120, box.clientHeight) };
}

function read(index) {
  if (index === null || index === undefined || !points[index]) return;
  const [start, people] = points[index];
  const words = people ? classes.map((look) => `${look.symbol} ${number(people, look)} ${look.title}`).join("   ") : "not watched";
  byId("readout").textContent = `${clock(start)}   ${words}`;
}

const number = (people, look) => (people[look.id] ?? 0).toFixed(1);

function table() {
  const head = element("tr", {}, ...["Time", ...classes.map((look) => look.title)].map((text) => element("th", { textContent: text, scope: "col" })));
  const rows = points.filter(([, people]) => people).reverse().map(([start, people]) =>
    element("tr", {}, ...[clock(start), ...classes.map((look) => number(people, look))].map((text) => element("td", { textContent: text }))));
  return [element("thead", {}, head), element("tbody", {}, ...rows)];
}

function keyEntry(look, index) {
  const swatch = element("canvas", { width: 24, height: 24, ariaHidden: "true" });
  const brush = swatch.getContext("2d");
  brush.fillStyle = pattern(index);
  brush.fillRect(0, 0, 24, 24);
  return element("li", {}, swatch, `${look.symbol} ${look.title}`);
}
