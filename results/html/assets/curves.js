// A panel per model, all with the same axes.

const curveTitles = [["loss", "training loss"], ["correct", "training accuracy (%)"], ["map", "mAP (%)"], ["rank1", "Rank-1 (%)"]];

let shownCurves = new Set();

function setUpCurves() {
  const form = document.querySelector("#curves form");
  const known = curveTitles.filter(([key]) => data.curves.some((c) => c.runs.some((r) => r[key].length > 0)));
  form.hidden = known.length === 0;
  if (form.hidden) {
    document.getElementById("panels").replaceChildren(node("p", { class: "hint" }, "No run has a log yet."));
    return;
  }
  if (!known.some(([key]) => key === chosen.curve)) chosen.curve = known[0][0];
  options(form.elements.curve, known, chosen.curve);
  form.elements.curve.addEventListener("input", () => {
    chosen.curve = form.elements.curve.value;
    drawCurves(shownCurves);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  onResize(document.getElementById("panels"), () => drawCurves(shownCurves));
}

function drawCurves(shown) {
  shownCurves = shown;
  const grid = document.getElementById("panels");
  const curves = data.curves.map((c) => ({ ...c, ...overSeeds(c.runs.map((r) => r[chosen.curve])) })).filter((c) => c.mean.length > 0);
  if (curves.length === 0) return;
  const panels = curves.filter((c) => shown.has(c.model)).map((c) => {
    const figure = node("figure", { class: "panel", "data-model": c.model },
      node("figcaption", {}, node("b", { title: c.model }, c.model), node("span", {}, latest(c))));
    return { curve: c, figure };
  });
  grid.replaceChildren(...panels.map((p) => p.figure));
  if (panels.length === 0) return;

  const style = getComputedStyle(panels[0].figure);
  const width = panels[0].figure.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  const x = scale(0, Math.max(...curves.map((c) => c.epochs), 1), 30, width - 4);
  const y = commonScale(curves, 112, 8);
  const others = curves.map((c) => line(sparse(c.mean), x, y)).join("");
  for (const [i, { curve, figure }] of panels.entries()) {
    const svg = shape("svg", {
      viewBox: `0 0 ${width} 132`, width, height: 132, role: "img", tabindex: i === 0 ? 0 : -1, "aria-label": summary(curve),
    });
    svg.append(drawAxes(x, y, { every: { x: 48, y: 26 } }), shape("path", { class: "others", d: others }));
    if (curve.runs.length > 1) {
      if (curve.band.length > 0) svg.append(shape("path", { class: "band", d: outline(curve.band, x, y) }));
      for (const r of curve.runs) svg.append(shape("path", { class: "run", d: line(r[chosen.curve], x, y) }));
    }
    svg.append(shape("path", { class: "mean", d: line(curve.mean, x, y) }));
    if (curve.mean.length === 1) svg.append(dot(curve.mean[0], x, y));
    figure.append(svg);
    makeLegible(figure, svg, curve, x, y, panels);
  }
}

// commonScale holds all curves, but for the part of one that has gone far astray: it leaves at the top, lest the others be flat.
function commonScale(curves, from, to) {
  const values = curves.flatMap((c) => [...c.mean, ...c.band.flat()].map(([, value]) => value)).sort((a, b) => a - b);
  const usual = values[Math.floor(0.9 * (values.length - 1))], high = values.at(-1);
  return scale(Math.min(0, values[0]), (high > 4 * usual ? 2 * usual : high) * 1.04 || 1, from, to);
}

// overSeeds is the mean of several runs' curves, and a standard deviation around it, at the samples that all of them have.
function overSeeds(runs) {
  const at = new Map();
  for (const run of runs) {
    for (const [epoch, value] of run) at.set(epoch, [...(at.get(epoch) ?? []), value]);
  }
  const longest = Math.max(0, ...[...at.values()].map((values) => values.length));
  const common = [...at].filter(([, values]) => values.length === longest).sort(([a], [b]) => a - b);
  const mean = common.map(([epoch, values]) => [epoch, values.reduce((a, b) => a + b, 0) / values.length]);
  const band = longest < 2 ? [] : common.map(([epoch, values], i) => {
    const deviation = Math.sqrt(values.reduce((a, v) => a + (v - mean[i][1]) ** 2, 0) / (values.length - 1));
    return [[epoch, mean[i][1] - deviation], [epoch, mean[i][1] + deviation]];
  });
  return { mean, band };
}

function line(samples, x, y) {
  return samples.map(([epoch, value], i) => `${i ? "L" : "M"}${x(epoch).toFixed(1)} ${y(value).toFixed(1)}`).join("");
}

function outline(band, x, y) {
  return line([...band.map(([low]) => low), ...band.map(([, high]) => high).reverse()], x, y) + "Z";
}

// sparse is enough of a curve for the background.
function sparse(samples) {
  const step = Math.ceil(samples.length / 40);
  return samples.filter((_, i) => i % step === 0 || i === samples.length - 1);
}

function dot([epoch, value], x, y) {
  return shape("circle", { class: "reading", cx: x(epoch), cy: y(value), r: 4 });
}

function latest({ mean }) {
  const [epoch, value] = mean.at(-1);
  return `${brief(value)} after ${round(epoch)}`;
}

function summary(curve) {
  const title = curveTitles.find(([key]) => key === chosen.curve)[1];
  const [first, last] = [curve.mean[0], curve.mean.at(-1)];
  return `${curve.model}, ${title}: ${round(first[1])} after ${round(first[0])} epochs, ${round(last[1])} after ${round(last[0])}`;
}

// makeLegible reads the value under the pointer, or where the arrow keys have gone; up and down change the panel.
function makeLegible(figure, svg, curve, x, y, panels) {
  const caption = figure.querySelector("figcaption span");
  let at = curve.mean.length - 1;
  const read = (i) => {
    at = Math.min(Math.max(i, 0), curve.mean.length - 1);
    const [epoch, value] = curve.mean[at];
    const band = curve.band[at];
    caption.textContent = `${brief(value)}${band ? ` ± ${brief(band[1][1] - value)}` : ""} after ${round(epoch)}`;
    svg.querySelector(".reading")?.remove();
    svg.append(dot(curve.mean[at], x, y));
  };
  const leave = () => {
    caption.textContent = latest(curve);
    if (curve.mean.length > 1) svg.querySelector(".reading")?.remove();
  };
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const pointed = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
    const distance = ([epoch]) => Math.abs(x(epoch) - pointed);
    read(curve.mean.reduce((best, sample, i) => (distance(sample) < distance(curve.mean[best]) ? i : best), 0));
  });
  svg.addEventListener("pointerleave", leave);
  svg.addEventListener("focus", () => read(at));
  svg.addEventListener("blur", leave);
  svg.addEventListener("keydown", (event) => {
    const panel = panels.findIndex((p) => p.figure === figure) + ({ ArrowDown: 1, ArrowUp: -1 }[event.key] ?? 0);
    const step = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: curve.mean.length - 1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      read(step);
    } else if (event.key.startsWith("Arrow") && panels[panel]) {
      event.preventDefault();
      const next = panels[panel].figure.querySelector("svg");
      for (const p of panels) p.figure.querySelector("svg").setAttribute("tabindex", -1);
      next.setAttribute("tabindex", 0);
      next.focus();
    }
  });
}
