// Reads the histograms of a run with hdr-histogram-js, from result.json and from
// latency.hlog, and compares what it finds with the numbers of result.json.
//
//   node read.mjs FOLDER OUT
//
// Into OUT go, for each histogram NAME, its distribution by this library
// (NAME.js.hgrm) and a log that holds it alone (NAME.hlog), for the Java tools.
import { createRequire } from "node:module";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const require = createRequire(join(process.cwd(), "x.js")); // from where npm installed
const hdr = require("hdr-histogram-js");
const [folder, out] = process.argv.slice(2);
const run = JSON.parse(readFileSync(join(folder, "result.json"), "utf8"));
let wrong = 0;
let compared = 0;

function same(what, got, want) {
  compared++;
  if (got !== want) {
    console.error(`${folder}: ${what} is ${got} by hdr-histogram-js, ${want} in result.json`);
    wrong++;
  }
}

// compare holds a histogram against the numbers that are beside it.
function compare(name, h, s) {
  same(`${name}.count`, h.totalCount, s.count);
  // Of a reuse min and max are kept as they were measured, and the histogram has
  // three digits of them.
  if ("min_ns" in s) same(`${name}.min_ns`, h.minNonZeroValue, h.lowestEquivalentValue(s.min_ns));
  same(`${name}.max_ns`, h.maxValue, h.highestEquivalentValue(s.max_ns));
  const numbers = {
    p50_ns: h.getValueAtPercentile(50),
    p90_ns: h.getValueAtPercentile(90),
    p99_ns: h.getValueAtPercentile(99),
    p999_ns: h.getValueAtPercentile(99.9),
  };
  for (const [field, got] of Object.entries(numbers)) {
    if (field in s) same(`${name}.${field}`, got, s[field]);
  }
}

const all = { ...run.latency };
if (run.reuse?.count > 0) all.reuse = run.reuse;
for (const band of run.occupancy ?? []) {
  const percent = (share) => Math.round(100 * share);
  if (band.count > 0) all[`occupancy.${band.from === band.to ? "full" : `${percent(band.from)}-${percent(band.to)}`}`] = band;
}
for (const [name, s] of Object.entries(all)) {
  const h = hdr.decodeFromCompressedBase64(s.hdr);
  compare(name, h, s);
  writeFileSync(join(out, `${name}.js.hgrm`), h.outputPercentileDistribution(5, 1000));
  writeFileSync(join(out, `${name}.hlog`), `#[Histogram log format version 1.3]\nTag=${name},0.000,1.000,0.000,${s.hdr}\n`);
}

// The intervals of the log add up to what the result has of the same.
const log = readFileSync(join(folder, "latency.hlog"), "utf8");
for (const tag of hdr.listTags(log)) {
  const reader = new hdr.HistogramLogReader(log);
  let sum = null;
  for (let h = reader.nextIntervalHistogram(); h; h = reader.nextIntervalHistogram()) {
    if (h.tag !== tag) continue;
    if (sum === null) sum = h;
    else sum.add(h);
  }
  if (run.latency[tag]) compare(`${tag} of the log`, sum, run.latency[tag]);
}
for (const name of Object.keys(run.latency)) {
  if (!hdr.listTags(log).includes(name)) same(`tag ${name} of the log`, "absent", "there");
}
if (compared < 7) same("numbers compared", compared, "7 or more");
process.exit(wrong === 0 ? 0 : 1);
