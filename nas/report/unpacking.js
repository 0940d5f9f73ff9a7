"use strict";
// Unpacks what stands in the page as base64 of gzip: libraries, which are then run, and volumes.
const unpacking = (function () {
  async function bytes(text) {
    const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).arrayBuffer();
  }

  // Whether the library is there; it is run as any other script of the page, so that its policy needs no exception.
  async function library(name) {
    const block = document.getElementById("library-" + name);
    if (!block || typeof DecompressionStream === "undefined") { return false; }
    const script = document.createElement("script");
    script.textContent = new TextDecoder().decode(await bytes(block.textContent));
    document.body.append(script);
    block.remove();
    return true;
  }

  return { bytes, library };
})();
