// Accuracy against cost, or any quantity against any other.

const quantities = [
  { key: "map", title: "mAP (%)", better: 1 },
  { key: "minp", title: "mINP (%)", better: 1 },
  { key: "rank1", title: "Rank-1 (%)", better: 1 },
  { key: "map_reranked", title: "mAP, re-ranked (%)", better: 1 },
  { key: "rank1_reranked", title: "Rank-1, re-ranked (%)", better: 1 },
  { key: "rank5", title: "Rank-5 (%)", better: 1 },
  { key: "rank10", title: "Rank-10 (%)", better: 1 },
  { key: "macs_g", title: "MACs (G)", better: -1, cost: true },
  { key: "params_m", title: "Params (M)", better: -1, cost: true },
  { key: "latency_ms", title: "Latency (ms)", better: -1, cost: true },
  { key: "throughput", title: "Inference (img/s)", better: 1, cost: true },
  { key: "inference_mib", title: "Memory, inference (MiB)", better: -1, cost: true },
  { key: "images_per_second", title: "Training speed (img/s)", better: 1, cost: true },
  { key: "memory", title: "Memory in training (GiB)", better: -1, cost: true },
];

const quantity = (key) => quantities.find((q) => q.key === key);

let shownModels = new Set();

function setUpScatter() {
  const form = document.querySelector("#trade-off form");
  form.hidden = false;
  const known = quantities.filter((q) => data.models.some((m) => q.key in m.published || q.key in m.ours));
  chosen.axes.ours ??= data.compared; // not what is no figure of the same thing
  chosen.axes.x ||= known.some((q) => q.key === "latency_ms") ? "latency_ms" : "macs_g";
  for (const axis of ["x", "y"]) {
    options(form.elements[axis], known.map((q) => [q.key, q.title]), chosen.axes[axis]);
  }
  for (const name of Object.keys(chosen.axes)) {
    const control = form.elements[name];
    const property = control.type === "checkbox" ? "checked" : "value";
    control[property] = chosen.axes[name];
    control.addEventListener("input", () => {
      chosen.axes[name] = control[property];
      drawScatter(shownModels);
    });
  }
  form.addEventListener("submit", (event) => event.preventDefault());
  onResize(document.getElementById("scatter"), () => drawScatter(shownModels));
}

function drawScatter(shown) {
  shownModels = shown;
  const figure = document.getElementById("scatter");
  const xAxis = quantity(chosen.axes.x), yAxis = quantity(chosen.axes.y);
  const marks = [...marksOf("published"), ...marksOf("ours")];
  if (marks.length === 0) {
    figure.replaceChildren(node("p", { class: "hint" }, "No model that is shown has both quantities."));
    return;
  }
  const width = Math.max(figure.clientWidth, 280), height = Math.round(Math.min(620, Math.max(340, width * 0.55)));
  const x = fitted(marks.flatMap((m) => [m.values.x, ...(m.intervals.x ?? [])]), 44, width - 12, xAxis);
  const y = fitted(marks.flatMap((m) => [m.values.y, ...(m.intervals.y ?? [])]), height - 44, 28, yAxis);
  for (const m of marks) Object.assign(m, { x: x(m.values.x), y: y(m.values.y) });

  const svg = shape("svg", {
    viewBox: `0 0 ${width} ${height}`, width, height, role: "group",
    "aria-label": `${yAxis.title} against ${xAxis.title}, ${marks.length} marks`,
  });
  svg.append(drawAxes(x, y, { titles: { x: titleOf(xAxis, x), y: titleOf(yAxis, y) }, every: { x: 80, y: 45 } }));
  for (const side of ["published", "ours"]) {
    const front = paretoFront(marks.filter((m) => m.side === side), xAxis, yAxis);
    for (const m of front) m.onFront = true;
    if (front.length > 0) svg.append(shape("path", { class: `front ${side}`, d: stairs(front, xAxis.better > 0 ? x.from : x.to) }));
  }
  marks.sort((a, b) => a.x - b.x || a.y - b.y);
  for (const m of marks) {
    m.element = drawMark(m, x, y);
    svg.append(m.element);
  }
  figure.replaceChildren(svg);
  if (chosen.axes.labels) drawNames(svg, marks, { left: x.from, right: x.to, top: y.to, bottom: y.from });
  makeReadable(figure, svg, marks, xAxis, yAxis);
}

