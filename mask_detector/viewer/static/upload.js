// A picture of one's own: chosen, dropped anywhere on the page, or pasted; classified on the spot.
import { answerOf, byId } from "./dom.js";
import { lookOf } from "./looks.js";

let shown = "";

export function startUpload() {
  const drop = byId("drop");
  byId("file").onchange = (event) => tryPicture(event.target.files[0]);
  addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  addEventListener("dragleave", (event) => event.relatedTarget || drop.classList.remove("over"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    tryPicture(event.dataTransfer.files[0]);
  });
  addEventListener("paste", (event) => tryPicture(event.clipboardData.files[0]));
}

async function tryPicture(file) {
  if (!file) return;
  byId("try").scrollIntoView({ block: "nearest" });
  say("Looking…");
  byId("tried").hidden = true;
  try {
    const answer = await answerOf(await fetch("/api/classify", { method: "POST", body: file }));
    show(answer);
    say(summary(answer.detections));
  } catch (error) {
    say(error.message, true);
  }
  byId("file").value = ""; // so that the same picture can be tried again
}

function say(text, bad = false) {
  byId("answer").textContent = text;
  byId("answer").classList.toggle("bad", bad);
}

function summary(detections) {
  if (!detections.length) return "No face was found.";
  const told = detections.map((one) => {
    const look = lookOf(one.class_id);
    return `${look.symbol} ${look.title} (${Math.round(100 * one.score)} %)`;
  });
  return `${detections.length === 1 ? "One face" : `${detections.length} faces`}: ${told.join(", ")}`;
}

function show({ jpeg, detections }) {
  const bytes = Uint8Array.from(atob(jpeg), (letter) => letter.charCodeAt(0));
  URL.revokeObjectURL(shown);
  shown = URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" }));
  const image = byId("tried");
  image.src = shown;
  image.alt = `Your picture. ${summary(detections)}`;
  image.hidden = false;
}
