// The numbers of the pictures are those of the result, and what a picture does
// when it is asked is what it says.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { inflateRawSync } from "node:zlib";
import { launch, open, resultOf, unfold } from "../pages.mjs";

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

const grouped = (n) => n.toLocaleString("en-US");
const dataOf = (page, id) => page.evaluate((id) => document.getElementById(id).view.plots.map((u) => u.data.map((d) => [...d])), id);

test("predicted, measured and residual are the result's", async () => {
  const { page, context } = await open(browser, "fill");
  const r = resultOf("fill");
  const row = await page.locator("#run-1 tbody tr", { hasText: "connections" }).locator("td").allTextContents();
  assert.deepEqual(row, [grouped(r.predicted.connections.min), grouped(r.measured.connections), grouped(r.residual.connections)]);
  assert.equal(await page.locator(".verdict span").textContent(), r.verdict.text);
  await context.close();
});

test("the steps of latency by occupancy are the bands", async () => {
  const { page, context } = await open(browser, "fill");
  const [[x, failing, p99, p50]] = await dataOf(page, "run-occupancy");
  for (const band of resultOf("fill").occupancy) {
    if (band.from >= 1) {
      assert.equal(failing[x.indexOf(101)], band.p50_ns);
      continue;
    }
    const at = x.findIndex((v) => Math.abs(v - 100 * band.from) < 1e-6);
    assert.deepEqual([p50[at], p99[at]], [band.p50_ns, band.p99_ns], `at ${band.from}`);
  }
  await context.close();
});

test("the percentiles end in the slowest attempt", async () => {
  const { page, context } = await open(browser, "fill");
  const [data] = await dataOf(page, "run-percentiles");
  const { latency } = resultOf("fill");
  const names = ["connect", "response", "bind", "close", "failure"].reverse(); // the first is drawn last
  names.forEach((name, i) => {
    const values = data[i + 1].filter((v) => v !== null);
    assert.equal(values.at(-1), latency[name].max_ns, name);
    const at90 = data[0].findIndex((v) => v === 1);
    assert.equal(data[i + 1][at90], latency[name].p90_ns, name);
  });
  await context.close();
});

test("the timeline has each row of the result", async () => {
  const { page, context } = await open(browser, "fill");
  const panels = await dataOf(page, "run-timeline");
  const rows = resultOf("fill").timeline;
  assert.equal(panels.length, 4);
  assert.equal(panels[0][0].length, rows.length);
  let last = 0;
  const close = (a, b, what) => assert.ok(Math.abs(a - b) <= 1e-6 * Math.abs(b), `${what}: ${a}, want ${b}`); // seven digits
  rows.forEach((row, i) => {
    close(panels[0][0][i], row.t_ns / 1e9, "time");
    close(panels[0].at(-1)[i], row.opened / ((row.t_ns - last) / 1e9), "rate");
    close(panels[1].at(-1)[i], row.open, "open");
    close(panels[2].at(-1)[i], row.p99_ns, "p99");
    last = row.t_ns;
  });
  await context.close();
});

test("the panels of the timeline have one zoom, by dragging and by buttons", async () => {
  const { page, context } = await open(browser, "fill");
  const scales = () => page.evaluate(() => document.getElementById("run-timeline").view.plots.map((u) => [u.scales.x.min, u.scales.x.max]));
  const whole = await scales();
  await page.locator("#run-timeline").getByRole("button", { name: "Zoom in" }).click();
  const near = await scales();
  const width = ([min, max]) => max - min;
  for (let i = 0; i < 4; i++) {
    assert.ok(Math.abs(width(near[i]) - width(whole[i]) / 2) < 1e-6);
    assert.deepEqual(near[i], near[0]);
  }
  await page.locator("#run-timeline").getByRole("button", { name: "Show all" }).click();
  assert.deepEqual(await scales(), whole);
  const over = page.locator("#run-timeline .u-over").nth(1);
  await over.scrollIntoViewIfNeeded();
  const box = await over.boundingBox();
  await page.mouse.move(box.x + box.width / 4, box.y + 50);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2, box.y + 50, { steps: 5 });
  await page.mouse.up();
  const dragged = await scales();
  assert.deepEqual(dragged[3], dragged[0]);
  assert.ok(Math.abs(width(dragged[0]) / width(whole[0]) - 0.25) < 0.02, `${dragged[0]}`);
  await over.dblclick();
  assert.deepEqual(await scales(), whole);
  await context.close();
});

