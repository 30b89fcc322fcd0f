// One face after the other, one key each: Enter confirms what the model says, a number corrects it.
import { answerOf, byId, element, send } from "./dom.js";
import { about, badge, classes, lookOf } from "./looks.js";

let waiting = [];
let labelled = {};
let done = []; // [face, class], newest last
let told = Promise.resolve(); // the viewer hears of one thing after the other
let working = 0; // how many it is still to hear of
let stale = false; // whether what is shown may differ from what the viewer has

const buttons = classes.map((look, index) => {
  const key = element("kbd", { textContent: String(index + 1) });
  const made = element("button", { type: "button", onclick: () => decide(look.id) }, badge(look), look.title, key);
  return { look, made };
});
byId("answers").append(...buttons.map(({ made }) => made));
byId("skip").onclick = skip;
byId("delete").onclick = () => decide(null);
byId("undo").onclick = undo;
addEventListener("keydown", onKey);
if (about.review) await load();
else nothing("Faces are kept for labelling only if the viewer is started with --collect FOLDER.");

async function load() {
  ({ waiting, labelled } = await fetch("/api/review").then(answerOf));
  show();
}

function show() {
  const face = waiting[0];
  byId("left").textContent = waiting.length ? `${waiting.length} waiting` : "";
  byId("counts").textContent = `Labelled: ${classes.map((look) => `${labelled[look.id]} ${look.title}`).join(", ")}.`;
  byId("undo").disabled = !done.length;
  for (const { look, made } of buttons) made.classList.toggle("guess", look.id === face?.guess);
  if (!face) return nothing("No face waits. The detector adds those that it is least sure of.");
  byId("empty").hidden = true;
  byId("face").hidden = false;
  const address = `/review/faces/${encodeURIComponent(face.name)}`;
  if (byId("face").getAttribute("src") !== address) byId("face").src = address;
  const guess = lookOf(face.guess);
  byId("face").alt = `A face; the model says ${guess.title}`;
  byId("guess").replaceChildren("The model says: ", element("b", { textContent: `${guess.symbol} ${guess.title}` }),
    `, ${Math.round(100 * face.score)} % sure. `, element("kbd", { textContent: "Enter" }), " confirms.");
}

function nothing(text) {
  byId("face").hidden = true;
  byId("guess").replaceChildren();
  byId("empty").hidden = false;
  byId("empty").textContent = text;
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const key = event.key.toLowerCase();
  const number = Number(key);
  if (key === "enter" && event.target.tagName !== "BUTTON" && event.target.tagName !== "A") decide(waiting[0]?.guess);
  else if (number >= 1 && number <= classes.length) decide(classes[number - 1].id);
  else if (key === "s") skip();
  else if (key === "x" || key === "delete") decide(null);
  else if (key === "u") undo();
}

function attempt(work) {
  working += 1;
  told = told.then(async () => {
    try {
      byId("refused").textContent = "";
      await work();
    } catch (error) {
      byId("refused").textContent = error.message;
      stale = true;
    }
    working -= 1;
    if (!working) await refresh(); // earlier it would bring back what is being decided
  });
}

async function refresh() {
  if (!stale && waiting.length) return show();
  try {
    await load();
    stale = false;
  } catch (error) {
    byId("refused").textContent = error.message;
  }
}

// The next face is shown at once; until it is there the old one is on the screen, and no key counts.
function decide(classId) {
  if (!waiting.length || !byId("face").complete) return;
  const face = waiting.shift();
  if (waiting.length) show();
  attempt(async () => {
    await send("/api/review/decide", { name: face.name, class_id: classId });
    if (classId === null) done = [];
    else {
      done.push([face, classId]);
      labelled[classId] += 1;
    }
  });
}

function skip() {
  if (waiting.length) waiting.push(waiting.shift());
  show();
}

function undo() {
  attempt(async () => {
    if (!done.length) return;
    const [face, classId] = done.pop();
    await send("/api/review/undo", { name: face.name, class_id: classId });
    labelled[classId] -= 1;
    waiting.unshift(face);
  });
}