const titleOf = (q, s) => q.title + (s.log ? ", logarithmic" : "");

// marksOf takes one side of all models that are shown and have both quantities on it.
function marksOf(side) {
  if (!chosen.axes[side]) return [];
  const { x, y } = chosen.axes;
  return data.models
    .filter((m) => shownModels.has(m.model) && x in m[side] && y in m[side])
    .map((m) => ({
      model: m.model, side, r: 5,
      values: { x: m[side][x], y: m[side][y] },
      deviations: side === "ours" ? { x: m.deviation[x], y: m.deviation[y] } : {},
      intervals: side === "ours" ? { x: m.interval[x], y: m.interval[y] } : {},
    }));
}

// fitted is a scale around the values, logarithmic for costs that differ by magnitudes.
function fitted(values, from, to, { cost }) {
  let low = Math.min(...values), high = Math.max(...values);
  if (cost && low > 0 && high / low > 8) {
    const margin = (high / low) ** 0.05;
    return scale(low / margin, high * margin, from, to, true);
  }
  const margin = (high - low) * 0.06 || Math.abs(high) * 0.1 || 1;
  [low, high] = [low - margin, high + margin];
  return scale(cost ? Math.max(low, 0) : low, high, from, to);
}

// paretoFront keeps the marks that no other one beats, from the best in x to the best in y.
function paretoFront(marks, xAxis, yAxis) {
  const front = [];
  const byX = marks.toSorted((a, b) => xAxis.better * (b.values.x - a.values.x) || yAxis.better * (b.values.y - a.values.y));
  for (const m of byX) {
    const best = front.at(-1);
    const gain = best ? yAxis.better * (m.values.y - best.values.y) : 1;
    if (gain > 0 || (gain === 0 && m.values.x === best.values.x)) front.push(m);
  }
  return front;
}

// stairs is the best y to be had at each x, from the front's first mark to the end of the axis.
function stairs(front, end) {
  return `M${front[0].x} ${front[0].y}` + front.slice(1).map((m) => `H${m.x}V${m.y}`).join("") + `H${end}`;
}

function drawMark(m, x, y) {
  const element = shape("g", { class: `mark ${m.side}`, role: "img", tabindex: -1 });
  for (const [d, s, line] of [
    [m.deviations.x, x, (from, to) => `M${from} ${m.y}H${to}`],
    [m.deviations.y, y, (from, to) => `M${m.x} ${from}V${to}`],
  ]) {
    if (!d) continue;
    const value = s === x ? m.values.x : m.values.y;
    element.append(shape("path", { class: "deviation", d: line(s(s.log ? Math.max(value - d, s.low) : value - d), s(value + d)) }));
  }
  for (const [ends, s, line] of [
    [m.intervals.x, x, (from, to) => `M${from} ${m.y}H${to}M${from} ${m.y - 3}v6M${to} ${m.y - 3}v6`],
    [m.intervals.y, y, (from, to) => `M${m.x} ${from}V${to}M${m.x - 3} ${from}h6M${m.x - 3} ${to}h6`],
  ]) {
    if (ends) element.append(shape("path", { class: "interval", d: line(s(ends[0]), s(ends[1])) }));
  }
  const { r } = m;
  element.append(shape("path", {
    d: m.side === "published"
      ? `M${m.x - r} ${m.y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`
      : `M${m.x} ${m.y - 1.25 * r}L${m.x + 1.25 * r} ${m.y}L${m.x} ${m.y + 1.25 * r}L${m.x - 1.25 * r} ${m.y}Z`,
  }));
  return element;
}

