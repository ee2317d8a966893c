// The port map: a cell for each port, 256 to a row, or fewer where a part of the
// ports is looked at.
const portmap = (() => {
  const { element, style, colorOf } = charts;

  // What the result file has: raw deflate in base64, a byte for each port.
  async function inflate(text) {
    const packed = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  function channels(color) {
    const c = document.createElement("canvas").getContext("2d");
    c.fillStyle = color;
    c.fillRect(0, 0, 1, 1);
    return c.getImageData(0, 0, 1, 1).data;
  }

  // A colour for each byte: of words the palette's, else from pale to the accent.
  function shadesOf(layer) {
    const empty = channels(style("--raised")), pale = channels(style("--line")), most = channels(style("--accent"));
    return Array.from({ length: 256 }, (_, v) => {
      if (v === 0) return empty;
      if (layer.kind === "words") return channels(colorOf(layer.tones[v] < 0 ? 6 : layer.tones[v]));
      const share = layer.most > 1 ? 0.25 + 0.75 * (v - 1) / (layer.most - 1) : 1;
      return pale.map((p, i) => p + (most[i] - p) * share);
    });
  }

  function meaning(layer, v) {
    if (layer.kind === "words") return layer.words[v] || "unknown";
    if (v === 0) return "never used";
    if (layer.kind === "order") return v === 1 ? "among the first that were picked" : "picked after " + Math.round(100 * (v - 1) / 254) + " % of the picks";
    return v === 255 ? "used 255 times or more" : "used " + v + (v === 1 ? " time" : " times");
  }

  // What the colours mean: each word that is on the map, or the least and the most.
  function legendOf(m) {
    const layer = m.layers[m.layer], shades = shadesOf(layer), there = new Set(m.bytes.subarray(m.low, m.high + 1));
    const bytes = layer.kind === "words" ? [...there].sort((a, b) => a - b) : [0, 1, layer.most].filter((v, i, all) => there.has(v) && all.indexOf(v) === i);
    return bytes.map((v) => {
      const item = element("span"), swatch = element("i", "cell");
      swatch.style.background = "rgb(" + Array.from(shades[v]).slice(0, 3).map(Math.round).join(",") + ")";
      item.append(swatch, meaning(layer, v));
      return item;
    });
  }

  // The ports from low to high: rows of 256, or of the least power of two by which
  // the map is no taller than wide.
  function gridOf(low, high) {
    let columns = 256;
    while (columns > 16 && (high - low + 1) < columns * columns / 4) columns /= 2;
    const first = Math.floor(low / columns) * columns;
    return { columns, first, rows: Math.ceil((high + 1 - first) / columns) };
  }

  function paint(canvas, m) {
    const layer = m.layers[m.layer], { columns, first, rows } = m.grid, shades = shadesOf(layer);
    const ground = channels(style("--ground"));
    canvas.width = columns;
    canvas.height = rows;
    const c = canvas.getContext("2d"), image = c.createImageData(columns, rows);
    for (let i = 0; i < columns * rows; i++) {
      const port = first + i, inside = port >= m.low && port <= m.high;
      image.data.set(inside ? shades[m.bytes[port]] : ground, 4 * i);
      if (port === m.port) image.data.set(channels(style("--ink")), 4 * i);
    }
    c.putImageData(image, 0, 0);
  }

  function draw(figure, data) {
    const place = figure.querySelector(".picture");
    const m = { layers: data.layers, layer: 0, low: data.low, high: data.high, port: -1, bytes: new Uint8Array(65536) };
    const canvas = element("canvas");
    const out = element("output"), legend = element("div", "legend");
    place.replaceChildren(canvas);
    const tools = toolsOf(data, m, { layer: () => read(), part: () => show() });
    place.before(tools, legend);
    place.after(out);
    place.tabIndex = 0;

    const tell = () => {
      out.textContent = m.port < 0
        ? "ports " + m.low + " to " + m.high + " · " + m.layers[m.layer].says
        : "port " + m.port + ": " + meaning(m.layers[m.layer], m.bytes[m.port]);
    };
    const show = () => {
      m.grid = gridOf(m.low, m.high);
      m.port = -1;
      legend.replaceChildren(...legendOf(m));
      paint(canvas, m);
      tell();
    };
    async function read() {
      const layer = m.layer, bytes = await inflate(m.layers[layer].bytes);
      if (layer !== m.layer) return; // another one was chosen meanwhile
      m.bytes = bytes;
      show();
    }
    const at = (e) => {
      const box = canvas.getBoundingClientRect();
      const x = Math.floor((e.clientX - box.left) / box.width * m.grid.columns);
      const y = Math.floor((e.clientY - box.top) / box.height * m.grid.rows);
      const port = m.grid.first + Math.max(0, Math.min(y, m.grid.rows - 1)) * m.grid.columns + Math.max(0, Math.min(x, m.grid.columns - 1));
      return Math.max(m.low, Math.min(port, m.high));
    };
    const point = (port) => { m.port = port; paint(canvas, m); tell(); };
    let from = -1;
    canvas.addEventListener("pointermove", (e) => point(at(e)));
    canvas.addEventListener("pointerleave", () => point(-1));
    canvas.addEventListener("pointerdown", (e) => { from = at(e); });
    canvas.addEventListener("pointerup", (e) => {
      const to = at(e), wide = from >= 0 && Math.abs(to - from) >= 16;
      if (wide) tools.zoom(Math.min(from, to), Math.max(from, to));
      from = -1;
    });
    canvas.addEventListener("dblclick", () => tools.zoom(data.low, data.high));
    place.addEventListener("keydown", (e) => {
      const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -m.grid.columns, ArrowDown: m.grid.columns }[e.key];
      if (!step) return;
      e.preventDefault();
      const next = (m.port < 0 ? m.low : m.port + step);
      point(Math.max(m.low, Math.min(next, m.high)));
      say(out.textContent);
    });
    figure.view = { map: m, zoom: tools.zoom, repaint: () => { paint(canvas, m); legend.replaceChildren(...legendOf(m)); } };
    show();
    figure.ready = read();
  }

  // What the map shows: which layer, and which ports.
  function toolsOf(data, m, changed) {
    const tools = element("div", "tools");
    const pick = element("select");
    data.layers.forEach((layer, i) => pick.append(new Option(layer.name, String(i))));
    pick.addEventListener("change", () => { m.layer = Number(pick.value); changed.layer(); });
    const bound = (value) => {
      const input = element("input");
      Object.assign(input, { type: "number", min: 0, max: 65535, value });
      return input;
    };
    const low = bound(data.low), high = bound(data.high);
    tools.zoom = (from, to) => {
      m.low = Math.max(0, Math.min(from, 65535));
      m.high = Math.max(m.low, Math.min(to, 65535));
      low.value = m.low;
      high.value = m.high;
      changed.part();
    };
    const port = (input, other) => (input.value === "" ? other : Math.round(Number(input.value)));
    const typed = () => tools.zoom(port(low, 0), port(high, 65535));
    low.addEventListener("change", typed);
    high.addEventListener("change", typed);
    const labelled = (text, e) => {
      const label = element("label", "", text + " ");
      label.append(e);
      return label;
    };
    const button = (text, from, to) => {
      const b = element("button", "", text);
      b.type = "button";
      b.addEventListener("click", () => tools.zoom(from, to));
      return b;
    };
    tools.append(labelled("Coloured by", pick), labelled("Ports from", low), labelled("to", high),
      button("The range", data.low, data.high), button("All ports", 0, 65535));
    return tools;
  }

  return { draw };
})();
