// Signs in once and records a HAR, as an end-to-end test does: node record.mjs implicit|pkce OUT.har
import { chromium } from "playwright-core";
import { start } from "./server.mjs";

/** Records one login; the state that the page shows at the end. */
export async function record(flow, path, options = {}) {
  const { origin, close } = await start(flow, Number(process.env.PORT ?? 8931));
  const browser = await chromium.launch(options);
  const context = await browser.newContext({ recordHar: { path, mode: "full" } });
  const tab = await context.newPage();
  await tab.goto(origin);
  await tab.click("#login");
  await tab.waitForFunction(() => document.querySelector("#state").textContent !== "signed out");
  const state = await tab.textContent("#state");
  // The HAR is written here.
  await context.close();
  await browser.close();
  close();
  return state;
}

if (import.meta.url === new URL(process.argv[1], "file://").href) {
  const [flow, path] = process.argv.slice(2);
  const options = process.env.CHROMIUM ? { executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] } : {};
  console.log(await record(flow, path, options));
}
