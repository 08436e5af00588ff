// The review page: the queue, decisions and keys.

import { decide, element, getJson, stateOf, verdictOf } from "./api.js";
import { Views } from "./views.js";

const get = (id) => document.getElementById(id);
const views = new Views();
let settings = {};
let scans = [];
let names = [];
const items = new Map();
let current = 0;

const FILTERS = {
  open: (scan) => ["", "later"].includes(scan.choice) && !scan.running,
  all: () => true,
  accept: (scan) => scan.choice === "accept",
  reject: (scan) => ["reject", "redo"].includes(scan.choice),
  later: (scan) => ["unsure", "later"].includes(scan.choice),
};

const visible = () => scans.filter(FILTERS[get("filter").value]);

function say(text, isError = false) {
  get("said").textContent = text;
  get("said").className = isError ? "error" : "";
}

// File names where they tell scans apart: folders before them push what matters out of sight.
function shortNames() {
  const short = scans.map((scan) => scan.path.split("/").at(-1));
  return new Set(short).size === short.length ? short : scans.map((scan) => scan.path);
}

// The line of a scan, made once and brought up to date.
function itemOf(scan) {
  let item = items.get(scan.number);
  if (!item) {
    item = element("li");
    const button = element("button", names[scan.number]);
    button.type = "button";
    button.title = scan.path;
    button.append(element("small"));
    button.addEventListener("click", () => show(scan.number));
    item.append(button);
    items.set(scan.number, item);
  }
  const said = `${verdictOf(scan)} · ${stateOf(scan)}`;
  const small = item.querySelector("small");
  if (small.textContent !== said || small.className !== scan.status) {
    small.textContent = said;
    small.className = scan.status;
  }
  return item;
}

function drawQueue() {
  const list = get("queue");
  const wanted = visible().map(itemOf);
  const kept = new Set(wanted);
  // A decision takes one line away: a thousand others stay as they are.
  [...list.children].filter((item) => !kept.has(item)).forEach((item) => item.remove());
  if (wanted.some((item, place) => list.children[place] !== item)) {
    list.replaceChildren(...wanted);
  }
  list.querySelector("[aria-current=true]")?.removeAttribute("aria-current");
  const item = items.get(current);
  item?.firstChild.setAttribute("aria-current", "true");
  item?.scrollIntoView({ block: "nearest" });
  const done = scans.filter((scan) => !FILTERS.open(scan)).length;
  get("progress").textContent = `${done} of ${scans.length} decided, rater ${settings.rater}`
    + (settings.round > 1 ? `, round ${settings.round}` : "");
}

function drawPanel() {
  const scan = scans[current];
  get("name").textContent = scan.path;
  get("verdict").textContent = `Audit: ${verdictOf(scan)}`;
  get("verdict").className = scan.status;
  const regions = Object.entries(scan.regions).map(
    ([name, share]) => `${name}: ${Math.round(100 * share)} % of its skin remains`,
  );
  get("reasons").replaceChildren(...[...scan.reasons, ...regions].map((text) => element("li", text)));
  for (const button of get("choices").children) {
    const choice = button.dataset.choice;
    button.setAttribute("aria-pressed", String(choice !== "none" && choice === scan.choice));
    button.disabled = choice === "redo" && !scan.original;
  }
  for (const box of get("faults").querySelectorAll("input")) {
    box.checked = scan.faults.includes(box.value);
  }
  get("comment").value = scan.comment;
  const place = scan.public ? "in the public folder" : "kept in the private folder";
  get("state").textContent = `${stateOf(scan)}; ${place}${scan.error ? `; ${scan.error}` : ""}`;
  get("state").className = scan.error ? "error" : "";
}

async function show(number) {
  current = number;
  history.replaceState(null, "", `#${number}`);
  drawQueue();
  drawPanel();
  await draw(number);
}

async function draw(number) {
  say("Loading …");
  document.body.dataset.shown = "";
  document.body.dataset.ahead = "";
  try {
    const said = await views.show(scans[number]);
    if (said === null) {
      return;
    }
    say(said);
    document.body.dataset.shown = String(number);
    applyWanted();
  } catch (error) {
    if (number !== current) {
      return;
    }
    say(`${scans[number].path}: ${error.message}`, true);
    document.body.dataset.shown = "error";
  }
  prefetch();
}

