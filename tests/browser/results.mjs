// Results that no scan yields, made from one that a scan did: every text hostile, or very many findings.

const PAYLOADS = [
  "</script><script>window.hacked = 1</script>",
  "</style></title><img src=x onerror=\"window.hacked=1\">",
  "\"><svg onload=window.hacked=1>",
  "' onmouseover='window.hacked=1' x='",
  "javascript:window.hacked=1",
  "<a href=\"javascript:window.hacked=1\">RFC 9700 §4.3.2</a>",
  "<!--<script>",
  "]]><iframe srcdoc='<script>parent.hacked=1</script>'></iframe>",
  "\u202Egnp.exe\u202C \u2066x\u2069 \u200Bzero\u0007bell\u001b[31m",
  "{{constructor.constructor('window.hacked=1')()}}",
  "A".repeat(100000),
  "__proto__",
];

/** Names by which parts of a result find each other, and what makes it one. */
const KEPT = new Set(["schema", "sighting", "status"]);

/** The result with a payload in every text, names of states and severities too; a quarter of them keeps its text before it. */
export function hostile(result) {
  let number = 0;
  const twist = (value, name) => {
    if (typeof value === "string") {
      if (KEPT.has(name) || name === "id" || name === "trails" || name === "type") return value;
      number += 1;
      if ((name === "state" || name === "severity") && number % 2 === 0) return value;
      const payload = PAYLOADS[number % PAYLOADS.length];
      // Values of 100 kB in one text of forty: a page of nothing else is a page of nothing.
      const shown = payload.length > 1000 && number % 40 !== 10 ? "B".repeat(300) : payload;
      return number % 4 === 0 ? value + shown : shown;
    }
    if (Array.isArray(value)) return value.map((one) => twist(one, name));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, twist(one, key)]));
  };
  const twisted = twist(result, "");
  // Counts have names of the evidence as keys.
  twisted.not_claimed = { [PAYLOADS[1]]: 3 };
  twisted.summary.by_severity = { [PAYLOADS[0]]: 1, critical: 2 };
  return twisted;
}

/** The result with its findings and trails again and again, each with an id of its own. */
export function many(result, number) {
  const findings = [];
  const trails = [];
  for (let round = 0; findings.length < number; round += 1) {
    const own = (id) => (id === null ? null : round.toString(16).padStart(8, "0") + id.slice(8));
    for (const trail of result.trails) {
      trails.push({ ...trail, id: own(trail.id), steps: trail.steps.map((step) => ({ ...step, sighting: own(step.sighting) })) });
    }
    for (const finding of result.findings.slice(0, number - findings.length)) {
      findings.push({
        ...finding,
        id: own(finding.id),
        leak: own(finding.leak),
        trails: finding.trails.map(own),
        sightings: finding.sightings.map((sighting) => ({ ...sighting, id: own(sighting.id), url: sighting.url && sighting.url + "&r=" + round })),
      });
    }
  }
  return { ...result, findings, trails, summary: { ...result.summary, findings: findings.length, trails: trails.length } };
}
