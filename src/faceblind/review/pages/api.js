// Requests to the server. Texts from it are only ever set as text, never as markup.

export async function getJson(path) {
  return answer(await fetch(path));
}

export async function getBuffer(path) {
  const response = await fetch(path);
  if (!response.ok) {
    await answer(response);
  }
  return response.arrayBuffer();
}

export async function decide(number, content) {
  return answer(await fetch(`/api/scans/${number}/decision`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(content),
  }));
}

// The status of a decision on a scan that is not the one that was looked at any more.
const CHANGED = 412;

async function answer(response) {
  let content;
  try {
    content = await response.json();
  } catch {
    content = { error: "the review app does not answer; is it still running?" };
  }
  if (!response.ok) {
    throw Object.assign(new Error(content.error), { changed: response.status === CHANGED });
  }
  return content;
}

const WORDS = {
  "": "undecided", accept: "accepted", reject: "rejected", redo: "to be done again",
  unsure: "unsure", later: "for later",
};

export function stateOf(scan) {
  if (scan.running) {
    return "is being protected again";
  }
  return WORDS[scan.choice] + (scan.again && !scan.choice ? ", protected again" : "");
}

export function verdictOf(scan) {
  const score = scan.score === null ? "" : `, score ${scan.score.toFixed(2)}`;
  return (scan.status || "not audited") + score;
}

export function element(name, text = "", kind = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (kind) {
    made.className = kind;
  }
  return made;
}