// drawNames writes the models' names where there is room, those on a front first.
function drawNames(svg, marks, area) {
  const names = marks.toSorted((a, b) => (b.onFront ?? 0) - (a.onFront ?? 0)).map((mark) => {
    const text = shape("text", { class: mark.onFront ? "name front-name" : "name", "text-anchor": "middle" }, mark.model);
    svg.append(text);
    return { mark, text };
  });
  const places = placeLabels(names.map(({ mark, text }) => ({
    x: mark.x, y: mark.y, r: mark.r + 1, width: text.getComputedTextLength() + 2, height: 13,
  })), area);
  for (const [i, { text }] of names.entries()) {
    if (!places[i]) {
      text.remove();
      continue;
    }
    text.setAttribute("x", places[i].x);
    text.setAttribute("y", places[i].y + 4);
  }
}

// makeReadable shows the figures of the mark under the pointer or with the focus.
function makeReadable(figure, svg, marks, xAxis, yAxis) {
  const tip = node("div", { class: "tip" });
  tip.hidden = true;
  figure.append(tip);
  const hide = () => {
    tip.hidden = true;
    svg.querySelector(".current")?.classList.remove("current");
  };
  const show = (m) => {
    hide();
    m.element.classList.add("current");
    tip.replaceChildren(node("b", {}, m.model), node("span", { class: m.side }, m.side), ...description(m, xAxis, yAxis).flatMap((line) => [node("br", {}), line]));
    tip.hidden = false;
    tip.style.left = `${Math.max(0, Math.min(m.x + 12, figure.clientWidth - tip.offsetWidth))}px`;
    tip.style.top = `${m.y > tip.offsetHeight + 14 ? m.y - tip.offsetHeight - 10 : m.y + 14}px`;
  };
  for (const [i, m] of marks.entries()) {
    m.element.setAttribute("aria-label", [m.model, m.side, ...description(m, xAxis, yAxis)].join(", "));
    m.element.addEventListener("focus", () => {
      for (const other of marks) other.element.setAttribute("tabindex", other === m ? 0 : -1);
      show(m);
    });
    m.element.addEventListener("blur", hide);
    m.element.addEventListener("keydown", (event) => {
      const step = { ArrowRight: i + 1, ArrowDown: i + 1, ArrowLeft: i - 1, ArrowUp: i - 1, Home: 0, End: marks.length - 1 }[event.key];
      if (event.key === "Escape") hide();
      if (step === undefined) return;
      event.preventDefault();
      marks[Math.min(Math.max(step, 0), marks.length - 1)].element.focus();
    });
  }
  marks[0].element.setAttribute("tabindex", 0);
  svg.addEventListener("pointermove", (event) => {
    const m = nearestMark(svg, marks, event);
    if (m) show(m);
    else hide();
  });
  svg.addEventListener("pointerleave", hide);
}

function description(m, xAxis, yAxis) {
  return [["y", yAxis], ["x", xAxis]].map(([axis, { title }]) => {
    const deviation = m.deviations[axis], interval = m.intervals[axis];
    return `${title}: ${round(m.values[axis])}${deviation === undefined ? "" : ` ± ${round(deviation)}`}` +
      (interval ? ` (95 %: ${round(interval[0])} to ${round(interval[1])})` : "");
  });
}

function nearestMark(svg, marks, event) {
  const box = svg.getBoundingClientRect();
  const factor = svg.viewBox.baseVal.width / box.width;
  const x = (event.clientX - box.left) * factor, y = (event.clientY - box.top) * factor;
  const distance = (m) => Math.hypot(m.x - x, m.y - y);
  const nearest = marks.reduce((a, b) => (distance(b) < distance(a) ? b : a));
  return distance(nearest) < 24 ? nearest : undefined;
}
