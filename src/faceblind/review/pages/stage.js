// The four pictures of one scan: slices and skin, original and protected, with linked cameras.

import { getBuffer, getJson } from "./api.js";
import { pause, picture, Viewer } from "./viewer.js";

export const NAMES = ["slices-before", "slices-after", "skin-before", "skin-after"];
const SIDES = ["before", "after"];
const NO_WINDOW = { windows: { usual: [0, 1], dark: [0, 1] } };

export class Stage {
  constructor(canvases) {
    this.canvases = canvases;
    this.key = "";
    this.said = NO_WINDOW;
    this.overlays = {};
    this.queue = Promise.resolve();
  }

  async start(slow) {
    this.views = {};
    for (const name of NAMES) {
      await pause();
      this.views[name] = await new Viewer(name.startsWith("skin"), slow).attach(this.canvases[name]);
    }
    for (const kind of ["slices", "skin"]) {
      const [a, b] = SIDES.map((side) => this.views[`${kind}-${side}`]);
      a.broadcastTo(b, { "2d": kind === "slices", "3d": true });
      b.broadcastTo(a, { "2d": kind === "slices", "3d": true });
    }
    return this;
  }

  // Draws a scan, whole, unless it is already drawn or `isWanted` says that nobody waits for it any
  // more. Says whether it is drawn.
  draw(key, entry, window, places, isWanted) {
    const drawn = this.queue.catch(() => {}).then(() => this.#draw(key, entry, window, places, isWanted));
    this.queue = drawn;
    return drawn;
  }

  async #draw(key, entry, window, places, isWanted) {
    if (this.holds(key, entry)) {
      return true;
    }
    const volumes = await entry.volumes;
    const skins = await entry.skins.catch((error) => ({ said: { after: error.message } }));
    if (!isWanted()) {
      return false;
    }
    this.key = "";
    this.said = { ...volumes.said, problem: [volumes.said.error, skins.said.after].filter(Boolean).join("; ") };
    this.overlays = {};
    this.take(places(), false);
    const pictures = [
      ...SIDES.map((side) => [`slices-${side}`, () => this.#slices(side, volumes.images[side], window())]),
      ...SIDES.map((side) => [`skin-${side}`, () => this.#skin(side, skins[side])]),
    ];
    for (const [name, draws] of pictures) {
      await pause();
      if (!isWanted()) {
        return false;
      }
      await this.views[name].unhurried(draws);
    }
    this.entry = entry;
    this.key = key;
    return true;
  }

  // Whether exactly this is drawn.
  holds(key, entry) {
    return this.key === key && this.entry === entry;
  }

  #slices(side, image, window) {
    if (image) {
      const [low, high] = this.said.windows[window];
      Object.assign(image, { cal_min: low, cal_max: high });
    }
    this.overlays[side] = {};
    this.views[`slices-${side}`].showVolume(image);
  }

  async #skin(side, buffer) {
    const view = this.views[`skin-${side}`];
    view.showMesh(buffer && (await view.mesh(buffer)));
  }

  // Where each picture is looked from.
  places() {
    return Object.fromEntries(NAMES.map((name) => [name, this.views[name].place]));
  }

  take(places, draws = true) {
    for (const [name, place] of Object.entries(places)) {
      if (this.views[name].take(place) && draws) {
        this.views[name].drawScene();
      }
    }
  }

  window(name) {
    const [low, high] = this.said.windows[name];
    for (const side of SIDES) {
      const view = this.views[`slices-${side}`];
      const scans = view.volumes.filter((one) => !Object.values(this.overlays[side] ?? {}).includes(one));
      if (scans.some((one) => one.cal_min !== low || one.cal_max !== high)) {
        scans.forEach((one) => { one.cal_min = low; one.cal_max = high; });
        view.updateGLVolume();
      }
    }
  }

  // Brings overlays and fading in line with what is wanted; returns what is to be said of it, or
  // null where another scan is wanted meanwhile.
  async refresh(base, wanted, isWanted) {
    this.window(wanted.window);
    let problem = "";
    if (wanted.replaced && !this.said.replaced) {
      problem = "the replaced region is not known: there is no original on the same grid";
    }
    await this.#overlay("replaced", wanted.replaced && this.said.replaced, base, "blue", isWanted);
    let there = false;
    if (wanted.protected || wanted.leaking) {
      const said = await getJson(`${base}/overlays.json`);
      if (!isWanted()) {
        return null;
      }
      problem = problem || said.error;
      this.shares = said.shares;
      there = !said.error;
    }
    await this.#overlay("protected", wanted.protected && there, base, "green", isWanted);
    await this.#leaks(wanted.leaking && there, base, isWanted);
    await this.#fade(wanted.fade / 100, wanted.window, isWanted);
    return isWanted() ? problem : null;
  }

  async #overlay(name, wanted, base, colormap, isWanted) {
    for (const side of SIDES) {
      const view = this.views[`slices-${side}`];
      const shown = this.overlays[side]?.[name];
      if (!isWanted() || Boolean(shown) === Boolean(wanted) || !view.volumes.length) {
        continue;
      }
      if (!wanted) {
        view.removeVolume(shown);
        delete this.overlays[side][name];
        continue;
      }
      const buffer = await getBuffer(`${base}/${name}.nii`);
      const image = await picture(buffer, { colormap, opacity: 0.45, cal_min: 0.5, cal_max: 1 });
      if (isWanted() && !this.overlays[side][name]) {
        this.overlays[side][name] = image;
        view.addVolume(image);
      }
    }
  }

  async #leaks(wanted, base, isWanted) {
    if (!isWanted() || wanted === Boolean(this.overlays.leaks)) {
      return;
    }
    const buffer = wanted ? await getBuffer(`${base}/leaking.mz3`) : (await this.entry.skins).after;
    if (isWanted()) {
      this.overlays.leaks = wanted;
      await this.#skin("after", buffer);
    }
  }

  async #fade(opacity, window, isWanted) {
    const view = this.views["slices-after"];
    if (opacity > 0 && !this.overlays.fade && isWanted()) {
      const { before } = await this.entry.volumes;
      if (!before || !isWanted()) {
        return;
      }
      const [low, high] = this.said.windows[window];
      const image = await picture(before, { cal_min: low, cal_max: high, opacity });
      if (!isWanted()) {
        return;
      }
      this.overlays.fade = image;
      view.addVolume(image);
    }
    const index = view.volumes.indexOf(this.overlays.fade);
    if (index >= 0 && isWanted()) {
      view.setOpacity(index, opacity);
    }
  }
}