test("the port map is the result's, cell by cell, and says what the pointer is on", async () => {
  const { page, context } = await open(browser, "fill");
  await unfold(page);
  const want = inflateRawSync(Buffer.from(resultOf("fill").ports.map, "base64"));
  const got = await page.evaluate(() => [...document.getElementById("run-map").view.map.bytes]);
  assert.deepEqual(Buffer.from(got), want);
  const canvas = page.locator("#run-map canvas");
  await canvas.scrollIntoViewIfNeeded();
  const box = await canvas.boundingBox();
  const { columns, rows, first } = await page.evaluate(() => document.getElementById("run-map").view.map.grid);
  assert.deepEqual([columns, first], [256, 1024]);
  await page.mouse.move(box.x + (10.5 / columns) * box.width, box.y + (20.5 / rows) * box.height);
  const port = first + 20 * columns + 10, uses = want[port];
  const says = uses === 0 ? "never used" : `used ${uses} time${uses === 1 ? "" : "s"}`;
  assert.equal(await page.locator("#run-map output").textContent(), `port ${port}: ${says}`);
  await page.locator("#run-map .picture").focus();
  await page.keyboard.press("ArrowRight");
  assert.match(await page.locator("#run-map output").textContent(), new RegExp(`^port ${port + 1}: `));
  await page.locator("#run-map").getByRole("button", { name: "All ports" }).click();
  assert.equal(await page.evaluate(() => document.querySelector("#run-map canvas").height), 256);
  await page.getByLabel("Ports from").fill("40000");
  await page.getByLabel("to", { exact: true }).fill("40099");
  await page.keyboard.press("Tab");
  assert.match(await page.locator("#run-map output").textContent(), /^ports 40000 to 40099/);
  await context.close();
});

test("the bars of reuse are all ports that came back", async () => {
  const { page, context } = await open(browser, "reuse");
  const [[, ports]] = await dataOf(page, "run-reuse");
  assert.equal(ports.reduce((a, b) => a + b, 0), resultOf("reuse").reuse.count);
  await context.close();
});

test("the points of the survey are the picks", async () => {
  const { page, context } = await open(browser, "survey");
  const { held } = resultOf("survey").survey;
  const [[, odd, even]] = await dataOf(page, "run-sequence-held");
  assert.deepEqual(held.first.map((_, i) => even[i] ?? odd[i]), held.first);
  assert.ok(even.every((v) => v === null || v % 2 === 0) && odd.every((v) => v === null || v % 2 === 1));
  const [[, shares]] = await dataOf(page, "run-steps-held");
  assert.deepEqual(shares, held.steps.map((s) => s.share));
  await context.close();
});

test("the result file that is saved is the result", async () => {
  const { page, context } = await open(browser, "fill");
  const [download] = await Promise.all([page.waitForEvent("download"), page.locator("#save").click()]);
  assert.equal(download.suggestedFilename(), "result.json");
  assert.deepEqual(JSON.parse(readFileSync(await download.path(), "utf8")), resultOf("fill"));
  await context.close();
});

test("a button copies the command beside it", async () => {
  const { page, context } = await open(browser, "fill");
  const command = page.locator("#run-again .command");
  await command.getByRole("button").click();
  await page.waitForFunction(() => document.getElementById("said").textContent.startsWith("copied: "));
  assert.equal(await page.locator("#said").textContent(), "copied: " + (await command.locator("code").textContent()));
  await context.close();
});
