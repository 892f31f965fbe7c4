// Looks at pages in a real browser, as large and small screens show them by day and by night.
//
//   node look.mjs all PAGE…      prints what is wrong as JSON, a line for each look
//   node look.mjs first PAGE…    only on a large screen by day
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf-8");
const WIDTHS = { desktop: 1280, phone: 390 };
const SCHEMES = ["light", "dark"];
const GRAVE = ["serious", "critical"];

// Runs in the page.
function look() {
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  const scrolls = (element) => element.closest(".scroll") !== null;
  const outside = [...document.body.querySelectorAll("*")]
    .filter((e) => !scrolls(e) && !e.closest("svg, .track") && e.getBoundingClientRect().right > innerWidth + 1)
    .map((e) => `${e.tagName.toLowerCase()}.${e.className}`);
  const images = [...document.images];
  return {
    overflow: wide > 0 ? [`the page is ${wide} pixels too wide`, ...outside] : outside,
    missing: images.filter((i) => !i.complete || i.naturalWidth === 0).map((i) => i.alt),
    empty: [...document.querySelectorAll("svg")].filter((s) => s.getBoundingClientRect().height < 20).length,
    scripts: document.scripts.length,
    images: images.length,
    plots: document.querySelectorAll("svg").length,
  };
}

// Loads a page once, and yields what is wrong with it on each screen and in each scheme.
async function* looksAt(browser, page_file, looks) {
  const context = await browser.newContext({ bypassCSP: false });
  const page = await context.newPage();
  let errors = [];
  const address = pathToFileURL(resolve(page_file)).href;
  page.on("console", (m) => ["error", "warning"].includes(m.type()) && errors.push(m.text()));
  page.on("pageerror", (e) => errors.push(String(e)));
  page.on("requestfailed", (r) => errors.push(`not loaded: ${r.url().slice(0, 200)}`));
  page.on("request", (r) => r.url() !== address && !r.url().startsWith("data:") && errors.push(`asked for ${r.url()}`));
  await page.goto(address, { waitUntil: "load" });
  for (const [screen, scheme] of looks) {
    await page.setViewportSize({ width: WIDTHS[screen], height: 900 });
    await page.emulateMedia({ colorScheme: scheme });
    const seen = await page.evaluate(look);
    // Evaluated by the debugger, which the page's own policy does not bind.
    await page.evaluate(`typeof axe === "undefined" && (() => {${AXE}})()`);
    const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
    const faults = found.violations
      .filter((v) => GRAVE.includes(v.impact))
      .map((v) => `${v.id} (${v.impact}): ${v.nodes.slice(0, 3).map((n) => n.target.join(" ")).join("; ")}`);
    yield { page: page_file, screen, scheme, errors, faults, rules: found.passes.length, ...seen };
    errors = [];
  }
  await context.close();
}

const [which, ...pages] = process.argv.slice(2);
const all = Object.keys(WIDTHS).flatMap((screen) => SCHEMES.map((scheme) => [screen, scheme]));
const looks = which === "first" ? all.slice(0, 1) : all;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--force-device-scale-factor=1"],
});
for (const page of pages)
  for await (const seen of looksAt(browser, page, looks)) console.log(JSON.stringify(seen));
await browser.close();
