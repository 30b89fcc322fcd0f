// The newest changes, and a voice that says them to who does not see them.
import { byId, clock, element, shortName, speak } from "./dom.js";
import { badge, lookOf } from "./looks.js";

let latest = null; // number of the newest change that was shown

export function showChanges(changes) {
  byId("no-changes").hidden = changes.length > 0;
  const list = byId("changes");
  const several = new Set(changes.map((change) => change.camera)).size > 1;
  const shown = new Map([...list.children].map((row) => [row.dataset.number, row]));
  list.replaceChildren(...changes.map((change) => shown.get(String(change.number)) ?? row(change, several)));
  announce(changes, several);
}

function row(change, several) {
  const look = lookOf(change.class_id);
  const where = several ? `${shortName(change.camera)}, ` : "";
  const words = element("div", {}, words_(change, look), element("small", { textContent: where + clock(change.time) }));
  const made = element("li", {}, badge(look), words);
  made.dataset.number = change.number;
  if (change.crop) made.append(element("img", { src: `/crops/${change.number}`, alt: "", onerror: hide }));
  return made;
}

function hide(event) {
  event.target.hidden = true; // the viewer keeps only the last ones
}

const words_ = (change, look) => `Person ${change.person}${look.id ? ": " : " "}${look.title}`;

function announce(changes, several) {
  const fresh = changes.filter((change) => latest !== null && change.number > latest);
  latest = changes[0]?.number ?? 0;
  const say = (change) => (several ? `${shortName(change.camera)}: ` : "") + words_(change, lookOf(change.class_id));
  for (const change of fresh.reverse()) speak(say(change));
}
