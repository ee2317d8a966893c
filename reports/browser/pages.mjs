// What the tests share: a browser, the sample pages, and what a page has done.
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

export const samples = resolve(process.env.SAMPLES);
export const shots = resolve(process.env.SHOTS);
mkdirSync(shots, { recursive: true });

const paths = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = process.env.CHROMIUM || paths.find(existsSync);

export const launch = () => chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ["--no-sandbox"] : [] });

export const resultOf = (name) => JSON.parse(readFileSync(join(samples, name + ".json"), "utf8"));

// open loads a sample and gathers what a good page never does.
export async function open(browser, name, { scheme = "light", width = 1400, scripts = true, before = null } = {}) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: scheme, javaScriptEnabled: scripts, acceptDownloads: true });
  const page = await context.newPage();
  if (before) await page.addInitScript(before);
  const url = pathToFileURL(join(samples, name + ".html")).href;
  const faults = [];
  page.on("console", (m) => faults.push("console: " + m.text()));
  page.on("pageerror", (e) => faults.push("error: " + e.message));
  page.on("dialog", (d) => { faults.push("dialog: " + d.message()); d.dismiss(); });
  page.on("request", (r) => { if (r.url() !== url && !r.url().startsWith("data:")) faults.push("request: " + r.url()); });
  await page.goto(url);
  if (scripts) await page.waitForFunction(drawn);
  return { page, context, faults };
}

// drawn says, in the page, whether each figure that can be seen has its picture.
const drawn = () => [...document.querySelectorAll("figure")].every((f) => f.view || !f.checkVisibility());

// unfold opens every part, of several runs the first, and waits until each picture there is drawn.
export async function unfold(page) {
  await page.evaluate(async () => {
    for (const d of document.querySelectorAll("details")) d.open = !d.closest("article ~ article");
  });
  await page.waitForFunction(drawn);
  await page.evaluate(() => Promise.all([...document.querySelectorAll("figure")].map((f) => f.ready)));
  const empty = await page.evaluate(() => [...document.querySelectorAll("figure")].filter((f) => f.checkVisibility() && !f.querySelector("canvas")).map((f) => f.id));
  if (empty.length > 0) throw new Error("without a picture: " + empty.join(", "));
}
