// The list of findings: filtered, sorted, paged, and opened by whatever names one.

const rows = data.findings.map((finding, order) => ({
  finding,
  order,
  severity: word(finding.severity),
  state: word(finding.now.state),
  kind: word(finding.kind),
  flow: word(finding.flow),
  app: word(finding.app),
  status: word(finding.status),
  first: finding.first ?? "",
}));
const FILTERS = ["severity", "state", "kind", "flow", "app", "status"];
const view = { sort: "severity", up: false, page: 0, shown: rows, open: new Set() };

function searched(row) {
  const places = row.finding.seen.map((place) => word(place.path) + " " + (place.url ?? "") + " " + word(place.part));
  const own = [row.finding.id, row.finding.leak, row.kind, row.flow, row.app, word(row.finding.issuer), word(row.finding.weakness)];
  row.text ??= [...own, ...places].join(" ").toLowerCase();
  return row.text;
}

function compare(a, b) {
  const by = {
    severity: () => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity),
    state: () => STATES.indexOf(a.state) - STATES.indexOf(b.state),
    what: () => a.kind.localeCompare(b.kind),
    flow: () => a.flow.localeCompare(b.flow),
    app: () => a.app.localeCompare(b.app),
    first: () => a.first.localeCompare(b.first),
  }[view.sort]();
  return (view.up ? -by : by) || a.order - b.order;
}

function refresh() {
  const text = byId("f-text").value.trim().toLowerCase();
  const wanted = FILTERS.map((name) => [name, byId("f-" + name).value]).filter(([, value]) => value !== "");
  view.shown = rows.filter((row) => wanted.every(([name, value]) => row[name] === value) && (!text || searched(row).includes(text)));
  if (view.sort !== "severity" || view.up) view.shown.sort(compare);
  view.page = 0;
  show();
}

function show() {
  const pages = Math.max(1, Math.ceil(view.shown.length / PAGE));
  const from = view.page * PAGE;
  const body = byId("list").tBodies[0];
  body.replaceChildren(...view.shown.slice(from, from + PAGE).flatMap(item));
  if (view.shown.length === 0) {
    body.append(make("tr", {}, make("td", { colspan: 6, class: "calm" }, rows.length ? "No finding fits the filters." : "There is nothing to show.")));
  }
  const all = rows.length === view.shown.length ? "" : " of " + rows.length;
  byId("count").textContent = view.shown.length + all + (rows.length === 1 ? " finding" : " findings");
  byId("page").textContent = "Page " + (view.page + 1) + " of " + pages;
  byId("prev").disabled = view.page === 0;
  byId("next").disabled = view.page + 1 >= pages;
  for (const head of document.querySelectorAll("#list > thead th")) {
    const own = head.querySelector("button").dataset.sort === view.sort;
    if (own) head.setAttribute("aria-sort", view.up ? "ascending" : "descending");
    else head.removeAttribute("aria-sort");
  }
}

function age(finding) {
  if (finding.age === undefined) return "no time";
  return word(finding.age).endsWith("as-of") ? word(finding.age) : word(finding.age) + " old";
}

function item(row) {
  const { finding } = row;
  const isOpen = view.open.has(row);
  const what = finding.weakness === undefined ? words(row.kind) : "weakness: " + word(finding.weakness);
  const place = finding.seen.find((it) => word(it.channel) === "front") ?? finding.seen[0];
  const part = place && place.part !== undefined ? " in " + word(place.part) : "";
  const button = make("button", { type: "button", class: "open", "aria-expanded": String(isOpen) }, what);
  const status = row.status === "new" ? "" : make("span", { class: "status" }, row.status);
  const under = (finding.weakness === undefined ? word(finding.shown) : "no credential") + part;
  const line = make(
    "tr",
    { class: "item" + (isOpen ? " on" : ""), id: "f-" + finding.id },
    make("td", {}, make("span", { class: "sev s-" + row.severity }, row.severity)),
    make("td", {}, button, status, make("span", { class: "under" }, under)),
    make("td", {}, finding.weakness === undefined ? make("span", { class: "state v-" + row.state }, row.state) : ""),
    make("td", {}, make("span", { class: "flow " + finding.weight }, row.flow)),
    make("td", {}, row.app),
    make("td", {}, row.first.slice(0, 10), make("span", { class: "under" }, age(finding))),
  );
  line.addEventListener("click", (event) => {
    if (event.target.closest("button") || String(getSelection()) === "") toggle(row, line);
  });
  return isOpen ? [line, detail(row)] : [line];
}

