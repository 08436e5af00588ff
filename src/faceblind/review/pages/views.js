// What is in view, and the next scan, which is drawn behind it while the reviewer looks.

import { getBuffer, getJson } from "./api.js";
import { NAMES, Stage } from "./stage.js";
import { isSlow, picture } from "./viewer.js";

const AHEAD = 3;
const FRONT = [180, 5];
const SIDE = [90, 5];
const BELOW = [180, -60];

export class Views {
  constructor() {
    this.kept = new Map();
    this.wanted = { replaced: false, protected: false, leaking: false, fade: 0, window: "usual" };
    this.turn = 0;
    this.scan = null;
    this.slow = isSlow();
    this.all = !this.slow;
  }

  start() {
    this.started = this.#start();
    return this.started;
  }

  async #start() {
    const canvases = Object.fromEntries(NAMES.map((name) => [name, document.getElementById(name)]));
    this.front = await new Stage(canvases).start(this.slow);
    this.look(FRONT);
  }

  // A second set of pictures behind the first, made once the first is of use.
  #behind() {
    this.back ??= (async () => {
      const canvases = Object.fromEntries(NAMES.map((name) => {
        const canvas = document.createElement("canvas");
        this.front.canvases[name].after(canvas);
        hide(canvas);
        return [name, canvas];
      }));
      const stage = await new Stage(canvases).start(this.slow);
      Object.values(canvases).forEach(hide);
      return stage;
    })();
    return this.back;
  }

  get said() {
    return this.front.said;
  }

  get shares() {
    return this.front.shares;
  }

  #key(scan) {
    return `${scan.number}-${scan.seen}-${this.all}`;
  }

  // What the server has of a scan; fetched once, also ahead of its turn.
  fetched(scan) {
    const key = this.#key(scan);
    let entry = this.kept.get(key);
    if (!entry) {
      entry = load(this.#base(scan));
      entry.skins.catch(() => {});
      entry.volumes.catch(() => this.kept.delete(key));
    }
    this.kept.delete(key);
    this.kept.set(key, entry);
    for (const old of [...this.kept.keys()].slice(0, -AHEAD)) {
      this.kept.delete(old);
    }
    return entry;
  }

  // Fetches scans that will be shown soon, and draws the first of them. Says whether it came to its
  // end before something else was asked for.
  async ahead(scans) {
    const { turn } = this;
    const isWanted = () => turn === this.turn;
    for (const [place, scan] of scans.entries()) {
      if (!isWanted()) {
        return false;
      }
      try {
        const entry = this.fetched(scan);
        await Promise.all([entry.volumes, entry.skins]);
        if (this.wanted.protected || this.wanted.leaking) {
          await getJson(`/api/scans/${scan.number}/overlays.json`);
        }
        const stage = place === 0 ? await this.#behind() : null;
        if (stage && isWanted()) {
          // Once begun it goes on when this scan is asked for.
          const key = this.#key(scan);
          this.next = key;
          await this.#drawn(stage, scan, entry, () => this.next === key);
        }
      } catch {
        // It is said when the scan is shown.
      }
    }
    return isWanted();
  }

  // Has the server make what will be fetched later: slow scans among quick ones do not hold up then.
  async prepare(scans) {
    const { turn } = this;
    for (const scan of scans) {
      for (const name of ["volumes.json", "skins.json"]) {
        if (turn === this.turn) {
          await getJson(`${this.#base(scan)}${name}`).catch(() => {});
        }
      }
    }
  }

  #base(scan) {
    return `/api/scans/${scan.number}/${this.all ? "" : "coarse-"}`;
  }

  #drawn(stage, scan, entry, isWanted) {
    const window = () => this.wanted.window;
    return stage.draw(this.#key(scan), entry, window, () => this.front.places(), isWanted);
  }

  // Returns what is to be said of the scan, or null where another one was asked for meanwhile.
  async show(scan) {
    const turn = ++this.turn;
    const isWanted = () => turn === this.turn;
    this.scan = null;
    this.next = this.#key(scan);
    const entry = this.fetched(scan);
    await Promise.all([entry.volumes, this.started]);
    const isThere = this.front.holds(this.next, entry);
    const stage = isThere || !this.back ? this.front : await this.back;
    if (!isWanted()) {
      return null;
    }
    if (!await this.#drawn(stage, scan, entry, isWanted) || !isWanted()) {
      return null;
    }
    if (stage !== this.front) {
      this.#swap(stage);
    }
    this.scan = scan;
    return this.said.problem;
  }

  // Brings what was drawn behind to the front, seen from where the other one was seen.
  #swap(stage) {
    const old = this.front;
    stage.take(old.places());
    stage.window(this.wanted.window);
    for (const name of NAMES) {
      const [hidden, shown] = [old.canvases[name], stage.canvases[name]];
      for (const attribute of ["id", "role", "aria-label"]) {
        shown.setAttribute(attribute, hidden.getAttribute(attribute));
      }
      const isFocused = document.activeElement === hidden;
      hide(hidden);
      shown.removeAttribute("aria-hidden");
      shown.inert = false;
      shown.tabIndex = 0;
      if (isFocused) {
        shown.focus();
      }
    }
    this.front = stage;
    this.back = Promise.resolve(old);
  }

  // The files have changed: what was fetched and drawn of them is worth nothing.
  forget() {
    this.kept.clear();
  }

  // Brings overlays, fading and window in line with what is wanted, one change after the other.
  refresh() {
    const last = this.pending ?? Promise.resolve();
    this.pending = last.catch(() => {}).then(() => this.#refresh());
    return this.pending;
  }

  async #refresh() {
    const { turn, scan } = this;
    if (!scan) {
      return null;
    }
    return this.front.refresh(`/api/scans/${scan.number}`, this.wanted, () => turn === this.turn);
  }

  // Turns both skins.
  look([renderAzimuth, renderElevation]) {
    for (const side of this.front ? ["before", "after"] : []) {
      const view = this.front.views[`skin-${side}`];
      Object.assign(view.scene, { renderAzimuth, renderElevation });
      view.drawScene();
    }
  }

  lookFrom(where) {
    this.look({ front: FRONT, side: SIDE, below: BELOW }[where]);
  }

  turnBy(azimuth, elevation) {
    const scene = this.front?.views["skin-after"].scene;
    this.look([scene?.renderAzimuth + azimuth, scene?.renderElevation + elevation]);
  }

  cameras() {
    return Object.fromEntries(NAMES.map((name) => {
      const { scene } = this.front.views[name];
      return [name, {
        azimuth: scene.renderAzimuth, elevation: scene.renderElevation, crosshair: [...scene.crosshairPos],
      }];
    }));
  }
}

function hide(canvas) {
  for (const attribute of ["id", "role", "aria-label"]) {
    canvas.removeAttribute(attribute);
  }
  canvas.setAttribute("aria-hidden", "true");
  // NiiVue gives every canvas it draws in a place in the order of the tab key.
  canvas.inert = true;
  canvas.tabIndex = -1;
}

function load(base) {
  const volumes = (async () => {
    const said = await getJson(`${base}volumes.json`);
    const [after, before] = await Promise.all([
      getBuffer(`${base}after.nii`), said.before ? getBuffer(`${base}before.nii`) : null,
    ]);
    const images = { after: await picture(after), before: before && await picture(before) };
    return { said, before, images };
  })();
  const skins = (async () => {
    const said = await getJson(`${base}skins.json`);
    const [after, before] = await Promise.all(
      ["after", "before"].map((side) => (said[side] ? null : getBuffer(`${base}${side}.mz3`))),
    );
    return { said, after, before };
  })();
  return { volumes, skins };
}
