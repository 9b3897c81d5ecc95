// One filter for everything that is about models: whatever has data-model is shown or hidden.

function setUpFilter() {
  const form = document.getElementById("filter");
  form.hidden = false;
  for (const name of Object.keys(chosen.filter)) {
    const control = form.elements[name];
    control.value = chosen.filter[name];
    control.addEventListener("input", () => {
      chosen.filter[name] = control.value;
      applyFilter();
    });
  }
  form.addEventListener("submit", (event) => event.preventDefault());
  form.elements.all.addEventListener("click", () => {
    for (const name of Object.keys(chosen.filter)) form.elements[name].value = chosen.filter[name] = "";
    applyFilter();
  });
}

function applyFilter() {
  const shown = new Set(data.models.filter(passes).map((m) => m.model));
  for (const element of document.querySelectorAll("[data-model]")) {
    element.hidden = !shown.has(element.dataset.model);
  }
  const count = document.getElementById("filter").elements.count;
  count.value = `${shown.size} of ${data.models.length} models`;
  drawScatter(shown);
  drawCurves(shown);
}

function passes(m) {
  const { model, kind, state } = chosen.filter;
  return m.model.toLowerCase().includes(model.trim().toLowerCase()) && (!kind || m.kind === kind) && (!state || m.state === state);
}
