// The page follows the runs: whenever the server says that something has changed, its content is taken anew.

function follow() {
  const status = document.getElementById("live");
  const events = new EventSource(`events?since=${encodeURIComponent(document.documentElement.dataset.version)}`);
  events.addEventListener("open", () => (status.textContent = "Live."));
  events.addEventListener("error", () => (status.textContent = "The server does not answer; trying again."));
  events.addEventListener("changed", async () => {
    await refresh();
    status.textContent = `Live, last changed at ${new Date().toLocaleTimeString()}.`;
  });
}

async function refresh() {
  const response = await fetch(location.pathname, { cache: "no-store" });
  if (!response.ok) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  const old = document.querySelector("main"), main = fresh.querySelector("main");
  const place = placeIn(old);
  old.replaceWith(main);
  document.getElementById("data").textContent = fresh.getElementById("data").textContent;
  show();
  place(main);
}

// placeIn remembers what is open, scrolled and focused, and returns how to do the same to other content.
function placeIn(old) {
  const find = { open: "details", scrolled: ".scroll", focusable: "a, button, select, input, summary, [tabindex]" };
  const open = [...old.querySelectorAll(find.open)].map((e) => e.open);
  const scrolled = [...old.querySelectorAll(find.scrolled)].map((e) => e.scrollLeft);
  const focused = [...old.querySelectorAll(find.focusable)].indexOf(document.activeElement);
  return (main) => {
    const all = Object.fromEntries(Object.entries(find).map(([name, selector]) => [name, [...main.querySelectorAll(selector)]]));
    if (all.open.length === open.length) all.open.forEach((e, i) => (e.open = open[i]));
    all.scrolled.forEach((e, i) => (e.scrollLeft = scrolled[i] ?? 0));
    if (focused >= 0) all.focusable[focused]?.focus({ preventScroll: true });
  };
}
