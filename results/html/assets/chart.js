// Axes that scatter plot and curves share.

// scale maps low…high to from…to, by logarithm if log.
function scale(low, high, from, to, log = false) {
  const place = log ? Math.log : (v) => v;
  const of = (v) => from + ((place(v) - place(low)) / (place(high) - place(low))) * (to - from);
  return Object.assign(of, { low, high, from, to, log });
}

// ticks are round values within a scale, about as many as wanted.
function ticks(s, wanted) {
  return s.log ? logTicks(s, wanted) : linearTicks(s, wanted);
}

function linearTicks({ low, high }, wanted) {
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((m) => m >= rough * 0.999);
  const values = [];
  for (let i = Math.ceil(low / step); i * step <= high; i++) values.push(Number((i * step).toPrecision(12)));
  return values;
}

function logTicks({ low, high }, wanted) {
  for (const multiples of [[1, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]]) {
    const values = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
      for (const m of multiples) {
        const value = Number((m * 10 ** power).toPrecision(12));
        if (value >= low && value <= high) values.push(value);
      }
    }
    if (values.length <= wanted * 1.5 || multiples.length === 1) return values;
  }
}

// round prints a value with at most four significant digits.
function round(value) {
  return Number(value.toPrecision(4)).toLocaleString("en", { maximumFractionDigits: 4 });
}

// brief prints a value with at most three significant digits.
function brief(value) {
  return Number(value.toPrecision(3)).toLocaleString("en", { maximumFractionDigits: 3 });
}

// short prints a value beside an axis.
function short(value) {
  return Number(value.toPrecision(4)).toLocaleString("en", { maximumFractionDigits: 4, notation: "compact" });
}

// drawAxes puts grid and labels around the area that x and y span, a label about every so many pixels.
function drawAxes(x, y, { titles = {}, every }) {
  const axes = shape("g", { "aria-hidden": "true" });
  for (const value of ticks(x, Math.abs(x.to - x.from) / every.x)) {
    axes.append(
      shape("line", { class: "grid", x1: x(value), x2: x(value), y1: y.from, y2: y.to }),
      shape("text", { class: "tick", x: x(value), y: y.from + 15, "text-anchor": "middle" }, short(value)),
    );
  }
  for (const value of ticks(y, Math.abs(y.to - y.from) / every.y)) {
    axes.append(
      shape("line", { class: "grid", x1: x.from, x2: x.to, y1: y(value), y2: y(value) }),
      shape("text", { class: "tick", x: x.from - 6, y: y(value) + 4, "text-anchor": "end" }, short(value)),
    );
  }
  axes.append(shape("path", { class: "axis", fill: "none", d: `M${x.from} ${y.to}V${y.from}H${x.to}` }));
  if (titles.x) axes.append(shape("text", { x: x.to, y: y.from + 34, "text-anchor": "end" }, titles.x));
  if (titles.y) axes.append(shape("text", { x: x.from - 6, y: y.to - 10, "text-anchor": "start" }, titles.y));
  return axes;
}

// onResize calls draw when the width of an element has changed.
function onResize(element, draw) {
  let width = element.clientWidth;
  new ResizeObserver(() => {
    if (element.clientWidth === width || element.clientWidth === 0) return;
    width = element.clientWidth;
    draw();
  }).observe(element);
}
