// Small helpers. Texts from elsewhere go into the page as text alone, never as markup.

export const byId = (id) => document.getElementById(id);

export function element(kind, properties = {}, ...children) {
  const made = document.createElement(kind);
  Object.assign(made, properties);
  made.append(...children);
  return made;
}

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const SPEAK_EVERY = 2000; // milliseconds: a voice is to be heard out
const MOST_SPOKEN = 3;
const unspoken = [];
let speaking = 0;

// Say something to who does not see it; of what comes faster than it can be said, the newest.
export function speak(words) {
  unspoken.push(words);
  speaking ||= setTimeout(() => {
    speaking = 0;
    byId("spoken").textContent = unspoken.splice(0).slice(-MOST_SPOKEN).join(". ");
  }, SPEAK_EVERY);
}

export async function send(path, content) {
  const options = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(content) };
  return answerOf(await fetch(path, options));
}

export async function answerOf(response) {
  const answer = await response.json().catch(() => ({ error: `the viewer answered ${response.status}` }));
  if (!response.ok) throw new Error(answer.error ?? `the viewer answered ${response.status}`);
  return answer;
}

export const clock = (seconds, options = { hour: "2-digit", minute: "2-digit", second: "2-digit" }) =>
  new Date(seconds * 1000).toLocaleTimeString([], options);

// "/entrance/mask_detector" is "entrance", "/mask_detector" is "mask_detector".
export function shortName(name) {
  const parts = name.split("/").filter(Boolean);
  return (parts.length > 1 ? parts.slice(0, -1) : parts).join(" / ") || name;
}
