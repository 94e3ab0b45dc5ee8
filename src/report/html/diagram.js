// The sequence diagram of a finding: who sent what to whom, and what kept it.

const PLAYERS = { browser: "Browser", client: "Client", server: "Authorization server", token: "Token endpoint", api: "API" };

function keeper(reader) {
  if (/history$|^firefox-places$/.test(reader)) return "Browser history";
  if (reader === "har") return "Capture";
  if (reader === "log" || reader === "text") return "Log";
  if (reader.includes("cookies")) return "Cookie store";
  if (reader.includes("session")) return "Session file";
  if (reader.includes("cache")) return "HTTP cache";
  if (/storage|leveldb/.test(reader)) return "Web storage";
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
