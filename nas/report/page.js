"use strict";
// Draws the figures, and shows the network that is chosen in one of them or from the list. Text from the data becomes
// text: nothing is put together as markup.
(async function () {
  const read = (name) => JSON.parse(document.getElementById("data-" + name).textContent);
  const figures = read("figures");
  const { winner, words, networks } = read("networks");
  networks.forEach((network) => {
    network.facts = network.facts.map(([name, text]) => [words[name], text]);
    network.decisions = network.decisions.map(([name, text]) => [words[name], words[text]]);
    network.curves = Object.fromEntries(network.curves.map(([name, x, y]) => [words[name], [x, y]]));
  });
  const drawings = read("drawings");
  const byNumber = new Map(networks.map((network) => [network.number, network]));
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const printing = window.matchMedia("print");
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  const able = await unpacking.library("plotly");
  const config = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"] };

  const ink = () => (dark.matches && !printing.matches ? "#d9dee3" : "#2a3037");
  const ground = () => (dark.matches && !printing.matches ? "#1d2228" : "#ffffff");

  // What depends on day and night: the colour of words, and the ground of what floats above a figure.
  function lit(layout) {
    const changes = { "font.color": ink(), "hoverlabel.bgcolor": ground(), "hoverlabel.font.color": ink() };
    (layout.annotations || []).forEach((_, number) => { changes["annotations[" + number + "].font.color"] = ink(); });
    return changes;
  }

  function dressed(layout) {
    const copy = structuredClone(layout);
    copy.font = Object.assign({}, copy.font, { color: ink() });
    copy.hoverlabel = Object.assign({}, copy.hoverlabel, { bgcolor: ground(), font: { color: ink() } });
    (copy.annotations || []).forEach((note) => { note.font = Object.assign({}, note.font, { color: ink() }); });
    copy.autosize = true;
    return copy;
  }

  function draw(place) {
    const picture = figures[place.dataset.figure];
    Plotly.newPlot(place, picture.data, dressed(picture.layout), config);
    place.on("plotly_click", (event) => {
      const number = event.points.map((point) => point.customdata).find((data) => byNumber.has(data));
      if (number !== undefined) { choose(number, true); }
    });
  }

  // Browsers of before 2023 cannot unpack the library that draws.
  function excuse(place) {
    place.style.height = "auto";
    place.textContent = "This browser is too old to draw the figure; the table below says what it shows.";
  }

  function element(kind, text, attributes) {
    const made = document.createElement(kind);
    if (text) { made.textContent = text; }
    Object.entries(attributes || {}).forEach(([name, value]) => made.setAttribute(name, value));
    return made;
  }

  function rows(pairs) {
    const body = element("tbody");
    pairs.forEach(([name, value]) => {
      const row = body.appendChild(element("tr"));
      row.append(element("th", name, { scope: "row" }), element("td", value));
    });
    const table = element("table");
    table.append(body);
    return table;
  }

  function curve(network) {
    const place = element("div", "", { class: "curve", role: "img", "aria-label": "How " + network.name + " learnt" });
    const names = Object.keys(network.curves);
    if (!names.length) { return element("p", "Nothing was measured on the way.", { class: "faint" }); }
    const looks = [{ color: "#7f8791" }, { color: "#cf6a0c" }];
    const data = names.map((name, number) => ({
      x: network.curves[name][0], y: network.curves[name][1], mode: "lines+markers", marker: { size: 4 },
      line: Object.assign({ width: 2 }, looks[number]), name: name.replace("_", " "), yaxis: number ? "y2" : "y",
    }));
    const axis = (title) => ({ title: { text: title }, gridcolor: "rgba(127,135,145,0.25)", zeroline: false, automargin: true });
    const layout = {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", margin: { l: 50, r: 50, t: 24, b: 40 }, font: { size: 12 },
      legend: { orientation: "h", y: 1.02, yanchor: "bottom" }, xaxis: axis("Epoch"), yaxis: axis(names[0].replace("_", " ")),
      yaxis2: Object.assign(axis((names[1] || "").replace("_", " ")), { overlaying: "y", side: "right", showgrid: false, tickmode: "auto" }),
    };
    requestAnimationFrame(() => { if (place.isConnected && able) { Plotly.newPlot(place, data, dressed(layout), config); } });
    return place;
  }

  function drawing(network) {
    const svg = drawings[network.number];
    const figure = element("figure", "", { class: "wide" });
    if (!svg) {
      figure.append(element("p", "Only the best, the published and the front's networks are drawn here.", { class: "faint" }));
      return figure;
    }
    figure.append(element("img", "", {
      src: "data:image/svg+xml;charset=utf-8," + encodeURIComponent(svg), alt: "The network " + network.name + " as a drawing",
    }));
    return figure;
  }

  // The best network and its rival stand side by side further down; a few others have pictures of their own.
  function cases(number) {
    const place = element("div", "", { class: "wide panels" });
    const own = document.getElementById("cases-" + number);
    if (own) { place.append(own.content.cloneNode(true)); }
    document.querySelectorAll("#images [data-of='" + number + "']").forEach((figure) => {
      const copy = figure.cloneNode(true), caption = copy.querySelector("figcaption");
      caption.textContent = figure.dataset.case + " (" + caption.textContent + ")";
      place.append(copy);
    });
    return place;
  }

  function choose(number, jump) {
    const network = byNumber.get(number);
    const place = document.getElementById("details");
    if (!network || !place) { return; }
    document.getElementById("choose").value = String(number);
    const inside = element("div", "", { class: "inside", "data-network": String(number) });
    const decided = element("details", "", { class: "wide" });
    decided.append(element("summary", "What was chosen for it (" + network.decisions.length + ")"), rows(network.decisions));
    inside.append(rows(network.facts), curve(network), drawing(network), cases(number), decided);
    place.replaceChildren(element("h3", network.name), inside);
    if (jump) { document.getElementById("network").scrollIntoView({ behavior: still.matches ? "auto" : "smooth", block: "nearest" }); }
  }

  const plots = () => Array.from(document.querySelectorAll(".plot, .curve")).filter((place) => place.data);

  function relight() { plots().forEach((place) => Plotly.relayout(place, lit(place.layout))); }

  const chooser = document.getElementById("choose");
  if (chooser) {
    chooser.addEventListener("change", () => choose(Number(chooser.value), false));
    if (networks.length) { choose(winner === null ? networks[0].number : winner, false); }
  }
  document.querySelectorAll(".plot").forEach(able ? draw : excuse);
  dark.addEventListener("change", relight);
  // Paper is narrower than a screen, and white.
  window.addEventListener("beforeprint", () => { plots().forEach((place) => Plotly.relayout(place, Object.assign(lit(place.layout), { width: 690 }))); });
  window.addEventListener("afterprint", () => { plots().forEach((place) => Plotly.relayout(place, Object.assign(lit(place.layout), { width: null }))); });
  document.documentElement.dataset.ready = "yes";
})();
