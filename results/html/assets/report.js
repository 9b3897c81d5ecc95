// What the reader has chosen; it outlives the page's content, which live.js replaces.
const chosen = {
  filter: { model: "", kind: "", state: "" },
  sort: new Map(), // of each table: the column, and 1 for ascending or -1
  axes: { x: "", y: "map", published: true, ours: undefined, labels: true },
  curve: "loss",
};

let data; // of the charts

function start() {
  setUpFilter();
  show();
  if (typeof follow === "function") follow();
}

// show brings the content to life.
function show() {
  data = JSON.parse(document.getElementById("data").textContent);
  setUpTables();
  setUpScatter();
  setUpCurves();
  applyFilter();
}

// node makes an element of HTML with text or elements in it.
function node(name, attributes, ...children) {
  return fill(document.createElement(name), attributes, children);
}

// shape makes an element of SVG.
function shape(name, attributes, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// options fills a list to choose from with [value, title] pairs.
function options(select, pairs, selected) {
  select.replaceChildren(...pairs.map(([value, title]) => node("option", { value }, title)));
  select.value = selected;
}
