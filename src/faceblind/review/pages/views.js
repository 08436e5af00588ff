// The four pictures of a scan: slices and skin, original and protected, with linked cameras.

import { getBuffer, getJson } from "./api.js";

const { Niivue, NVImage, NVMesh, SLICE_TYPE, SHOW_RENDER } = globalThis.niivue;
const NAMES = ["slices-before", "slices-after", "skin-before", "skin-after"];
const AHEAD = 3;
const SKIN = [222, 184, 155, 255];
const FRONT = [180, 5];
const SIDE = [90, 5];
const BELOW = [180, -60];
// Without a graphics card a head of 1 mm takes seconds.
const SLOW = /swiftshader|llvmpipe|softpipe|software|basic render/i;

function options(isSkin) {
  return {
    backColor: [0, 0, 0, 1],
    crosshairColor: [1, 0.75, 0, 0.8],
    crosshairWidth: isSkin ? 0 : 0.6,
    show3Dcrosshair: false,
    isColorbar: false,
    dragAndDropEnabled: false,
    loadingText: "",
    logLevel: "silent",
    clipPlaneHotKey: "",
    cycleClipPlaneHotKey: "",
    viewModeHotKey: "",
    sliceType: isSkin ? SLICE_TYPE.RENDER : SLICE_TYPE.MULTIPLANAR,
    multiplanarShowRender: SHOW_RENDER.NEVER,
    isOrientCube: false,
  };
}

export class Views {
  constructor() {
    this.scan = null;
    this.kept = new Map();
    this.wanted = { replaced: false, protected: false, leaking: false, fade: 0, window: "usual" };
    this.overlays = {};
    this.turn = 0;
  }

  async start() {
    this.views = {};
    for (const name of NAMES) {
      const view = new Niivue(options(name.startsWith("skin")));
      await view.attachToCanvas(document.getElementById(name), true);
      this.views[name] = view;
    }
    this.all = !SLOW.test(this.#renderer());
    for (const kind of ["slices", "skin"]) {
      const [a, b] = [this.views[`${kind}-before`], this.views[`${kind}-after`]];
      a.broadcastTo(b, { "2d": kind === "slices", "3d": true });
      b.broadcastTo(a, { "2d": kind === "slices", "3d": true });
    }
    this.look(FRONT);
  }

  // Who draws: a graphics card, or the processor.
  #renderer() {
    const { gl } = this.views[NAMES[0]];
    const named = gl.getExtension("WEBGL_debug_renderer_info");
    return String(gl.getParameter(named ? named.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  }

  // What the server has of a scan; fetched once, also ahead of its turn.
  fetched(scan) {
    const key = `${scan.number}-${scan.again}-${scan.status}-${this.all}`;
    let entry = this.kept.get(key);
    if (!entry) {
      entry = load(`/api/scans/${scan.number}/${this.all ? "" : "coarse-"}`);
      entry.meshes = {};
      entry.skins.catch(() => {});
      entry.volumes.then(() => { entry.ready = true; }, () => this.kept.delete(key));
    }
    this.kept.delete(key);
    this.kept.set(key, entry);
    for (const old of [...this.kept.keys()].slice(0, -AHEAD)) {
      this.#unload(this.kept.get(old));
      this.kept.delete(old);
    }
    return entry;
  }

  // Fetches a scan that will be shown soon, and puts its skins on the graphics card.
  async ahead(scan) {
    const entry = this.fetched(scan);
    try {
      await entry.volumes;
      const skins = await entry.skins;
      for (const side of ["before", "after"]) {
        if (skins[side] && !entry.meshes[side]) {
          entry.meshes[side] = await this.#mesh(side, skins[side]);
        }
      }
      if (this.wanted.protected || this.wanted.leaking) {
        await getJson(`/api/scans/${scan.number}/overlays.json`);
      }
    } catch {
      // It is said when the scan is shown.
    }
  }

  async #mesh(side, buffer) {
    const { gl } = this.views[`skin-${side}`];
    return NVMesh.readMesh(buffer, "skin.mz3", gl, 1, new Uint8Array(SKIN));
  }

  // Returns what is to be said of the scan, or null where another one was asked for meanwhile.
  async show(scan) {
    const turn = ++this.turn;
    this.overlays = {};
    this.scan = null;
    const entry = this.fetched(scan);
    if (!entry.ready) {
      // Another scan's pictures must not stand under this one's name.
      await this.#clear();
    }
    const volumes = await entry.volumes;
    if (turn !== this.turn) {
      return null;
    }
    this.said = volumes.said;
    for (const side of ["before", "after"]) {
      await this.#slices(side, volumes);
    }
    if (turn !== this.turn) {
      return null;
    }
    const skins = await entry.skins.catch((error) => ({ said: { after: error.message } }));
    if (turn !== this.turn) {
      return null;
    }
    for (const side of ["before", "after"]) {
      await this.#skin(side, skins[side], entry);
    }
    this.scan = scan;
    return [volumes.said.error, skins.said.after].filter(Boolean).join("; ");
  }

  // The files have changed: what was fetched of them is worth nothing.
  forget() {
    for (const entry of this.kept.values()) {
      this.#unload(entry);
    }
    this.kept.clear();
  }

  #unload(entry) {
    for (const [side, mesh] of Object.entries(entry.meshes)) {
      mesh.unloadMesh(this.views[`skin-${side}`].gl);
    }
  }