function nextOpen(after) {
  const order = [...scans.slice(after + 1), ...scans.slice(0, after)];
  return order.filter(FILTERS.open);
}

async function prefetch() {
  const at = current;
  const coming = nextOpen(at);
  if (await views.ahead(coming.slice(0, 2))) {
    document.body.dataset.ahead = String(at);
    await views.prepare(coming.slice(2, 4));
  }
}

function chosenFaults() {
  return [...get("faults").querySelectorAll("input:checked")].map((box) => box.value);
}

async function choose(choice, more = {}) {
  const number = current;
  if (choice === "accept" && document.body.dataset.shown !== String(number)) {
    say(`${scans[number].path}: only what is shown can be accepted.`, true);
    return;
  }
  try {
    const faults = choice === "none" ? [] : chosenFaults();
    const content = { choice, faults, comment: get("comment").value, settings: more };
    const seen = choice === "accept" ? { seen: views.said.seen } : {};
    scans[number] = await decide(number, { ...content, ...seen });
  } catch (error) {
    if (error.changed && number === current) {
      views.forget();
      await draw(number);
    }
    say(`${scans[number].path}: ${error.message}`, true);
    return;
  }
  const [next] = nextOpen(number);
  if (choice === "none" || !next || number !== current) {
    drawQueue();
    drawPanel();
    say(choice === "none" ? "Taken back." : next ? "" : "All scans are decided.");
  } else {
    await show(next.number);
  }
}

async function saveComment() {
  const scan = scans[current];
  if (scan.choice && get("comment").value !== scan.comment && scan.choice !== "redo") {
    const content = { choice: scan.choice, faults: scan.faults, comment: get("comment").value };
    try {
      scans[current] = await decide(scan.number, content);
    } catch (error) {
      say(error.message, true);
    }
  }
}

function move(step) {
  const shown = visible();
  const place = shown.findIndex((scan) => scan.number === current);
  const found = place < 0
    ? (step > 0 ? shown.find((scan) => scan.number > current) : shown.findLast((scan) => scan.number < current))
    : shown[place + step];
  if (found) {
    show(found.number);
  }
}

async function want(name, value) {
  views.wanted[name] = value;
  await applyWanted(name);
}

// Overlays may take longer than a scan: it can be looked at before they are there.
async function applyWanted(name = "") {
  try {
    const problem = await views.refresh();
    if (problem === null) {
      return;
    }
    if (problem || name) {
      say(problem, Boolean(problem));
    }
    if (["", "leaking"].includes(name) && views.wanted.leaking && !problem) {
      const shares = Object.entries(views.shares);
      say(shares.length === 0 ? "No skin of the face or ears is within 1 mm of the original's."
        : `Within 1 mm of the original: ${shares.map(([k, v]) => `${k} ${Math.round(100 * v)} %`).join(", ")}`);
    }
    document.body.dataset.wanted = JSON.stringify(views.wanted);
  } catch (error) {
    say(error.message, true);
  }
}

function flip(id) {
  get(id).click();
}

function slide(step) {
  get("fade").value = Number(get("fade").value) + step;
  want("fade", Number(get("fade").value));
}

function openRedo() {
  if (scans[current].original) {
    get("redo").showModal();
  } else {
    say("There is no original to protect again.", true);
  }
}

const KEYS = {
  a: () => choose("accept"), r: () => choose("reject"), u: () => choose("unsure"),
  l: () => choose("later"), z: () => choose("none"), d: openRedo,
  n: () => move(1), p: () => move(-1),
  1: () => flip("show-replaced"), 2: () => flip("show-protected"), 3: () => flip("show-leaking"),
  "[": () => slide(-20), "]": () => slide(20),
  w: () => {
    get("window").value = get("window").value === "usual" ? "dark" : "usual";
    want("window", get("window").value);
  },
  v: () => flip("show-all"),
  f: () => views.lookFrom("front"), s: () => views.lookFrom("side"), b: () => views.lookFrom("below"),
  ArrowLeft: () => views.turnBy(-10, 0), ArrowRight: () => views.turnBy(10, 0),
  ArrowUp: () => views.turnBy(0, 10), ArrowDown: () => views.turnBy(0, -10),
  c: () => get("comment").focus(), "?": () => get("help").showModal(),
};