function toggle(row, line) {
  const button = line.querySelector(".open");
  if (view.open.delete(row)) {
    line.nextElementSibling.remove();
  } else {
    view.open.add(row);
    line.after(detail(row));
  }
  line.classList.toggle("on", view.open.has(row));
  button.setAttribute("aria-expanded", String(view.open.has(row)));
}

function choices(name, order) {
  const counts = new Map();
  for (const row of rows) if (row[name]) counts.set(row[name], (counts.get(row[name]) ?? 0) + 1);
  const rank = (value) => (order ? order.indexOf(value) : -counts.get(value));
  const values = [...counts.keys()].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b)).slice(0, 500);
  const options = values.map((value) => make("option", { value }, short(words(value), 44) + " (" + counts.get(value) + ")"));
  byId("f-" + name).replaceChildren(make("option", { value: "" }, "all"), ...options);
}

function clear() {
  for (const name of ["text", ...FILTERS]) byId("f-" + name).value = "";
}

function narrow(name, value) {
  const select = byId("f-" + name);
  if (!select || ![...select.options].some((option) => option.value === value)) return;
  clear();
  select.value = value;
  refresh();
  byId("findings").scrollIntoView();
}

/** Opens a finding wherever it stands in the list. */
function open(id) {
  const row = rows.find((it) => it.finding.id === id);
  if (!row) return;
  clear();
  refresh();
  view.page = Math.floor(view.shown.indexOf(row) / PAGE);
  view.open.add(row);
  show();
  byId("f-" + id).scrollIntoView();
  byId("f-" + id).querySelector(".open").focus({ preventScroll: true });
}

choices("severity", SEVERITIES);
choices("state", STATES);
for (const name of ["kind", "flow", "app", "status"]) choices(name);
for (const name of FILTERS) byId("f-" + name).addEventListener("change", refresh);
byId("f-text").addEventListener("input", refresh);
document.querySelector(".filters").addEventListener("submit", (event) => event.preventDefault());
byId("f-reset").addEventListener("click", () => { clear(); refresh(); });
byId("prev").addEventListener("click", () => { view.page -= 1; show(); });
byId("next").addEventListener("click", () => { view.page += 1; show(); });
for (const button of document.querySelectorAll("#list > thead button")) {
  button.addEventListener("click", () => {
    view.up = view.sort === button.dataset.sort && !view.up;
    view.sort = button.dataset.sort;
    refresh();
  });
}
document.addEventListener("click", (event) => {
  const chosen = event.target.closest("[data-set]");
  if (chosen) narrow(chosen.dataset.set, chosen.dataset.to);
  const mark = event.target.closest("[data-f]");
  if (mark) open(mark.dataset.f);
});
addEventListener("hashchange", () => open(location.hash.slice(3)));

const theme = byId("theme");
const prefersDark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.dataset.theme ?? (prefersDark.matches ? "dark" : "light")) === "dark";
theme.setAttribute("aria-pressed", String(isDark()));
theme.addEventListener("click", () => {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  theme.setAttribute("aria-pressed", String(isDark()));
});

// On paper, what is listed is told whole.
let printed = [];
addEventListener("beforeprint", () => {
  printed = view.shown.slice(view.page * PAGE, (view.page + 1) * PAGE).filter((row) => !view.open.has(row));
  printed.forEach((row) => view.open.add(row));
  show();
});
addEventListener("afterprint", () => {
  printed.forEach((row) => view.open.delete(row));
  show();
});

show();
if (location.hash.startsWith("#f-")) open(location.hash.slice(3));
