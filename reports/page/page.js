// The page: draws each picture once it is in view of an open part, copies
// commands, saves the result file.
const say = (text) => { document.getElementById("said").textContent = text; };

(() => {
  const pictures = JSON.parse(document.getElementById("pictures").textContent);

  function drawIn(root) {
    for (const figure of root.querySelectorAll("figure")) {
      if (figure.view || !figure.checkVisibility()) continue;
      const chart = Object.hasOwn(pictures.charts, figure.id) && pictures.charts[figure.id];
      const map = Object.hasOwn(pictures.maps, figure.id) && pictures.maps[figure.id];
      if (chart) charts.draw(figure, chart);
      if (map) portmap.draw(figure, map);
    }
  }

  function recolor() {
    for (const figure of document.querySelectorAll("figure")) {
      if (figure.view && figure.view.plots) charts.redraw(figure);
      if (figure.view && figure.view.repaint) figure.view.repaint();
    }
  }

  function fit() {
    for (const figure of document.querySelectorAll("figure.chart")) if (figure.view) charts.resize(figure);
  }

  async function copy(button) {
    const text = button.parentElement.querySelector("code").textContent;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const range = document.createRange();
      range.selectNodeContents(button.parentElement.querySelector("code"));
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      document.execCommand("copy"); // where a file may not use the clipboard
    }
    button.textContent = "Copied";
    say("copied: " + text);
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  }

  // The link holds the file packed. Saved as it was it can be read by lastport.
  async function save(event) {
    const link = event.currentTarget;
    if (link.dataset.done || typeof DecompressionStream === "undefined") return;
    event.preventDefault();
    const packed = Uint8Array.from(atob(link.getAttribute("href").split(",")[1]), (c) => c.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    const file = await new Response(stream).blob();
    const to = document.createElement("a");
    to.href = URL.createObjectURL(new Blob([file], { type: "application/json" }));
    to.download = link.dataset.name;
    to.click();
    setTimeout(() => URL.revokeObjectURL(to.href), 10000);
  }

  // Whoever follows a link into a folded part wants it open.
  function unfold() {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let e = target; e; e = e.parentElement) if (e.tagName === "DETAILS") e.open = true;
    const inner = target.querySelector(":scope > details");
    if (inner) inner.open = true;
  }

  for (const details of document.querySelectorAll("details")) details.addEventListener("toggle", () => drawIn(details));
  for (const button of document.querySelectorAll("button.copy")) button.addEventListener("click", () => copy(button));
  const link = document.getElementById("save");
  if (link) link.addEventListener("click", save);
  addEventListener("hashchange", unfold);
  addEventListener("resize", fit);
  addEventListener("beforeprint", recolor);
  addEventListener("afterprint", recolor);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolor);
  matchMedia("print").addEventListener("change", recolor);
  unfold();
  requestAnimationFrame(() => setTimeout(() => drawIn(document))); // words first
})();
