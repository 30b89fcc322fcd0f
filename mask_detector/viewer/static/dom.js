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
