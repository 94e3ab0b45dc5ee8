// The list of findings and the detail of each. Text of the evidence becomes text nodes and nothing else: no markup is
// ever parsed here, no address is ever made of it.
(() => {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  const word = (number) => (number === undefined ? "" : data.texts[number]);
  const words = (name) => name.replaceAll("_", " ");
  const byId = (id) => document.getElementById(id);
  const PAGE = 50;
  const SEVERITIES = ["critical", "high", "medium", "low", "info"];
  const STATES = ["live", "replayable", "unknown", "guarded", "bound", "spent", "revoked", "expired", "inert"];

  /** An element with attributes and children; strings become text. */
  function make(name, attributes, ...children) {
    const element = document.createElement(name);
    return fill(element, attributes, children);
  }
  function draw(name, attributes, ...children) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    return fill(element, attributes, children);
  }
  function fill(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes ?? {})) {
      if (value !== undefined && value !== false) element.setAttribute(name, value);
    }
    element.append(...children.filter((child) => child !== "" && child !== undefined));
    return element;
  }
  const called = (role) => (role === "none" ? "message" : words(role));
  const moment = (at) => (at ? at.replace("T", " ").replace(/\.\d+/, "") : "");
  /** The middle of a long text is the least of it. */
  const short = (text, most) =>
    text.length <= most ? text : text.slice(0, Math.ceil(most / 2) - 1) + "…" + text.slice(1 - Math.floor(most / 2));

  /** Sections of RFCs become links; nothing else does. */
  function references(text) {
    const parts = [];
    let from = 0;
    for (const found of text.matchAll(/RFC (\d{3,5})(?: §(\d+(?:\.\d+)*))?/g)) {
      const section = found[2] ? "#section-" + found[2] : "";
      parts.push(text.slice(from, found.index));
      const href = "https://www.rfc-editor.org/rfc/rfc" + found[1] + section;
      parts.push(make("a", { href, rel: "noreferrer" }, found[0]));
      from = found.index + found[0].length;
    }
    return [...parts, text.slice(from)].filter((part) => part !== "");
  }

  // ---- the list -----------------------------------------------------------------------------------------------

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
      body.append(make("tr", {}, make("td", { colspan: 6, class: "calm" }, rows.length ? "No finding fits the filters." : "Nothing was found.")));
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
      make("td", {}, row.first.slice(0, 10), make("span", { class: "under" }, finding.age === undefined ? "no time" : word(finding.age) + " old")),
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

  // ---- one finding --------------------------------------------------------------------------------------------

  function detail(row) {
    const { finding } = row;
    const cell = make("td", { colspan: 6 }, figure(row), facets(row), evidence(finding), ids(finding));
    return make("tr", { class: "detail" }, cell);
  }

  function facet(title, ...content) {
    return make("div", {}, make("h3", {}, title), ...content);
  }

  function worth(verdict) {
    const state = word(verdict.state);
    const parts = [make("span", { class: "state v-" + state }, state), " " + word(verdict.basis)];
    if (verdict.until) parts.push(", until " + moment(verdict.until));
    if (word(verdict.needs)) parts.push(", needs " + word(verdict.needs));
    const lines = [make("p", {}, ...parts), make("p", {}, word(verdict.because))];
    if (word(verdict.alone) !== state) lines.push(make("p", { class: "faint" }, "With this one file alone: " + word(verdict.alone)));
    if (word(verdict.holder)) lines.push(make("p", { class: "faint" }, "Holder: " + word(verdict.holder)));
    return lines;
  }

  function facets(row) {
    const { finding } = row;
    const list = make("div", { class: "facets" });
    if (finding.value !== undefined) list.append(facet("Value", make("p", { class: "mono raw" }, finding.value)));
    for (const [name, value] of finding.identities ?? []) list.append(facet("Whose: " + name, make("p", { class: "raw" }, value)));
    if (finding.weakness === undefined) {
      list.append(facet("When it was exposed", ...worth(finding.then)), facet("Now, " + moment(data.as_of), ...worth(finding.now)));
    } else {
      const told = data.explained["weakness:" + word(finding.weakness)];
      if (told) list.append(facet(told.title, make("p", {}, told.means), make("p", {}, told.bad)));
    }
    const attack = data.explained["attack:" + word(finding.attack)];
    const title = attack ? attack.title : words(word(finding.attack));
    const shown = [make("p", {}, make("b", {}, title), word(finding.reference) ? " (" : "", ...references(word(finding.reference)), word(finding.reference) ? ")" : "")];
    if (attack) shown.push(make("p", {}, attack.bad));
    if (word(finding.who)) shown.push(make("p", { class: "faint" }, "Readers: " + word(finding.who)));
    list.append(facet("Attack", ...shown));
    if (word(finding.code_flow)) list.append(facet("With the code flow and PKCE", make("p", {}, word(finding.code_flow))));
    const flow = data.explained["flow:" + row.flow];
    if (flow) list.append(facet("How it got there: " + row.flow, make("p", {}, make("b", {}, flow.title + ". "), flow.means)));
    if (word(finding.fix)) {
      const fix = facet("What to change", make("p", {}, word(finding.fix)), make("p", { class: "faint" }, ...references(word(finding.references))));
      fix.classList.add("fix");
      list.append(fix);
    }
    if (row.status !== "new") list.append(facet("Baseline", make("p", {}, row.status + (word(finding.why) ? ": " + word(finding.why) : ""))));
    return list;
  }

  function evidence(finding) {
    const body = make("tbody", {});
    for (const place of finding.seen) {
      const more = [word(place.view), place.sha256 === undefined ? "" : "SHA-256 " + word(place.sha256)].filter((it) => it);
      body.append(
        make(
          "tr",
          {},
          make("td", { class: "path" }, word(place.path) + place.locator, ...more.map((it) => make("span", { class: "under" }, it))),
          make("td", {}, called(word(place.role)) + (place.part === undefined ? "" : ", " + word(place.part))),
          make("td", {}, place.at ? moment(place.at) : "no time", make("span", { class: "under" }, word(place.clock))),
          make("td", { class: "path" }, place.url ?? ""),
        ),
      );
    }
    const heads = ["Where it lies", "Message", "When", "URL, masked"].map((name) => make("th", { scope: "col" }, name));
    const more = finding.total - finding.seen.length;
    return make(
      "div",
      { class: "evidence", tabindex: 0, role: "region", "aria-label": "Evidence of " + finding.id },
      make("h3", {}, "Evidence: seen " + finding.total + (finding.total === 1 ? " time" : " times") + (more > 0 ? ", the first " + finding.seen.length + " are listed" : "")),
      make("table", {}, make("thead", {}, make("tr", {}, ...heads)), body),
    );
  }

  function ids(finding) {
    const all = [["id", finding.id], ["leak", finding.leak], ["fingerprint", finding.fingerprint]].filter(([, id]) => id);
    const line = make("p", { class: "ids" });
    for (const [name, id] of all) line.append(name + " ", make("span", { class: "mono" }, id), "  ");
    return line;
  }

  // ---- the sequence diagram -----------------------------------------------------------------------------------

  const PLAYERS = { browser: "Browser", client: "Client", server: "Authorization server", token: "Token endpoint", api: "API" };

  function keeper(reader) {
    if (/history$|^firefox-places$/.test(reader)) return "Browser history";
    if (reader === "har") return "Capture";
    if (reader === "log" || reader === "text") return "Log";
    return "Browser profile";
  }

  /** From whom to whom a message goes. */
  function route(role, channel, isHandoff) {
    switch (role) {
      case "authorization_request": return channel === "direct" ? ["client", "server"] : ["browser", "server"];
      case "response_in_query":
      case "response_in_fragment":
      case "response_in_body": return isHandoff ? ["client", "browser"] : ["server", "browser"];
      case "token_request": return ["client", "token"];
      case "token_response": return ["token", "client"];
      case "resource_request": return channel === "direct" ? ["client", "api"] : ["browser", "api"];
      case "logout": return ["browser", "server"];
      case "stored": return ["client", "browser"];
      default: return ["browser", "client"];
    }
  }

  function steps(finding, run) {
    const own = new Set(finding.seen.map((place) => place.id));
    const all = run && run.steps.some((step) => own.has(step.id)) ? run.steps : finding.seen;
    const isHandoff = word(finding.flow).startsWith("handoff");
    const hops = all.map((step) => {
      const role = word(step.role);
      const channel = step.channel === undefined ? "" : word(step.channel);
      const leaks = step.id !== undefined && own.has(step.id);
      const [from, to] = route(role, channel, isHandoff && leaks);
      return { role, channel, leaks, from, to, seen: step.path !== undefined, step };
    });
    // A back end hands over what it was given before, seen or not.
    return isHandoff ? [...hops.filter((hop) => !hop.leaks), ...hops.filter((hop) => hop.leaks)] : hops;
  }

  function figure(row) {
    const { finding } = row;
    const own = new Set(finding.seen.map((place) => place.id));
    const runs = finding.trails.map((number) => data.trails[number]);
    const run = runs.find((it) => it.steps.some((step) => own.has(step.id))) ?? runs[0];
    const hops = steps(finding, run);
    const caption = make("figcaption", {});
    if (run) {
      const more = [word(run.modifiers), "PKCE " + words(word(run.pkce))].filter((it) => it).join(", ");
      caption.append("Protocol run: ", make("b", {}, word(run.grant)), ", " + more);
      if (run.clues.length) caption.append(". Put together because " + run.clues.slice(0, 3).map(word).join("; "));
      if (run.more) caption.append(". " + run.more + " more steps are not drawn");
      if (runs.length > 1) caption.append(". It takes part in " + (runs.length - 1) + " more");
      caption.append(".");
    } else {
      caption.append("It stands alone: no protocol run was seen around it.");
    }
    return make("figure", { class: "figure" }, caption, diagram(hops, run, row));
  }

  function diagram(hops, run, row) {
    const keepers = [...new Set(hops.filter((hop) => hop.seen).map((hop) => keeper(word(hop.step.reader))))];
    const players = Object.keys(PLAYERS).filter((name) => hops.some((hop) => hop.from === name || hop.to === name));
    if (!players.includes("client") && hops.some((hop) => hop.role.startsWith("response"))) players.splice(1, 0, "client");
    const hit = new Set(hops.filter((hop) => hop.leaks).map((hop) => keeper(word(hop.step.reader))));
    const columns = [...keepers, ...players];
    const width = Math.max(1130, columns.length * 200);
    const gap = width / columns.length;
    const x = Object.fromEntries(columns.map((name, index) => [name, gap * (index + 0.5)]));
    const TOP = 66;
    const heights = hops.map((hop) => (hop.leaks ? 86 : 58));
    const bottom = TOP + 10 + heights.reduce((sum, height) => sum + height, 0);
    const about = { client: word(run?.client) || row.app, server: word(run?.issuer).replace(/^https:\/\//, "") };
    const svg = draw("svg", { class: "dia", viewBox: "0 0 " + width + " " + (bottom + 10), role: "img", "aria-label": said(hops) });
    for (const name of columns) {
      const isKeeper = keepers.includes(name);
      const isHit = hit.has(name);
      svg.append(
        draw("path", { class: "lane", d: "M" + x[name] + " 56V" + bottom }),
        draw("rect", { class: "box" + (isKeeper ? " keeper" : "") + (isHit ? " hit" : ""), x: x[name] - 86, y: 12, width: 172, height: 44, rx: 8 }),
        draw("text", { class: "head" + (isHit ? " hit-text" : ""), x: x[name], y: about[name] ? 31 : 39, "text-anchor": "middle" }, PLAYERS[name] ?? name),
      );
      if (about[name]) svg.append(draw("text", { class: "sub", x: x[name], y: 47, "text-anchor": "middle" }, draw("title", {}, about[name]), short(about[name], 23)));
    }
    let y = TOP;
    hops.forEach((hop, index) => {
      svg.append(...message(hop, index + 1, y + 30, x, run, width));
      y += heights[index];
    });
    return svg;
  }

  function arrow(from, to, y) {
    const back = to < from ? 7 : -7;
    return [
      draw("path", { class: "arrow", d: "M" + from + " " + y + "H" + (to + back * 0.8) }),
      draw("path", { class: "tip", d: "M" + to + " " + y + "l" + back + " -4.5v9z" }),
    ];
  }

  function message(hop, number, y, x, run, width) {
    const from = x[hop.from];
    const to = x[hop.to];
    const notes = [];
    if (hop.role === "authorization_request" && run) {
      const pkce = word(run.pkce);
      if (pkce !== "not-observed") notes.push({ s256: "S256 challenge", plain: "plain challenge", none: "no challenge" }[pkce] ?? "");
    }
    if (!hop.seen) notes.push("not seen");
    if (hop.leaks) notes.push("the value is here");
    const label = number + ". " + called(hop.role) + (notes.filter((it) => it).length ? ", " + notes.filter((it) => it).join(", ") : "");
    const middle = (from + to) / 2;
    const state = hop.seen ? (hop.leaks ? "leaks" : "") : "unseen";
    const parts = [];
    const main = draw("g", { class: state }, ...arrow(from, to, y), draw("text", { class: "label", x: middle, y: y - 8, "text-anchor": "middle" }, label));
    if (hop.step.url) {
      const bare = hop.step.url.replace(/^https?:\/\//, "");
      main.append(draw("text", { class: "small label", x: middle, y: y + 15, "text-anchor": "middle" }, draw("title", {}, hop.step.url), short(bare, 46)));
    }
    parts.push(main);
    if (!hop.seen) return parts;
    // What kept it reads what passes the browser, or on the direct channel, the client.
    const place = keeper(word(hop.step.reader));
    const near = Math.min(from, to);
    parts.push(draw("g", { class: "keep " + state }, ...arrow(near, x[place] + 4, y)));
    if (hop.leaks) {
      const full = word(hop.step.path) + hop.step.locator;
      const text = "lies in " + short(full, Math.floor((width - 80) / 7.4));
      const left = 16;
      const length = Math.min(width - 32, text.length * 7.05 + 22);
      parts.push(
        draw("rect", { class: "where", x: left, y: y + 23, width: length, height: 22, rx: 5 }),
        draw("text", { class: "where-text", x: left + 11, y: y + 38 }, draw("title", {}, full), text),
      );
    }
    return parts;
  }

  /** The diagram in words. */
  function said(hops) {
    const each = hops.map((hop, index) => {
      const way = PLAYERS[hop.from] + " to " + PLAYERS[hop.to];
      const kept = hop.seen ? ", kept in " + word(hop.step.path) + hop.step.locator : ", not seen";
      return index + 1 + ". " + called(hop.role) + ", " + way + kept + (hop.leaks ? ": the value leaks here" : "") + ".";
    });
    return "Sequence of messages. " + each.join(" ");
  }

  // ---- controls -----------------------------------------------------------------------------------------------

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
})();
