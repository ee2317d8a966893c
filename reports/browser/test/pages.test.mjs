// Every page, in both themes, wide and narrow: nothing that a page must not do,
// and nothing that keeps somebody from reading it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { launch, open, shots, unfold } from "../pages.mjs";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const names = [
  "fill", "churn", "reuse", "survey", "reach", "nat", "bench", "compared", "repeats", "merged", "compare", "plan", "doctor", "watch",
];
const hostile = ["hostile", "hostile-churn", "hostile-reuse", "hostile-set"];
let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

for (const name of names) {
  for (const scheme of ["light", "dark"]) {
    for (const width of [1400, 400]) {
      test(`${name}, ${scheme}, ${width} wide: quiet, drawn, accessible`, async () => {
        const { page, context, faults } = await open(browser, name, { scheme, width });
        await page.screenshot({ path: join(shots, `${name}-${scheme}-${width}.png`) });
        await unfold(page);
        await page.screenshot({ path: join(shots, `${name}-${scheme}-${width}-whole.png`), fullPage: true });
        assert.deepEqual(faults, []);
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "the page is wider than the window");
        assert.deepEqual(await violations(page), []);
        await context.close();
      });
    }
  }
}

// axe comes in from the debugger's side: the policy would keep it out as it keeps all others.
async function violations(page) {
  await page.evaluate(readFileSync(axe, "utf8") + ";0");
  const found = await page.evaluate(() => axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"] }));
  return found.violations.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 150)).join(" | ")}`);
}

for (const name of ["fill", "churn", "reuse", "merged"]) {
  test(`${name}: on a telephone the first table is seen whole, and a wider one can be scrolled`, async () => {
    const { page, context } = await open(browser, name, { width: 400 });
    await unfold(page);
    const tables = await page.evaluate(() => [...document.querySelectorAll(".scroll")].filter((e) => e.checkVisibility())
      .map((e) => ({ first: e.closest("section")?.id === "run-1", wider: e.scrollWidth > e.clientWidth, style: getComputedStyle(e).overflowX, tab: e.tabIndex })));
    assert.ok(tables.some((t) => t.first && !t.wider), JSON.stringify(tables));
    assert.deepEqual(tables.filter((t) => t.wider && (t.first || t.style !== "auto" || t.tab !== 0)), []);
    await context.close();
  });
}

for (const name of hostile) {
  test(`${name}: nothing executes, nothing hangs`, async () => {
    const { page, context, faults } = await open(browser, name);
    await unfold(page);
    assert.deepEqual(faults, []);
    assert.equal(await page.locator("img, iframe, object, embed").count(), 0);
    await context.close();
  });
}

test("the policy keeps a script of somebody else from running", async () => {
  const { page, context, faults } = await open(browser, "fill");
  await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "window.theirs = true";
    document.body.append(script);
    const img = document.createElement("img");
    img.src = "https://192.0.2.1/x.png";
    document.body.append(img);
  });
  assert.equal(await page.evaluate(() => window.theirs), undefined);
  assert.equal(faults.filter((f) => f.includes("Content Security Policy")).length, 2, faults.join("\n"));
  await context.close();
});

test("without scripts every number is there", async () => {
  const { page, context } = await open(browser, "fill", { scripts: false });
  assert.ok((await page.locator("figure table").count()) >= 3);
  assert.match(await page.locator("#save").getAttribute("href"), /^data:application\/gzip;base64,/);
  await context.close();
});

test("printed, a page is light and has no buttons", async () => {
  const { page, context, faults } = await open(browser, "fill", { scheme: "dark" });
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(255, 255, 255)");
  assert.equal(await page.locator("button:visible").count(), 0);
  await page.pdf({ path: join(shots, "fill.pdf") });
  assert.deepEqual(faults, []);
  await context.close();
});

// How long it takes is said and not judged, as the machine may be busy. What makes it
// soon is judged: a frame of words goes out before any picture is drawn, and nothing
// waits for another file.
test("the largest page paints its words before it draws", async (t) => {
  const { page, context, faults } = await open(browser, "fill", { before: () => {
    const { requestAnimationFrame } = window, { getContext } = HTMLCanvasElement.prototype;
    let frames = 0, within = false;
    window.requestAnimationFrame = (callback) => requestAnimationFrame((time) => {
      within = true;
      callback(time);
      within = false;
      frames++;
    });
    HTMLCanvasElement.prototype.getContext = function (...args) {
      window.firstDrawn ??= { frames, within, words: document.body.innerText.length, at: performance.now() };
      return getContext.apply(this, args);
    };
  } });
  await page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint").length > 0);
  const { paint, drawn } = await page.evaluate(() => ({ paint: performance.getEntriesByName("first-contentful-paint")[0].startTime, drawn: window.firstDrawn }));
  t.diagnostic(`first paint after ${Math.round(paint)} ms, first picture begun after ${Math.round(drawn.at)} ms`);
  assert.ok(drawn.frames >= 1 && !drawn.within, "a picture is drawn before the first frame is out");
  assert.ok(drawn.words > 1000, `${drawn.words} characters of words when the first picture is drawn`);
  assert.deepEqual(faults, []);
  await context.close();
});
