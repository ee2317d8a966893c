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
    for (const [nines, field] of [[2, "p99_ns"], [3, "p999_ns"]]) {
      if (latency[name].count < 10 ** nines) continue;
      assert.equal(data[i + 1][data[0].findIndex((v) => v === nines)], latency[name][field], `${name} ${field}`);
    }
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
  await page.getByLabel("Ports from").fill("40001.5");
  await page.keyboard.press("Tab");
  assert.match(await page.locator("#run-map output").textContent(), /^ports 40002 to 40099/);
  await context.close();
});

test("each layer of a map is the result's", async () => {
  const raw = (text) => [...inflateRawSync(Buffer.from(text, "base64"))];
  const { page, context } = await open(browser, "reach");
  await unfold(page);
  const { reach } = resultOf("reach");
  const got = await page.evaluate(() => [...document.getElementById("run-map").view.map.bytes]);
  const want = new Array(65536).fill(0);
  [reach.through, reach.refused, reach.dropped, reach.other].forEach((list, i) => (list || []).forEach((text) => {
    const [low, high] = text.split("-").map(Number);
    for (let port = low; port <= (high || low); port++) want[port] = i + 1;
  }));
  assert.deepEqual(got, want);
  await context.close();

  const nat = await open(browser, "nat");
  await unfold(nat.page);
  const moment = resultOf("nat").port_states.moments[0];
  const pick = nat.page.getByLabel("Coloured by");
  const layers = await pick.locator("option").allTextContents();
  for (const end of ["client", "server", "gateway"]) {
    const layer = layers.find((name) => name.startsWith(`${end}'s ports`));
    assert.ok(layer, `${end} of ${layers}`);
    await pick.selectOption({ label: layer });
    const bytes = raw(moment[end].map);
    await nat.page.waitForFunction((want) => {
      const { bytes } = document.getElementById("run-map").view.map;
      return want.every((v, i) => bytes[i] === v);
    }, bytes, { timeout: 60000 });
  }
  await nat.context.close();
});

test("the numbers of runs side by side are those of their results", async () => {
  const { page, context } = await open(browser, "compared");
  const { runs } = resultOf("compared");
  const table = async (id) => page.evaluate((id) => [...document.querySelectorAll(`#${id} tbody tr`)].map((tr) => [...tr.children].map((c) => c.textContent)), id);
  const [data] = await dataOf(page, "set-percentiles");
  const rows = await table("set-percentiles");
  const drawn = runs.filter((r) => r.latency.connect.hdr);
  assert.equal(rows.length, drawn.length);
  const said = (ns) => page.evaluate((ns) => format("ns", ns), ns);
  for (const [i, r] of drawn.entries()) {
    const line = data[drawn.length - i], { connect } = r.latency; // the first is drawn last
    for (const [nines, field] of [[1, "p90_ns"], [2, "p99_ns"], [3, "p999_ns"]]) {
      assert.equal(line[data[0].findIndex((v) => v === nines)], connect[field], `${i} ${field}`);
    }
    assert.equal(line.filter((v) => v !== null).at(-1), connect.max_ns);
    const [, p50, , p90, p99, p999] = rows[i];
    const near = async (text, ns) => { // both have three digits; 20.0 here is 20 there
      const want = await said(ns);
      assert.deepEqual([parseFloat(text), text.split(/\s/).at(-1)], [parseFloat(want), want.split(/\s/).at(-1)], `${text}, want ${want}`);
    };
    await near(p50, connect.p50_ns);
    await near(p90, connect.p90_ns);
    await near(p99, connect.p99_ns);
    await near(p999, connect.p999_ns);
  }
  const [bands] = await dataOf(page, "set-occupancy");
  runs.forEach((r, i) => r.occupancy.filter((b) => b.from < 1).forEach((b) => {
    const at = bands[0].findIndex((v) => Math.abs(v - 100 * b.from) < 1e-6);
    assert.equal(bands[runs.length - i][at], b.p50_ns, `run ${i} at ${b.from}`);
  }));
  await context.close();
});

test("the page of a comparison has the comparison's medians", async () => {
  const { page, context } = await open(browser, "compare");
  const c = resultOf("compare");
  assert.match(await page.locator("h1").textContent(), /^old and new, compared$/);
  assert.equal(await page.locator(".verdict strong").textContent(), "Worse");
  const row = page.locator("tbody tr", { has: page.locator("th", { hasText: /^connect\.p50$/ }) }).first();
  const change = c.pairs[0].changes.find((v) => v.field === "connect.p50");
  const cells = await row.locator("td").allTextContents();
  for (const [i, side] of ["old", "new"].entries()) {
    const want = await page.evaluate((ns) => format("ns", ns), change[side].median);
    assert.ok(cells[i].startsWith(want), `${cells[i]}, want ${want}`);
  }
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
