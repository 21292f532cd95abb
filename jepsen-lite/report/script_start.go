package report

// scriptStart is the last part of the page's script: buttons, links, the theme, and
// the first drawing.
const scriptStart = `
(function () {
  var box = byId("fault-legend"), seen = {};
  if (!box) { return; }
  D.faults.forEach(function (f) { seen[f[2]] = true; });
  CLASSES.forEach(function (k) { if (seen[k]) { var s = html("span", "", box); html("i", "swatch f-" + k, s); s.appendChild(document.createTextNode(CLASSNAMES[k])); } });
  if (D.findings.length) { var s = html("span", "", box); html("i", "swatch", s).style.cssText = "width:3px;background:var(--fail)"; s.appendChild(document.createTextNode("finding")); }
  if (lanes.some(function (l) { return l.v.indexOf(-1) >= 0; })) { var d = html("span", "", box); html("i", "swatch downlane", d).style.background = "var(--down)"; d.appendChild(document.createTextNode("node down")); }
})();

function on(id, what, f) { var e = byId(id); if (e) { e.addEventListener(what, f); } }
on("zoomin", "click", function () { zoom(0.5); });
on("zoomout", "click", function () { zoom(2); });
on("all", "click", function () { show(0, D.end); });
on("next", "click", function () { step(1); });
on("prev", "click", function () { step(-1); });
on("order", "change", redraw);

// A part that is drawn in full gets a button that shows it.
function partButton(section, a, b) {
  var chartNode = byId(section);
  if (!chartNode) { return; }
  var button = html("button", "", null, "Show " + seconds(a) + " to " + seconds(b));
  button.type = "button";
  button.addEventListener("click", function () { show(a, b); });
  chartNode.parentNode.insertBefore(button, chartNode);
}
if (D.opsPart.length) { partButton("ops", D.opsPart[0], D.opsPart[1]); }
if (all.length && span.b - span.a < D.end * 0.8) { partButton("messages", span.a, span.b); }

on("copy", "click", function () {
  var text = byId("replay").textContent, button = byId("copy");
  function done() { button.textContent = "Copied"; window.setTimeout(function () { button.textContent = "Copy"; }, 1500); }
  function byHand() {
    var s = window.getSelection(), r = document.createRange();
    r.selectNodeContents(byId("replay"));
    s.removeAllRanges();
    s.addRange(r);
    if (document.execCommand("copy")) { done(); }
  }
  if (navigator.clipboard) { navigator.clipboard.writeText(text).then(done, byHand); } else { byHand(); }
});

function isDark() {
  var set = document.documentElement.dataset.theme;
  return set ? set === "dark" : window.matchMedia("(prefers-color-scheme: dark)").matches;
}
function setTheme(theme) {
  if (theme) { document.documentElement.dataset.theme = theme; }
  byId("theme").textContent = isDark() ? "Light" : "Dark";
}
on("theme", "click", function () { setTheme(isDark() ? "light" : "dark"); });

function follow(scroll) {
  window.location.hash.slice(1).split("&").forEach(function (part) {
    if (part === "theme=dark" || part === "theme=light") { setTheme(part.slice(6)); }
    var row = /^finding-\d+-\d+$/.test(part) ? byId(part) : null, link = row && row.querySelector(".jump");
    if (link) { select(link, row, scroll); }
  });
}
function select(link, row, scroll) {
  D.findings.forEach(function (f, i) { if (row && f[1] === row.id) { current = i; } });
  jump(Number(link.dataset.at), Number(link.dataset.index), row, scroll);
}
document.addEventListener("click", function (e) {
  var link = e.target.closest ? e.target.closest("a.jump") : null;
  if (!link) { return; }
  e.preventDefault();
  try { window.history.replaceState(null, "", link.getAttribute("href")); } catch (ignored) { e.preventDefault(); }
  select(link, link.closest("[id^=finding-]"), true);
});
window.addEventListener("hashchange", function () { follow(true); });

setTheme("");
redraw();
drawMatrix();
follow(true);
var width = document.body.clientWidth;
window.addEventListener("resize", function () {
  if (document.body.clientWidth === width) { return; }
  width = document.body.clientWidth;
  redraw();
  drawMatrix();
});
})();
`
