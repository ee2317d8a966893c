// Words for numbers: what the axes and the cursor of a picture say. What the page
// itself says is written by lastport.
const format = (() => {
  const three = (v) => {
    const size = Math.abs(v);
    if (size < 9.995) return String(+v.toFixed(2));
    if (size < 99.95) return String(+v.toFixed(1));
    return Math.round(v).toLocaleString("en-US");
  };
  const duration = (ns) => {
    const size = Math.abs(ns);
    if (size < 1e3) return three(ns) + " ns";
    if (size < 999500) return three(ns / 1e3) + " µs";
    if (size < 999500000) return three(ns / 1e6) + " ms";
    return three(ns / 1e9) + " s";
  };
  const words = {
    ns: duration,
    s: (v) => (v === 0 ? "0 s" : duration(v * 1e9)),
    per_s: (v) => three(v) + "/s",
    count: three,
    cores: (v) => String(+v.toFixed(2)),
    port: (v) => String(Math.round(v)),
    share: (v) => three(100 * v) + " %",
    percent: (v) => three(v) + " %",
    // On this axis 1 is 90 %, 2 is 99 %, and so on.
    quantile: (v) => (v === 0 ? "0 %" : String(+(100 * (1 - Math.pow(10, -v))).toFixed(Math.max(0, Math.ceil(v) - 1))) + " %"),
    name: (v) => String(v),
  };
  const one = (kind, v) => (v === null || v === undefined || !isFinite(v) ? "–" : words[kind](v));
  // Times of an axis have one unit, and as many digits as tell them apart.
  one.axis = (kind, splits) => {
    const toNS = { ns: 1, s: 1e9 }[kind];
    if (!toNS || splits.length < 2) return splits.map((v) => one(kind, v));
    const step = (splits[1] - splits[0]) * toNS, most = Math.abs(splits[splits.length - 1]) * toNS;
    const [unit, name] = [[1e9, "s"], [1e6, "ms"], [1e3, "µs"], [1, "ns"]].find(([u]) => most >= u) || [1, "ns"];
    const digits = Math.min(9, Math.max(0, Math.ceil(-Math.log10(step / unit) - 1e-9)));
    const fine = Math.abs(step / unit * 10 ** digits - Math.round(step / unit * 10 ** digits)) > 1e-6 ? 1 : 0;
    return splits.map((v) => (v * toNS / unit).toFixed(digits + fine) + " " + name);
  };
  return one;
})();
