// Records one visit of the page of stand.py with Playwright, in each of its ways, and with Chromium's own DevTools.
// node record.mjs URL FOLDER; playwright-core is looked for where node looks, CHROMIUM names the browser.
import { writeFileSync } from "node:fs";
import { chromium } from "playwright-core";

const [url, folder] = process.argv.slice(2);
const debugging = 9333;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", `--remote-debugging-port=${debugging}`, "--remote-allow-origins=*"],
});

async function visit(page) {
  await page.goto(url);
  console.log(await page.evaluate("all()"));
}

for (const [path, content, mode] of [
  ["playwright.har", "embed", "full"], ["playwright-minimal.har", "embed", "minimal"],
  ["playwright-without-bodies.har", "omit", "full"], ["playwright-attached/traffic.har", "attach", "full"],
  ["playwright.har.zip", "attach", "full"],
]) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, recordHar: { path: `${folder}/${path}`, content, mode } });
  await visit(await context.newPage());
  await context.close();
}

// The file of "Export HAR" in the network panel: DevTools' own modules write it, in a second page that watches the first.
const context = await browser.newContext({ ignoreHTTPSErrors: true });
const page = await context.newPage();
const targets = await (await fetch(`http://127.0.0.1:${debugging}/json/list`)).json();
const { id } = targets.find((target) => target.url === "about:blank");
const tools = await context.newPage();
await tools.goto(`http://127.0.0.1:${debugging}/devtools/inspector.html?ws=127.0.0.1:${debugging}/devtools/page/${id}`);
await tools.waitForTimeout(4000);
await visit(page);
await tools.waitForTimeout(1500);
for (const [path, sanitize] of [["devtools.har", true], ["devtools-with-sensitive-data.har", false]]) {
  writeFileSync(`${folder}/${path}`, await tools.evaluate(async (sanitize) => {
    const module = (name) => import(`${location.origin}/devtools/${name}`);
    const [common, logs, har] = await Promise.all(
      ["core/common/common.js", "models/logs/logs.js", "models/har/har.js"].map(module));
    const progress = new common.Progress.CompositeProgress(new common.Progress.Progress());
    const requests = [...logs.NetworkLog.NetworkLog.instance().requests()];
    return har.Writer.Writer.harStringForRequests(requests, { sanitize }, progress);
  }, sanitize));
}
await browser.close();
