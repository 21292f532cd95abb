package report

// scriptStripes is the part of the page's script that draws the overview, the lanes
// of states and the number of distinct states.
const scriptStripes = `
// patterns are the hatchings of faults; all charts refer to them.
(function () {
  var s = el("svg", { width: 0, height: 0, "aria-hidden": "true", style: "position:absolute" }, document.body), defs = el("defs", {}, s);
  var lines = { cut: "M0 8L8 0M-2 2L2 -2M6 10L10 6", oneway: "M0 0L8 8M-2 6L2 10M6 -2L10 2", kill: "M0 0L8 8M0 8L8 0", pause: "M2 0V8M6 0V8", skew: "M0 4L2 2L6 6L8 4", degrade: "M0 2H8M0 6H8", other: "M4 0V8" };
  CLASSES.forEach(function (k) {
    var p = el("pattern", { id: "p-" + k, width: 8, height: 8, patternUnits: "userSpaceOnUse" }, defs);
    el("path", { d: lines[k], style: "stroke:var(--f-" + k + ");fill:none", "stroke-width": 1.1 }, p);
  });
  var p = el("pattern", { id: "p-none", width: 6, height: 6, patternUnits: "userSpaceOnUse" }, defs);
  el("path", { d: "M0 6L6 0", style: "stroke:var(--line)", "stroke-width": 1 }, p);
})();

function stepPath(s, g, y) {
  var first = Math.max(0, indexAt(s.t, g.a)), d = "", x = 0, done = 0;
  for (var i = first; i < s.t.length && s.t[i] <= g.b; i++) {
    x = g.px(Math.max(s.t[i], g.a));
    d += (done++ ? "H" + x + "V" : "M" + x + " ") + y(s.v[i]).toFixed(1);
  }
  return done ? d + "H" + (g.left + g.w) : "";
}

function startOf(d) { return d.slice(1, d.indexOf(" ")); }

chart(byId("overview"), function (c) {
  var g = frame(c, 34, 0, D.end), top = 7, bottom = 33, most = Math.max.apply(null, curve.v.concat([1]));
  el("rect", { "class": "frame", x: g.left, y: 0, width: g.w, height: bottom }, g.svg);
  D.faults.forEach(function (f) {
    el("rect", { "class": "bar-" + f[2], x: g.px(f[0]), y: 1, width: Math.max(2, g.px(f[1]) - g.px(f[0])), height: 4 }, g.svg);
  });
  var d = stepPath(curve, g, function (v) { return bottom - 1 - (bottom - top - 2) * v / most; });
  if (d) { el("path", { "class": "under", d: d + "V" + bottom + "H" + startOf(d) + "Z" }, g.svg); el("path", { "class": "step", d: d }, g.svg); }
  el("text", { x: g.left - 6, y: 21, "class": "end" }, g.svg, g.width < 600 ? "run" : "whole run");
  marks(c, 6, bottom);
  var xa = g.x(view.a), xb = Math.max(g.x(view.b), xa + 3);
  if (view.b - view.a < D.end) {
    el("rect", { "class": "outside", x: g.left, y: 0, width: xa - g.left, height: 34 }, g.svg);
    el("rect", { "class": "outside", x: xb, y: 0, width: Math.max(0, g.left + g.w - xb), height: 34 }, g.svg);
    el("rect", { "class": "window", x: xa, y: 1, width: xb - xa, height: 32 }, g.svg);
  }
}, {
  tell: function (t, x, y, inside) {
    if (!inside) { return ""; }
    var n = valueAt(curve, t), f = faultsAt(t, -2);
    return seconds(t) + (n === null ? "" : "\n" + plural(n, "distinct state", "distinct states")) + (f.length ? "\n" + f.join("\n") : "");
  },
  click: function (t) { var w = view.b - view.a; if (w < D.end) { show(t - w / 2, t + w / 2); } }
});

// packed gives faults that overlap different rows.
var faultRows = 0;
(function () {
  var busy = [], gap = D.end / 200;
  D.faults.forEach(function (f) {
    var row = 0;
    while (row < 7 && busy[row] !== undefined && busy[row] > f[0]) { row++; }
    busy[row] = Math.max(busy[row] || 0, f[1], f[0] + gap);
    f.row = row;
    faultRows = Math.max(faultRows, row + 1);
  });
})();

function faultTrack(g, top) {
  D.faults.forEach(function (f) {
    if (Math.max(f[1], f[0]) < g.a || f[0] > g.b) { return; }
    var x = g.px(f[0]), w = Math.max(3, g.px(f[1]) - x), y = top + f.row * 15;
    el("rect", { "class": "bar-" + f[2] + (f[4] ? "" : " doubt"), x: x, y: y + 11, width: w, height: 3, style: f[4] ? "" : "stroke:var(--f-" + f[2] + ")" }, g.svg);
    var text = (f[3] || f[2]) + (f[4] ? "" : " (not verified)"), room = Math.floor((nextInRow(g, f) - x - 4) / 6.7);
    if (room >= 4) { el("text", { x: x, y: y + 8, "font-size": 10.5 }, g.svg, cut(text, room)); }
  });
}

// nextInRow is where the next fault of the same row begins, or the chart ends.
function nextInRow(g, f) {
  var x = g.left + g.w;
  D.faults.forEach(function (o) { if (o.row === f.row && o[0] > f[0]) { x = Math.min(x, g.px(o[0])); } });
  return x;
}

// bands draws faults over lanes: of the network over all of them, of a node over
// its own.
function bands(g, top, bottom, laneY, laneH) {
  D.faults.forEach(function (f) {
    var x = g.px(f[0]), w = g.px(f[1]) - x;
    if (Math.max(f[1], f[0]) < g.a || f[0] > g.b) { return; }
    if (f[5] < 0) {
      if (w > 1) { el("rect", { "class": "band", x: x, y: top, width: w, height: bottom - top, fill: "url(#p-" + f[2] + ")", opacity: 0.3 }, g.svg); }
      el("path", { "class": "edge edge-" + f[2], d: "M" + x + " " + top + "V" + bottom + (w > 1 ? "M" + (x + w) + " " + top + "V" + bottom : "") }, g.svg);
      return;
    }
    if (!laneY || laneY(f[5]) === null) { return; }
    el("rect", { "class": "band", x: x, y: laneY(f[5]), width: Math.max(3, w), height: laneH, fill: w > 3 ? "url(#p-" + f[2] + ")" : "var(--f-" + f[2] + ")" }, g.svg);
    if (laneH >= 6) { el("rect", { "class": "edge edge-" + f[2], x: x, y: laneY(f[5]), width: Math.max(3, w), height: laneH }, g.svg); }
  });
}

// blocks collects the spans of one lane into paths, one for each value.
function blocks(s, g, y, h, into) {
  for (var i = Math.max(0, indexAt(s.t, g.a)); i < s.t.length && s.t[i] <= g.b; i++) {
    var x = g.px(s.t[i]), until = i + 1 < s.t.length ? g.px(s.t[i + 1]) : g.left + g.w;
    if (until > x) { into[s.v[i]] = (into[s.v[i]] || "") + "M" + x + " " + y + "h" + (until - x) + "v" + h + "h" + (x - until) + "z"; }
  }
}

var order = D.nodes.map(function (n, i) { return i; }), placed = order.slice();
function sortLanes() {
  var t = pin === null ? (view.a + view.b) / 2 : pin, by = byId("order");
  order = D.nodes.map(function (n, i) { return i; });
  if (by && by.value === "state") {
    var state = order.map(function (i) { var v = valueAt(lanes[i], t); return v === null ? -2 : v; });
    var many = {};
    state.forEach(function (v) { many[v] = (many[v] || 0) + 1; });
    order.sort(function (i, j) { return many[state[j]] - many[state[i]] || state[i] - state[j] || i - j; });
  }
  order.forEach(function (lane, i) { placed[lane] = i; });
}

var stripes = chart(byId("stripes"), function (c) {
  sortLanes();
  var n = lanes.length, h = clamp(Math.floor(600 / n), 3, 24), gap = h > 9 ? 2 : h > 5 ? 1 : 0;
  var top = faultRows * 15 + 8, bottom = top + n * h, g = frame(c, bottom + 18, view.a, view.b), into = {};
  c.h = h;
  c.lanesTop = top;
  el("rect", { "class": "frame", x: g.left, y: top, width: g.w, height: bottom - top }, g.svg);
  faultTrack(g, 0);
  axis(g, bottom, top - 3);
  var skip = Math.ceil(12 / h);
  order.forEach(function (lane, i) {
    blocks(lanes[lane], g, top + i * h, h - gap, into);
    if (i % skip === 0) { label(g, laneLabels[lane], top + i * h + Math.max(h / 2, 5) + 4); }
  });
  var slots = {};
  Object.keys(into).forEach(function (d) { var s = d < 0 ? "down" : D.slots[d]; slots[s] = (slots[s] || "") + into[d]; });
  Object.keys(slots).forEach(function (s) {
    el("path", s === "down" ? { "class": "downlane", d: slots[s] } : { style: "fill:var(--s" + s + ")", d: slots[s] }, g.svg);
  });
  bands(g, top, bottom, function (lane) { return top + placed[lane] * h; }, h - gap);
  c.outline = el("path", { "class": "outline", d: "" }, g.svg);
  marks(c, top - 4, bottom);
}, {
  tell: function (t, x, y, inside) {
    var c = stripes, i = Math.floor((y - c.lanesTop) / c.h);
    c.outline.setAttribute("d", "");
    if (i < 0) { return inside ? [seconds(t)].concat(faultsAt(t, -2)).join("\n") : ""; }
    if (i >= order.length) { return ""; }
    var lane = order[i], name = laneLabels[lane];
    if (!inside) { return name; }
    var at = indexAt(lanes[lane].t, t), d = at < 0 ? null : lanes[lane].v[at], f = faultsAt(t, lane), lines = [name + " at " + seconds(t)];
    if (d === null) { lines.push("no state yet"); } else if (d < 0) { lines.push("down"); } else {
      var up = 0, same = [], into = {};
      lanes.forEach(function (s, l) { var v = valueAt(s, t); if (v !== null && v >= 0) { up++; if (v === d) { same.push(laneLabels[l]); } } });
      order.forEach(function (l, k) { var one = {}; blocks(lanes[l], c.g, c.lanesTop + k * c.h + 0.5, c.h - (c.h > 9 ? 3 : 1), one); if (one[d]) { into[d] = (into[d] || "") + one[d]; } });
      c.outline.setAttribute("d", into[d] || "");
      lines.push("state " + (D.digests[d] || "(no digest)") + " since " + seconds(lanes[lane].t[at]));
      lines.push(same.length + " of " + up + " up have it: " + same.slice(0, 8).join(" ") + (same.length > 8 ? " \u2026" : ""));
    }
    return lines.concat(f).join("\n");
  },
  leave: function () { if (stripes.outline) { stripes.outline.setAttribute("d", ""); } }
});

chart(byId("curve"), function (c) {
  var g = frame(c, 98, view.a, view.b), top = 8, bottom = 72, most = Math.max.apply(null, curve.v.concat([2]));
  var y = function (v) { return bottom - (bottom - top) * v / most; };
  el("rect", { "class": "frame", x: g.left, y: top, width: g.w, height: bottom - top }, g.svg);
  axis(g, 82, top);
  bands(g, top, bottom);
  var d = stepPath(curve, g, y);
  if (d) { el("path", { "class": "under", d: d + "V" + bottom + "H" + startOf(d) + "Z" }, g.svg); el("path", { "class": "step", d: d }, g.svg); }
  el("text", { x: g.left - 6, y: top + 8, "class": "end" }, g.svg, String(most));
  if (most > 3) { el("text", { x: g.left - 6, y: Math.min(y(1) + 4, 68), "class": "end" }, g.svg, "1"); }
  el("text", { x: g.left - 6, y: 82, "class": "end" }, g.svg, g.width < 600 ? "agree" : "all agree");
  var into = {};
  blocks({ t: curve.t, v: curve.v.map(function (v) { return v === 1 ? 1 : 0; }) }, g, 75, 5, into);
  if (into[1]) { el("path", { "class": "agree", d: into[1] }, g.svg); }
  marks(c, top, 82);
}, {
  tell: function (t, x, y, inside) { var n = valueAt(curve, t); return inside ? seconds(t) + (n === null ? "" : "\n" + plural(n, "distinct state", "distinct states")) : ""; }
});
`