function onKey(event) {
  const { target, key } = event;
  if (key === "Escape" && target === get("comment")) {
    get("comment").blur();
    return;
  }
  const isWriting = target.matches("textarea, select, input[type=range]");
  if (isWriting || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) {
    return;
  }
  if (key.startsWith("Arrow") && target.closest("#queue")) {
    return;
  }
  const fault = Number(key) - 4;
  const boxes = get("faults").querySelectorAll("input");
  if (key.length === 1 && fault >= 0 && fault < boxes.length) {
    boxes[fault].click();
  } else if (KEYS[key]) {
    event.preventDefault();
    KEYS[key]();
  }
}

async function showAgreement() {
  const found = await getJson("/api/agreement");
  const number = (value) => (value === null ? "–" : value.toFixed(2));
  get("agreements").replaceChildren(...found.map((one) => {
    const row = element("tr");
    const range = one.low === null ? "–" : `${number(one.low)} to ${number(one.high)}`;
    row.append(...[one.first, one.second, one.items, number(one.observed), number(one.kappa), range].map(
      (text) => element("td", String(text)),
    ));
    return row;
  }));
  get("agreement-none").hidden = found.length > 0;
  get("agreement").showModal();
}

// Scans that are being protected again come back by themselves.
async function watch() {
  const running = scans.filter((scan) => scan.running);
  try {
    for (const scan of running) {
      const entry = await getJson(`/api/scans/${scan.number}`);
      scans[scan.number] = entry;
      if (!entry.running) {
        drawQueue();
        if (scan.number === current) {
          await show(scan.number);
        }
        say(entry.error ? `${entry.path}: ${entry.error}` : `${entry.path} was protected again.`, Boolean(entry.error));
      }
    }
  } catch (error) {
    say(error.message, true);
  }
  setTimeout(watch, 1500);
}

function box(name, value, text, type = "checkbox") {
  const label = element("label");
  const input = element("input");
  Object.assign(input, { type, name, value });
  label.append(input, ` ${text}`);
  return label;
}

function connect() {
  get("faults").append(...settings.faults.map((fault, place) => {
    const label = box("fault", fault, `${fault} `);
    label.append(element("kbd", String(place + 4)));
    return label;
  }));
  get("options").append(...settings.options.map((name) => box("option", name, name.replaceAll("_", " "))));
  get("filter").addEventListener("change", drawQueue);
  for (const button of get("choices").children) {
    const { choice } = button.dataset;
    button.addEventListener("click", () => (choice === "redo" ? openRedo() : choose(choice)));
  }
  get("show-all").checked = views.all;
  get("show-all").addEventListener("change", (event) => {
    views.all = event.target.checked;
    draw(current);
  });
  for (const name of ["replaced", "protected", "leaking"]) {
    get(`show-${name}`).addEventListener("change", (event) => want(name, event.target.checked));
  }
  get("fade").addEventListener("input", (event) => want("fade", Number(event.target.value)));
  get("window").addEventListener("change", (event) => want("window", event.target.value));
  get("comment").maxLength = settings.longest_comment;
  get("comment").addEventListener("change", saveComment);
  get("previous").addEventListener("click", () => move(-1));
  get("next").addEventListener("click", () => move(1));
  get("show-help").addEventListener("click", () => get("help").showModal());
  get("show-agreement").addEventListener("click", showAgreement);
  get("redo").addEventListener("close", () => {
    if (get("redo").returnValue === "redo") {
      const chosen = [...get("options").querySelectorAll("input:checked")].map((one) => [one.value, true]);
      const method = get("methods").querySelector("input:checked").value;
      choose("redo", { method, ...Object.fromEntries(chosen) });
    }
    get("redo").returnValue = "";
  });
  document.addEventListener("keydown", onKey);
}

async function start() {
  const content = await getJson("/api/review");
  scans = content.scans;
  settings = content;
  names = shortNames();
  const wanted = Number.parseInt(location.hash.slice(1), 10);
  const first = scans[wanted] ?? scans.find(FILTERS.open) ?? scans[0];
  // The server makes the first pictures while the viewers start.
  views.fetched(first);
  views.start();
  connect();
  watch();
  await show(first.number);
}

globalThis.faceblindCameras = () => views.cameras();
start().catch((error) => say(error.message, true));
