// Charts: panels of lines, one above the other, with one horizontal axis, one
// cursor and one zoom.
const charts = (() => {
  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const colorOf = (n) => style("--c" + (n % 8));
  const font = () => "12px " + getComputedStyle(document.body).fontFamily;

  function element(tag, className, text) {
    const e = document.createElement(tag);
    if (className) e.className = className;
    if (text !== undefined) e.textContent = text;
    return e;
  }

  // A value between two gaps has no line: it gets a point.
  const alone = (u, i) => {
    const v = u.data[i];
    return v.map((_, at) => at).filter((at) => v[at] !== null && (v[at - 1] ?? null) === null && (v[at + 1] ?? null) === null);
  };

  const forms = {
    line: () => ({ width: 1.75, points: { show: true, size: 3.5, width: 0, filter: (u, i) => alone(u, i) } }),
    step: () => ({ width: 2, paths: uPlot.paths.stepped({ align: 1 }), points: { show: false } }),
    points: () => ({ width: 0, paths: () => null, points: { show: true, size: 3, width: 0 } }),
    bars: () => ({ width: 0, paths: uPlot.paths.bars({ size: [0.8, 40] }), points: { show: false } }),
  };

  function seriesOf(line) {
    const s = Object.assign({ label: line.name, scale: "y" }, forms[line.form]());
    s.stroke = () => colorOf(line.color);
    if (line.form === "bars") s.fill = s.stroke;
    if (line.form === "points" || line.form === "line") s.points.fill = s.stroke;
    return s;
  }

  // The bounds of the vertical axis, of all values: with a logarithmic one whole powers of ten.
  function boundsOf(panel) {
    let low = Infinity, high = -Infinity;
    for (const line of panel.lines) {
      for (const v of line.values) {
        if (v === null || (panel.log && v <= 0)) continue;
        if (v < low) low = v;
        if (v > high) high = v;
      }
    }
    if (low > high) return panel.log ? [1, 10] : [0, 1];
    if (panel.log) {
      const least = Math.floor(Math.log10(low)), most = Math.ceil(Math.log10(high));
      return [Math.pow(10, least), Math.pow(10, Math.max(most, least + 1))];
    }
    if (panel.unit === "port") return [Math.max(0, low - 0.03 * (high - low) - 1), high + 0.03 * (high - low) + 1];
    return [Math.min(0, low), high > 0 ? high * 1.08 : 1];
  }

  function horizontal(x) {
    const axis = {
      stroke: () => style("--quiet"), font: font(), size: 36, gap: 8, space: 64,
      grid: { show: x.kind !== "name", stroke: () => style("--line"), width: 1 }, ticks: { show: false },
      values: (u, splits) => format.axis(x.kind, splits),
    };
    if (x.kind === "percent") axis.splits = () => [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100];
    if (x.kind === "percent") axis.filter = (u, splits) => splits.map((v) => (u.bbox.width / devicePixelRatio < 560 && v % 20 ? null : v));
    if (x.kind === "percent") axis.values = (u, splits) => splits.map((v) => (v === null ? "" : v + " %"));
    if (x.kind === "quantile") axis.splits = () => Array.from({ length: Math.floor(x.max) + 1 }, (_, i) => i);
    if (x.kind === "name") {
      axis.splits = () => x.values;
      axis.values = (u, splits) => {
        const every = Math.ceil(splits.length * 52 / Math.max(1, u.bbox.width / devicePixelRatio));
        return splits.map((v, i) => (i % every ? "" : x.names[v] || ""));
      };
    }
    return axis;
  }

  // Shaded stretches lie below the lines, marks above.
  function ground(u, chart) {
    const c = u.ctx;
    c.save();
    for (const s of chart.shades || []) {
      const from = u.valToPos(s.from, "x", true), to = u.valToPos(s.to, "x", true);
      c.globalAlpha = 0.1;
      c.fillStyle = style("--accent");
      c.fillRect(from, u.bbox.top, Math.max(to - from, devicePixelRatio), u.bbox.height);
      c.globalAlpha = 1;
      words(u, s.text, (from + to) / 2, "center", u.bbox.top + u.bbox.height - 6 * devicePixelRatio);
    }
    c.restore();
  }

  function words(u, text, at, align, y) {
    const c = u.ctx;
    c.font = 12 * devicePixelRatio + "px " + getComputedStyle(document.body).fontFamily;
    c.fillStyle = style("--quiet");
    c.textAlign = align;
    c.textBaseline = "alphabetic";
    c.fillText(text, at, y);
  }

  function marks(u, chart, named) {
    const c = u.ctx;
    c.save();
    c.beginPath();
    c.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
    c.clip();
    for (const m of chart.marks || []) {
      const at = u.valToPos(m.at, "x", true);
      c.strokeStyle = style("--caution");
      c.lineWidth = devicePixelRatio;
      c.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
      c.beginPath();
      c.moveTo(at, u.bbox.top);
      c.lineTo(at, u.bbox.top + u.bbox.height);
      c.stroke();
      const right = at > u.bbox.left + u.bbox.width * 0.7;
      if (named) words(u, m.text, at + (right ? -6 : 6) * devicePixelRatio, right ? "right" : "left", u.bbox.top + 14 * devicePixelRatio);
    }
    c.restore();
  }

  function legendOf(panel, many) {
    const legend = element("div", "legend");
    legend.setAttribute("aria-hidden", "true");
    if (panel.title) legend.append(element("span", "title", panel.title));
    const values = panel.lines.map((line) => {
      const item = element("span");
      const swatch = element("i");
      swatch.style.background = "var(--c" + (line.color % 8) + ")";
      const value = element("b");
      if (many) item.append(swatch, line.name, value);
      else item.append(value);
      legend.append(item);
      return value;
    });
    return { legend, values };
  }

  function draw(figure, chart) {
    const place = figure.querySelector(".picture");
    place.replaceChildren();
    const plots = [];
    const full = { min: chart.x.min, max: chart.x.max };
    const view = { min: full.min, max: full.max };
    const small = chart.panels.length > 1;
    const zoom = (min, max) => {
      const least = (full.max - full.min) / 1e4;
      view.min = Math.max(full.min, Math.min(min, full.max - least));
      view.max = Math.min(full.max, Math.max(max, view.min + least));
      for (const u of plots) u.setScale("x", view);
    };
    const readout = (values, panel, index) => {
      panel.lines.forEach((line, i) => {
        values[i].textContent = index === null || index === undefined ? "" : format(panel.unit, line.values[index]);
      });
    };
    chart.panels.forEach((panel, n) => {
      const last = n + 1 === chart.panels.length;
      const box = element("div", "panel");
      const { legend, values } = legendOf(panel, panel.lines.length > 1 || chart.panels.length === 1);
      place.append(legend, box);
      const axis = horizontal(chart.x);
      if (!last) axis.size = 6, axis.values = (u, splits) => splits.map(() => "");
      else axis.label = chart.x.label, axis.labelFont = font(), axis.labelSize = 20;
      const bounds = boundsOf(panel);
      const lines = panel.lines.slice().reverse(); // the first is drawn last, above all others
      const plot = new uPlot({
        width: Math.max(place.clientWidth, 200), height: (small ? 150 : 320) + (last ? 40 : 0), pxAlign: 1,
        legend: { show: false },
        padding: [10, 26, 0, 0],
        cursor: { sync: { key: figure.id }, drag: { x: !!chart.zoom, y: false, setScale: false }, points: { size: 6 }, y: false },
        scales: {
          x: { time: false, range: () => [view.min, view.max] },
          y: { distr: panel.log ? 3 : 1, range: () => bounds },
        },
        axes: [axis, {
          stroke: () => style("--quiet"), font: font(), size: 72, gap: 6, space: panel.log ? 24 : 36,
          grid: { stroke: () => style("--line"), width: 1 }, ticks: { show: false },
          ...(panel.log ? { splits: (u) => powers(bounds, u.bbox.height / devicePixelRatio), filter: (u, splits) => splits } : {}),
          values: (u, splits) => (panel.log ? splits.map((v) => format(panel.unit, v)) : format.axis(panel.unit, splits)),
        }],
        series: [{}].concat(lines.map(seriesOf)),
        hooks: {
          drawAxes: [(u) => ground(u, chart)],
          draw: [(u) => marks(u, chart, n === 0)],
          setCursor: [(u) => readout(values, panel, u.cursor.idx)],
          setSelect: [(u) => {
            if (u.select.width < 4) return;
            zoom(u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x"));
            for (const other of plots) other.setSelect({ width: 0, height: 0 }, false);
          }],
        },
      }, [chart.x.values].concat(lines.map((line) => line.values)), box);
      plot.over.addEventListener("dblclick", () => zoom(full.min, full.max));
      plots.push(plot);
    });
    if (chart.zoom && !figure.querySelector(".tools")) place.before(buttons(figure));
    figure.view = { plots, zoom, full, view };
  }

  // The powers of ten within the bounds, and no more of them than there is room for.
  function powers([low, high], room) {
    const from = Math.round(Math.log10(low)), to = Math.round(Math.log10(high));
    const every = Math.max(1, Math.ceil((to - from) * 24 / room));
    const all = [];
    for (let n = from; n <= to; n += every) all.push(Math.pow(10, n));
    return all;
  }

  // The buttons do what dragging does, for those who do not drag.
  function buttons(figure) {
    const tools = element("div", "tools");
    tools.setAttribute("role", "group");
    tools.setAttribute("aria-label", "Part of the picture that is shown");
    const add = (text, move) => {
      const b = element("button", "", text);
      b.type = "button";
      b.addEventListener("click", () => {
        const { view, zoom, full } = figure.view;
        const width = view.max - view.min;
        zoom(...move(view.min, view.max, width, full));
        say("shown: " + format("count", figure.view.view.min) + " to " + format("count", figure.view.view.max));
      });
      tools.append(b);
    };
    add("Zoom in", (min, max, w) => [min + w / 4, max - w / 4]);
    add("Zoom out", (min, max, w) => [min - w / 2, max + w / 2]);
    add("Earlier", (min, max, w, full) => { const to = Math.max(full.min, min - w / 2); return [to, to + w]; });
    add("Later", (min, max, w, full) => { const to = Math.min(full.max, max + w / 2); return [to - w, to]; });
    add("Show all", (min, max, w, full) => [full.min, full.max]);
    return tools;
  }

  function resize(figure) {
    const width = Math.max(figure.querySelector(".picture").clientWidth, 200);
    for (const u of figure.view.plots) if (u.width !== width) u.setSize({ width, height: u.height });
  }

  const redraw = (figure) => { for (const u of figure.view.plots) u.redraw(false, true); };

  return { draw, resize, redraw, element, style, colorOf };
})();
