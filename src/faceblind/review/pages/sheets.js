// Contact sheets: twelve scans a page.

import { decide, element, getJson, stateOf, verdictOf } from "./api.js";

const PAGE = 12;
const get = (id) => document.getElementById(id);
let scans = [];
let page = 0;

function caption(scan) {
  return `${verdictOf(scan)} · ${stateOf(scan)}`;
}

function tile(scan) {
  const item = element("li");
  const link = element("a");
  link.href = `/#${scan.number}`;
  const image = element("img");
  image.alt = `${scan.path}: skin from two sides and the middle slice`;
  image.src = `/api/scans/${scan.number}/tile.png`;
  const state = element("span", caption(scan), scan.status);
  link.append(image, element("span", scan.path), state);
  image.addEventListener("error", () => tell(scan));
  link.addEventListener("keydown", (event) => onKey(event, scan.number, state, image));
  item.append(link);
  return item;
}

// Why a picture is missing: an image element does not say what the server answered.
async function tell(scan) {
  try {
    const response = await fetch(`/api/scans/${scan.number}/tile.png`);
    const words = response.ok ? "was made meanwhile; open the page again" : (await response.json()).error;
    get("said").textContent = `${scan.path}: ${words}`;
  } catch {
    get("said").textContent = `${scan.path}: the review app does not answer; is it still running?`;
  }
}

async function onKey(event, number, state, image) {
  const choice = { a: "accept", r: "reject", l: "later", z: "none" }[event.key];
  if (!choice || event.ctrlKey || event.metaKey || event.altKey) {
    return;
  }
  event.preventDefault();
  if (choice === "accept" && !image.naturalWidth) {
    get("said").textContent = `${scans[number].path}: only what is shown can be accepted.`;
    return;
  }
  try {
    scans[number] = await decide(number, { choice, seen: scans[number].seen });
    state.textContent = caption(scans[number]);
    get("said").textContent = `${scans[number].path}: ${stateOf(scans[number])}`;
    event.target.closest("li").nextElementSibling?.firstElementChild.focus();
  } catch (error) {
    get("said").textContent = `${scans[number].path}: ${error.message}`;
  }
}

function draw(step = 0) {
  const pages = Math.max(1, Math.ceil(scans.length / PAGE));
  page = Math.min(Math.max(page + step, 0), pages - 1);
  history.replaceState(null, "", `#${page + 1}`);
  get("progress").textContent = `Page ${page + 1} of ${pages}`;
  get("tiles").replaceChildren(...scans.slice(page * PAGE, (page + 1) * PAGE).map(tile));
}

async function start() {
  scans = (await getJson("/api/review")).scans;
  page = (Number.parseInt(location.hash.slice(1), 10) || 1) - 1;
  get("previous").addEventListener("click", () => draw(-1));
  get("next").addEventListener("click", () => draw(1));
  document.addEventListener("keydown", (event) => {
    if (event.key === "n" || event.key === "p") {
      draw(event.key === "n" ? 1 : -1);
    }
  });
  draw();
}

start().catch((error) => { get("said").textContent = error.message; });
