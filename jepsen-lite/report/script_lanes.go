package report

// scriptLanes is the part of the page's script that draws contested names and
// operations.
const scriptLanes = `
function colour(process) { return "var(--s" + (process % 16) + ")"; }

function nameChart(node, name) {
  var seen = name.lanes.map(pairs), told = name.told || [], beliefs = name.beliefs || [], processes = name.processes || [];
  var home = {};
  beliefs.forEach(function (b) { home[b[0]] = b[1]; });
  var self = chart(node, function (c) {
    var p = processes.length, ph = clamp(Math.floor(220 / Math.max(1, p)), 4, 18), n = seen.length, h = clamp(Math.floor(170 / Math.max(1, n)), 2, 13);
    var top = 4, mid = top + p * ph + 8, bottom = mid + n * h, g = frame(c, bottom + 18, view.a, view.b), into = {};
    c.at = { top: top, ph: ph, mid: mid, h: h };
    el("rect", { "class": "frame", x: g.left, y: top, width: g.w, height: p * ph }, g.svg);
    el("rect", { "class": "frame", x: g.left, y: mid, width: g.w, height: n * h }, g.svg);
    axis(g, bottom, top);
    var skip = Math.ceil(12 / ph);
    processes.forEach(function (id, i) { if (i % skip === 0) { label(g, id, top + i * ph + ph / 2 + 4); } });
    beliefs.forEach(function (b) {
      if (b[3] < g.a || b[2] > g.b) { return; }
      var x = g.px(b[2]), w = Math.max(2, g.px(b[3]) - x), y = top + b[0] * ph + 1;
      el("rect", { x: x, y: y, width: w, height: Math.max(2, ph - 2), style: "fill:" + colour(b[0]) + (b[5] ? "" : ";fill-opacity:.35;stroke-dasharray:3 2;stroke:" + colour(b[0])) }, g.svg);
      var room = Math.floor((w - 8) / 6.7), text = home[b[0]] ? "on " + b[1] : "";
      if (ph >= 13 && text && room >= text.length) { el("text", { x: x + 4, y: y + ph / 2 + 3, "class": "ink" }, g.svg, text); }
    });
    seen.forEach(function (s, i) { blocks(s, g, mid + i * h, h - (h > 5 ? 1 : 0), into); });
    Object.keys(into).forEach(function (k) { if (k >= 0) { el("path", { d: into[k], style: "fill:" + colour(Number(k)) }, g.svg); } });
    var each = Math.ceil(12 / h);
    seen.forEach(function (s, i) { if (i % each === 0) { label(g, laneLabels[i], mid + i * h + Math.max(h / 2, 4) + 4); } });
    bands(g, mid, bottom);
    marks(c, top, bottom);
    told.forEach(function (t) {
      if (t[0] < g.a || t[0] > g.b) { return; }
      el("circle", { "class": "told", cx: g.px(t[0]), cy: top + t[1] * ph + ph / 2, r: clamp(ph / 3, 3, 5) }, g.svg);
    });
  }, {
    tell: function (t, x, y, inside) {
      var at = self.at, i = Math.floor((y - at.top) / at.ph), lane = Math.floor((y - at.mid) / at.h), lines = [];
      if (i >= 0 && i < processes.length) {
        lines.push(processes[i] + (home[i] ? " on " + home[i] : ""));
        beliefs.forEach(function (b) { if (b[0] === i && b[2] <= t && t <= b[3]) { lines.push("believes from " + seconds(b[2]) + " to " + seconds(b[3]) + (b[4] ? ": " + b[4] : "") + (b[5] ? "" : " (nobody knows whether it registered)")); } });
        told.forEach(function (e) { if (e[1] === i && Math.abs(self.g.px(e[0]) - x) < 7) { lines.push("told at " + seconds(e[0]) + (e[2] >= 0 ? ", winner " + processes[e[2]] : "") + (e[3] ? ": " + e[3] : "")); } });
        return lines.join("\n");
      }
      if (lane < 0 || lane >= seen.length) { return inside ? seconds(t) : ""; }
      if (!inside) { return laneLabels[lane]; }
      var v = valueAt(seen[lane], t);
      return [laneLabels[lane] + " at " + seconds(t), v === null ? "has not told" : v < 0 ? "names nobody" : "names " + processes[v]].concat(faultsAt(t, lane)).join("\n");
    }
  });
}

document.querySelectorAll("details.name").forEach(function (d) {
  nameChart(d.querySelector(".chart"), D.names[Number(d.dataset.name)]);
  d.addEventListener("toggle", redraw);
});

// The rows of operations: lanes without any are left out.
var opLanes = [], opRows = 0;
D.rows.forEach(function (rows, lane) { if (rows > 0) { opLanes[lane] = opRows; opRows += rows; } });

function opShape(o, x, y, w, h) {
  switch (o[4]) {
  case 0: return "M" + x + " " + y + "h" + w + "v" + h + "h" + (-w) + "z";
  case 1:
    var outer = "M" + x + " " + y + "h" + w + "v" + h + "h" + (-w) + "z";
    return w > 5 && h > 5 ? outer + "M" + (x + 1.5) + " " + (y + 1.5) + "v" + (h - 3) + "h" + (w - 3) + "v" + (3 - h) + "z" : outer;
  case 2: return "M" + x + " " + y + "h" + w + "v" + (h / 2) + "h" + (-w) + "z";
  }
  return "M" + x + " " + (y + h / 3) + "h" + w + "v" + Math.max(1, h / 4) + "h" + (-w) + "z";
}

var opsChart = chart(byId("ops"), function (c) {
  var h = clamp(Math.floor(560 / Math.max(1, opRows)), 2, 15), top = 6, bottom = top + opRows * h, g = frame(c, bottom + 18, view.a, view.b);
  c.at = { h: h, top: top };
  el("rect", { "class": "frame", x: g.left, y: top, width: g.w, height: bottom - top }, g.svg);
  axis(g, bottom, top);
  bands(g, top, bottom);
  if (D.opsPart.length) {
    [[0, D.opsPart[0]], [D.opsPart[1], D.end]].forEach(function (part) {
      var x = g.px(part[0]), w = g.px(part[1]) - x;
      if (w <= 0) { return; }
      el("rect", { "class": "gone", x: x, y: top, width: w, height: bottom - top }, g.svg);
      el("rect", { x: x, y: top, width: w, height: bottom - top, fill: "url(#p-none)" }, g.svg);
      if (w > 90 && bottom - top > 20) { el("text", { x: x + w / 2, y: top + 14, "class": "mid ink" }, g.svg, "left out"); }
    });
  }
  var d = "", last = -99;
  opLanes.forEach(function (row, lane) {
    d += "M" + g.left + " " + (top + row * h) + "h" + g.w;
    if (row * h - last >= 12) { last = row * h; label(g, lane < D.nodes.length ? laneLabels[lane] : "no node", top + row * h + Math.max(4, h / 2) + 4); }
  });
  if (h * opRows / Math.max(1, opLanes.length) > 7) { el("path", { "class": "oplane", d: d }, g.svg); }
  var shapes = ["", "", "", ""], found = null;
  D.ops.forEach(function (o) {
    if (o[1] < g.a || o[0] > g.b) { return; }
    var x = g.px(o[0]), w = Math.max(2, g.px(o[1]) - x), y = top + (opLanes[o[2]] + o[3]) * h + (h > 8 ? 1 : 0), tall = h - (h > 8 ? 2 : h > 4 ? 1 : 0);
    shapes[o[4]] += opShape(o, x, y, w, tall);
    if (hit !== null && hit >= 0 && (o[6] === hit || o[7] === hit)) { found = [x, y, w, tall]; }
  });
  shapes.forEach(function (s, k) { if (s) { el("path", { "class": "o-" + k, d: s, "fill-rule": "evenodd" }, g.svg); } });
  marks(c, top, bottom);
  if (found) { el("rect", { "class": "hit", x: found[0] - 3, y: found[1] - 3, width: found[2] + 6, height: found[3] + 6, rx: 3 }, g.svg); }
}, {
  tell: function (t, x, y, inside) {
    var c = opsChart, row = Math.floor((y - c.at.top) / c.at.h), lines = [];
    if (!inside) { return ""; }
    for (var i = 0; i < D.ops.length && lines.length < 6; i++) {
      var o = D.ops[i];
      if (opLanes[o[2]] + o[3] !== row || c.g.px(o[0]) - 2 > x || Math.max(c.g.px(o[1]), c.g.px(o[0]) + 2) + 2 < x) { continue; }
      lines.push((D.nodes[o[2]] || "no node") + " " + seconds(o[0]) + " to " + seconds(o[1]) + " (" + length(o[1] - o[0]) + ")\n" + o[5] + "  #" + o[6]);
    }
    return lines.length ? lines.join("\n") : seconds(t);
  }
});
`
