// Takes the upper part of a page in a real browser, as a picture for the documents.
//
//   node crop.mjs PAGE OUT.png WIDTH HEIGHT SCALE light|dark SECTION…
//
// Sizes are in pixels of the page; SCALE is how many pixels of the picture one of them gets. Where sections are named, by
// their ids, the others are left out.
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [file, out, width, height, scale, colorScheme, ...sections] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--hide-scrollbars"],
});
const viewport = { width: Number(width), height: Number(height) };
const context = await browser.newContext({ viewport, colorScheme, deviceScaleFactor: Number(scale) });
const page = await context.newPage();
await page.goto(pathToFileURL(resolve(file)).href, { waitUntil: "load" });
await page.evaluate((kept) => {
  for (const section of document.querySelectorAll("main > section"))
    section.hidden = kept.length > 0 && !kept.includes(section.id);
}, sections);
await page.screenshot({ path: out });
await browser.close();
