"use strict";
// Shows cases as volumes to turn and scroll, as soon as a reader comes near; slices are there without it.
(function () {
  const block = document.getElementById("volume");
  if (!block) { return; }
  const { cases, colours } = JSON.parse(document.getElementById("data-volumes").textContent);
  const part = (name) => document.getElementById("volume-" + name);
  const chosenCase = part("case"), seen = part("seen"), turn = part("turn"), slice = part("slice"), canvas = part("canvas");
  const told = part("told"), controls = part("controls");
  let viewer = null, asked = 0, shownCase = null;

  function refuse(reason) {
    controls.hidden = true;
    told.textContent = reason + " The slices above show the same cases.";
    block.dataset.shown = "no";
  }

  function table() {
    const column = (index) => [0].concat(colours.map((colour) => colour[index]));
    return { R: column(0), G: column(1), B: column(2), A: [0].concat(colours.map(() => 255)), I: [0].concat(colours.map((_, at) => at + 1)) };
  }

  async function image(packed, name, colormap, opacity) {
    return niivue.NVImage.new(await unpacking.bytes(packed), name + ".nii", colormap, opacity, null, 0, 255);
  }

  async function show() {
    const number = (asked += 1);
    const one = cases[Number(chosenCase.value)], label = one.labels[Number(seen.value)];
    const volumes = [await image(one.image, "image", "gray", 1)];
    if (label) {
      const overlay = await image(label[1], "label", "", 0.55);
      overlay.setColormapLabel(table());
      volumes.push(overlay);
    }
    if (number !== asked) { return; }
    viewer.volumes.slice().reverse().forEach((old) => viewer.removeVolume(old));
    viewer.opts.isOrientationTextVisible = one.oriented;
    volumes.forEach((volume) => viewer.addVolume(volume));
    if (shownCase !== chosenCase.value) {
      shownCase = chosenCase.value;
      viewer.scene.crosshairPos = [0.5, 0.5, 0.5];
      slice.value = "50";
    }
    viewer.drawScene();
    block.dataset.shown = chosenCase.value + " " + seen.value;
  }

  async function begin() {
    if (!document.createElement("canvas").getContext("webgl2")) { refuse("This browser has no WebGL 2, which volumes need."); return; }
    if (!(await unpacking.library("niivue"))) { refuse("This browser is too old for volumes."); return; }
    viewer = new niivue.Niivue({
      logLevel: "error", backColor: [0, 0, 0, 1], isRadiologicalConvention: true, dragAndDropEnabled: false, showLegend: false,
      crosshairColor: [1, 1, 1, 0.6], crosshairWidth: 0.15, fontColor: [0.85, 0.85, 0.85, 1],
      heroImageFraction: 0.45, multiplanarLayout: canvas.clientWidth > 700 ? 2 : 0, multiplanarPadPixels: 4,
    });
    await viewer.attachToCanvas(canvas);
    viewer.setRenderAzimuthElevation(Number(turn.value), 15);
    viewer.onAzimuthElevationChange = (azimuth) => { turn.value = String(Math.round(((azimuth % 360) + 360) % 360)); };
    viewer.onLocationChange = () => {
      slice.value = String(Math.round(viewer.scene.crosshairPos[2] * 100));
      block.dataset.place = Array.from(viewer.scene.crosshairPos, (share) => share.toFixed(3)).join(" ");
    };
    [chosenCase, seen].forEach((choice) => choice.addEventListener("change", show));
    turn.addEventListener("input", () => viewer.setRenderAzimuthElevation(Number(turn.value), viewer.scene.renderElevation));
    slice.addEventListener("input", () => {
      viewer.scene.crosshairPos = [viewer.scene.crosshairPos[0], viewer.scene.crosshairPos[1], Number(slice.value) / 100];
      viewer.drawScene();
    });
    // A reader who scrolls down the page is not to be caught: the wheel goes through slices once the volume was clicked.
    part("frame").addEventListener("wheel", (event) => { if (document.activeElement !== canvas) { event.stopPropagation(); } }, { capture: true });
    canvas.addEventListener("mousedown", () => canvas.focus({ preventScroll: true }));
    await show();
  }

  block.hidden = false;
  const near = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) { return; }
    near.disconnect();
    begin().catch(() => refuse("Volumes could not be shown."));
  }, { rootMargin: "300px" });
  near.observe(block);
})();