  async #clear() {
    this.said = { windows: { usual: [0, 1], dark: [0, 1] } };
    for (const side of ["before", "after"]) {
      await this.#slices(side, { images: {} });
      await this.#skin(side, null);
    }
  }

  async #slices(side, volumes) {
    const view = this.views[`slices-${side}`];
    const [low, high] = this.said.windows[this.wanted.window];
    const old = [...view.volumes];
    const image = volumes.images[side];
    if (image) {
      Object.assign(image, { cal_min: low, cal_max: high });
    }
    // Without its volumes first, so that nothing is drawn twice.
    view.volumes = [];
    this.overlays[side] = {};
    old.forEach((one) => view.mediaUrlMap.delete(one));
    if (image) {
      view.addVolume(image);
    } else {
      view.back = null;
      view.overlays = [];
      view.updateGLVolume();
      view.drawScene();
    }
  }

  async #skin(side, buffer, entry = null) {
    const view = this.views[`skin-${side}`];
    const mesh = buffer && (entry?.meshes[side] ?? await this.#mesh(side, buffer));
    if (entry) {
      delete entry.meshes[side];
    }
    // The old one last, and without drawing what is left: each drawing of a skin costs.
    const old = [...view.meshes];
    view.meshes = [];
    old.forEach((one) => { one.unloadMesh(view.gl); view.mediaUrlMap.delete(one); });
    if (mesh) {
      view.addMesh(mesh);
    } else {
      view.drawScene();
    }
  }

  // Brings overlays, fading and window in line with what is wanted, one change after the other.
  refresh() {
    const last = this.pending ?? Promise.resolve();
    this.pending = last.catch(() => {}).then(() => this.#refresh());
    return this.pending;
  }

  async #refresh() {
    const turn = this.turn;
    if (!this.scan) {
      return null;
    }
    this.#window();
    const base = `/api/scans/${this.scan.number}`;
    const { replaced, protected: brain, leaking, fade } = this.wanted;
    let problem = "";
    if (replaced && !this.said.replaced) {
      problem = "the replaced region is not known: there is no original on the same grid";
    }
    for (const side of ["before", "after"]) {
      await this.#overlay(side, "replaced", replaced && this.said.replaced, base, "blue", turn);
    }
    if (brain || leaking) {
      const said = await getJson(`${base}/overlays.json`);
      if (turn !== this.turn) {
        return null;
      }
      problem = problem || said.error;
      this.shares = said.shares;
      const there = !said.error;
      for (const side of ["before", "after"]) {
        await this.#overlay(side, "protected", brain && there, base, "green", turn);
      }
      await this.#leaks(leaking && there, base, turn);
    } else {
      for (const side of ["before", "after"]) {
        await this.#overlay(side, "protected", false, base, "green", turn);
      }
      await this.#leaks(false, base, turn);
    }
    await this.#fade(fade / 100, turn);
    return problem;
  }

  async #overlay(side, name, wanted, base, colormap, turn) {
    if (turn !== this.turn) {
      return;
    }
    const view = this.views[`slices-${side}`];
    const shown = this.overlays[side]?.[name];
    if (Boolean(shown) === wanted || !view.volumes.length) {
      return;
    }
    if (!wanted) {
      view.removeVolume(shown);
      delete this.overlays[side][name];
      return;
    }
    const buffer = await getBuffer(`${base}/${name}.nii`);
    if (turn !== this.turn || this.overlays[side][name]) {
      return;
    }
    const image = await picture(buffer, { colormap, opacity: 0.45, cal_min: 0.5, cal_max: 1 });
    this.overlays[side][name] = image;
    view.addVolume(image);
  }

  async #leaks(wanted, base, turn) {
    if (turn !== this.turn || wanted === Boolean(this.overlays.leaks)) {
      return;
    }
    const entry = this.fetched(this.scan);
    const buffer = wanted ? await getBuffer(`${base}/leaking.mz3`) : (await entry.skins).after;
    if (turn === this.turn) {
      this.overlays.leaks = wanted;
      await this.#skin("after", buffer);
    }
  }

  async #fade(opacity, turn) {
    if (turn !== this.turn) {
      return;
    }
    const view = this.views["slices-after"];
    let image = this.overlays.fade;
    if (opacity > 0 && !image) {
      const volumes = await this.fetched(this.scan).volumes;
      if (!volumes.before || turn !== this.turn) {
        return;
      }
      const [low, high] = this.said.windows[this.wanted.window];
      image = await picture(volumes.before, { cal_min: low, cal_max: high, opacity });
      this.overlays.fade = image;
      view.addVolume(image);
    }
    if (image) {
      const index = view.volumes.indexOf(image);
      view.setOpacity(index, opacity);
    }
  }

  #window() {
    const [low, high] = this.said.windows[this.wanted.window];
    for (const side of ["before", "after"]) {
      const view = this.views[`slices-${side}`];
      const scans = view.volumes.filter((one) => !Object.values(this.overlays[side]).includes(one));
      if (scans.some((one) => one.cal_min !== low || one.cal_max !== high)) {
        scans.forEach((one) => { one.cal_min = low; one.cal_max = high; });
        view.updateGLVolume();
      }
    }
  }

  // Turns both skins; without a direction they keep the one they share.
  look(direction) {
    const [a, b] = [this.views["skin-before"], this.views["skin-after"]];
    const [azimuth, elevation] = direction ?? [a.scene.renderAzimuth, a.scene.renderElevation];
    for (const view of [a, b]) {
      Object.assign(view.scene, { renderAzimuth: azimuth, renderElevation: elevation });
      view.drawScene();
    }
  }

  lookFrom(where) {
    this.look({ front: FRONT, side: SIDE, below: BELOW }[where]);
  }

  turnBy(azimuth, elevation) {
    const scene = this.views["skin-after"].scene;
    this.look([scene.renderAzimuth + azimuth, scene.renderElevation + elevation]);
  }

  cameras() {
    return Object.fromEntries(NAMES.map((name) => {
      const scene = this.views[name].scene;
      return [name, {
        azimuth: scene.renderAzimuth, elevation: scene.renderElevation, crosshair: [...scene.crosshairPos],
      }];
    }));
  }
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
    await volumes;
    const said = await getJson(`${base}skins.json`);
    const [after, before] = await Promise.all(
      ["after", "before"].map((side) => (said[side] ? null : getBuffer(`${base}${side}.mz3`))),
    );
    return { said, after, before };
  })();
  return { volumes, skins };
}

async function picture(buffer, more) {
  return NVImage.loadFromUrl({ url: "scan.nii", name: "scan.nii", buffer, ...more });
}
