// One finding, told whole: its diagram, verdicts, attack, remedy and evidence.

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
