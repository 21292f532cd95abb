package report

// scriptAxis is the part of the page's script that lays out a chart: its time axis,
// the pointer, the brush and the keys.
const scriptAxis = `
// frame empties a chart and returns its geometry: x turns a time into a place, t a
// place into a time.
function frame(c, height, a, b) {
  var width = c.node.clientWidth;
  c.node.textContent = "";
  var gutter = width < 600 ? 56 : 104, right = 8, w = Math.max(40, width - gutter - right);
  var svg = el("svg", { width: width, height: height, viewBox: "0 0 " + width + " " + height, "aria-hidden": "true" }, c.node);
  var g = {
    svg: svg, a: a, b: b, left: gutter, w: w, width: width, height: height, chars: Math.floor((gutter - 8) / 6.7),
    x: function (t) { return gutter + (t - a) / (b - a) * w; },
    t: function (x) { return a + (x - gutter) / w * (b - a); },
    px: function (t) { return clamp(Math.round(gutter + (t - a) / (b - a) * w), gutter, gutter + w); }
  };
  c.g = g;
  return g;
}

function ticks(g) {
  var room = g.width < 600 ? 80 : 96, raw = (g.b - g.a) / Math.max(1, g.w / room);
  var base = Math.pow(10, Math.floor(Math.log10(Math.max(1, raw)))), size = base;
  [1, 2, 5, 10].some(function (f) { size = base * f; return size >= raw; });
  var all = [];
  for (var t = Math.ceil((g.a + D.begin) / size) * size - D.begin; t <= g.b; t += size) { all.push(t); }
  return { size: size, all: all };
}

function axis(g, y, top) {
  var k = ticks(g), d = "", last = -1;
  k.all.forEach(function (t) { d += "M" + g.px(t) + " " + top + "V" + y; });
  el("path", { "class": "grid", d: d }, g.svg);
  el("path", { "class": "axis", d: "M" + g.left + " " + y + "H" + (g.left + g.w) }, g.svg);
  k.all.forEach(function (t) {
    var text = seconds(t, k.size), half = text.length * 3.4, x = clamp(g.px(t), g.left + half - 6, g.left + g.w - half + 6);
    if (x - half < last) { return; }
    last = x + half + 6;
    el("text", { x: x, y: y + 13, "class": "mid" }, g.svg, text);
  });
}

// label writes the name of a lane beside it, cut to the room there is.
function label(g, text, y, size) {
  el("text", { x: g.left - 6, y: y, "class": "end ink", "font-size": size || 11 }, g.svg, cut(text, g.chars));
}

// marks draws findings, the marked moment and the moment under the pointer.
function marks(c, top, bottom) {
  var g = c.g, d = "", heads = "";
  D.findings.forEach(function (f) {
    if (f[0] < g.a || f[0] > g.b) { return; }
    var x = g.px(f[0]);
    d += "M" + x + " " + top + "V" + bottom;
    heads += "M" + (x - 4) + " " + (top - 1) + "h8l-4 6z";
  });
  if (d) { el("path", { "class": "found", d: d }, g.svg); el("path", { "class": "found-head", d: heads }, g.svg); }
  if (pin !== null && pin >= g.a && pin <= g.b) { el("path", { "class": "pin", d: "M" + g.px(pin) + " " + top + "V" + bottom }, g.svg); }
  c.cursor = el("path", { "class": "cursor", d: "" }, g.svg);
  c.top = top;
  c.bottom = bottom;
}

// pointAt moves the line under the pointer in all charts.
function pointAt(t) {
  charts.forEach(function (c) {
    if (!c.cursor || !c.g) { return; }
    var out = t === null || t < c.g.a || t > c.g.b;
    c.cursor.setAttribute("d", out ? "" : "M" + c.g.x(t).toFixed(1) + " " + c.top + "V" + c.bottom);
  });
}

// place is the place of the pointer inside a chart.
function place(c, e) {
  var box = c.g.svg.getBoundingClientRect();
  return { x: e.clientX - box.left, y: e.clientY - box.top };
}

// brush makes a chart react to pointer and keys: hover tells, a drag zooms, a click
// marks a moment.
function brush(c) {
  var from = null, rect = null;
  c.node.addEventListener("pointerdown", function (e) {
    if (e.button !== 0 || !c.g) { return; }
    var p = place(c, e);
    if (p.x < c.g.left) { return; }
    from = p.x;
    try { c.node.setPointerCapture(e.pointerId); } catch (ignored) { return; }
  });
  c.node.addEventListener("pointermove", function (e) {
    if (!c.g) { return; }
    var p = place(c, e), t = c.g.t(p.x), inside = p.x >= c.g.left - 1 && p.x <= c.g.left + c.g.w + 1;
    if (from !== null && Math.abs(p.x - from) > 4) {
      rect = rect || el("rect", { "class": "select", y: c.top || 0, height: Math.max(1, (c.bottom || c.g.height) - (c.top || 0)) }, c.g.svg);
      var x = clamp(p.x, c.g.left, c.g.left + c.g.w);
      rect.setAttribute("x", Math.min(x, from));
      rect.setAttribute("width", Math.abs(x - from));
      say(seconds(c.g.t(Math.min(x, from))) + " to " + seconds(c.g.t(Math.max(x, from))) + " (" + length(Math.round(Math.abs(c.g.t(x) - c.g.t(from)))) + ")", e.clientX, e.clientY);
      return;
    }
    pointAt(inside ? t : null);
    say(c.tell ? c.tell(t, p.x, p.y, inside) : inside ? seconds(t) : "", e.clientX, e.clientY);
  });
  function end(e, cancelled) {
    if (from === null || !c.g) { return; }
    var x = clamp(place(c, e).x, c.g.left, c.g.left + c.g.w), a = c.g.t(Math.min(x, from)), b = c.g.t(Math.max(x, from)), dragged = rect !== null;
    if (rect) { rect.remove(); }
    from = rect = null;
    if (cancelled) { return; }
    if (dragged) { show(a, b); } else if (c.click) { c.click(a, place(c, e)); } else { pin = a; redraw(); }
  }
  c.node.addEventListener("pointerup", function (e) { end(e, false); });
  c.node.addEventListener("pointercancel", function (e) { end(e, true); });
  c.node.addEventListener("pointerleave", function () { if (from === null) { say(""); pointAt(null); if (c.leave) { c.leave(); } } });
  c.node.addEventListener("keydown", function (e) {
    if (e.ctrlKey || e.metaKey || e.altKey) { return; }
    var keys = {
      ArrowLeft: function () { pan(-0.2); }, ArrowRight: function () { pan(0.2); },
      "+": function () { zoom(0.5); }, "=": function () { zoom(0.5); }, "-": function () { zoom(2); },
      "0": function () { show(0, D.end); }, n: function () { step(1); }, p: function () { step(-1); }
    };
    if (keys[e.key]) { e.preventDefault(); keys[e.key](); }
  });
}

// chart registers a chart; draw is called whenever what is shown changes.
function chart(node, draw, more) {
  if (!node) { return null; }
  var c = more || {};
  c.node = node;
  c.draw = draw;
  charts.push(c);
  brush(c);
  return c;
}

var waiting = false;
function redraw() {
  if (waiting) { return; }
  waiting = true;
  window.requestAnimationFrame(function () {
    waiting = false;
    charts.forEach(function (c) {
      if (c.node.clientWidth > 0) { c.draw(c); if (c.g) { c.g.svg.setAttribute("class", "drag"); } }
    });
    byId("range").textContent = seconds(view.a) + " to " + seconds(view.b);
  });
}
`
