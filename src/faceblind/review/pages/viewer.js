// NiiVue as the pages use it: one picture of slices or of a skin.

const { Niivue, NVImage, NVMesh, SLICE_TYPE, SHOW_RENDER } = globalThis.niivue;
const SKIN = [222, 184, 155, 255];
// Without a graphics card a head of 1 mm takes seconds.
const SLOW = /swiftshader|llvmpipe|softpipe|software|basic render/i;

// Whether the processor draws, because there is no graphics card.
export function isSlow() {
  const gl = document.createElement("canvas").getContext("webgl2");
  if (!gl) {
    return true;
  }
  const named = gl.getExtension("WEBGL_debug_renderer_info");
  const name = String(gl.getParameter(named ? named.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return SLOW.test(name);
}

function options(isSkin, slow) {
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
    forceDevicePixelRatio: slow ? 1 : 0,
  };
}

export const pause = (ms = 0) => new Promise((done) => { setTimeout(done, ms); });

export class Viewer extends Niivue {
  constructor(isSkin, slow) {
    super(options(isSkin, slow));
    this.smooth = isSkin && !slow;
  }

  async attach(canvas) {
    await this.attachToCanvas(canvas, this.smooth);
    const skipped = { uniforms: {}, use: () => this.#draws(false) };
    Object.assign(this, {
      blurShader: skipped, gradientPrePassShader: skipped,
      sobelFirstOrderShader: skipped, sobelSecondOrderShader: skipped,
    });
    return this;
  }

  // The page has keys of its own: `l` must not move the crosshair, too.
  keyDownListener() {}

  keyUpListener() {}

  // NiiVue also works out the slope at every voxel, for a kind of render that is not shown here. By
  // a processor that takes much longer than all the rest.
  refreshLayers(image, layer) {
    const looks = [image.cal_min, image.cal_max, image.opacity, image.colormap].join();
    // An overlay that comes, goes or fades leaves the scan below it as it is.
    if (layer === 0 && this.overlays.length && this.below?.image === image && this.below.looks === looks) {
      return;
    }
    if (layer === 0) {
      this.below = { image, looks };
    }
    this.refreshing = true;
    try {
      super.refreshLayers(image, layer);
    } finally {
      this.refreshing = false;
      this.#draws(true);
    }
  }

  rgbaTex(old, unit, dims, empty) {
    const slopes = this.refreshing && ((empty && unit === this.gl.TEXTURE8) || this.gl.isStill);
    return super.rgbaTex(old, unit, slopes ? [3, 1, 1, 1] : dims, empty);
  }

  #draws(again) {
    const { gl } = this;
    gl.isStill = !again;
    if (again) {
      delete gl.drawArrays;
      delete gl.framebufferTextureLayer;
      delete gl.checkFramebufferStatus;
    } else {
      gl.drawArrays = () => {};
      gl.framebufferTextureLayer = () => {};
      gl.checkFramebufferStatus = () => gl.FRAMEBUFFER_COMPLETE;
    }
  }

  // Draws without holding up the page, which answers keys meanwhile; is done once all is drawn.
  async unhurried(draws) {
    const { gl } = this;
    gl.finish = () => gl.flush();
    try {
      await draws();
    } finally {
      delete gl.finish;
    }
    const drawn = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    gl.flush();
    while (gl.clientWaitSync(drawn, 0, 0) === gl.TIMEOUT_EXPIRED) {
      await pause(5);
    }
    gl.deleteSync(drawn);
  }

  mesh(buffer) {
    return NVMesh.readMesh(buffer, "skin.mz3", this.gl, 1, new Uint8Array(SKIN));
  }

  // Shows one volume, or nothing, and draws once.
  showVolume(image) {
    this.volumes.forEach((one) => this.mediaUrlMap.delete(one));
    // Without the old ones first, so that nothing is drawn twice.
    this.volumes = [];
    if (image) {
      this.addVolume(image);
    } else {
      this.back = null;
      this.overlays = [];
      this.updateGLVolume();
    }
  }

  // Shows one mesh, or nothing, and draws once.
  showMesh(mesh) {
    const old = [...this.meshes];
    this.meshes = [];
    old.forEach((one) => { one.unloadMesh(this.gl); this.mediaUrlMap.delete(one); });
    if (mesh) {
      this.addMesh(mesh);
    } else {
      this.drawScene();
    }
  }

  // Where it is looked from and at.
  get place() {
    const { scene } = this;
    return {
      renderAzimuth: scene.renderAzimuth, renderElevation: scene.renderElevation,
      volScaleMultiplier: scene.volScaleMultiplier,
      crosshairPos: [...scene.crosshairPos], pan2Dxyzmm: [...scene.pan2Dxyzmm],
    };
  }

  // Takes over a place; says whether it is another one, which is not drawn yet.
  take(place) {
    const isNew = JSON.stringify(place) !== JSON.stringify(this.place);
    if (isNew) {
      Object.assign(this.scene, place, {
        crosshairPos: [...place.crosshairPos], pan2Dxyzmm: [...place.pan2Dxyzmm],
      });
    }
    return isNew;
  }
}

export async function picture(buffer, more) {
  return NVImage.loadFromUrl({ url: "scan.nii", name: "scan.nii", buffer, ...more });
}
