package report

// scriptMessages is the part of the page's script that draws the space-time diagram
// of messages.
const scriptMessages = `
var all = D.messages, picked = -1, span = { a: 0, b: 1 };
if (all.length) {
  span.a = all[0][0];
  span.b = all.reduce(function (most, m) { return Math.max(most, m[0], m[1]); }, span.a);
  var margin = Math.max(10, (span.b - span.a) * 0.02);
  span = { a: Math.max(0, span.a - margin), b: Math.min(D.end, span.b + margin) };
  if (span.b <= span.a) { span.b = span.a + 1; }
}

// past marks a message and all that could have led to it: whatever reached its
// sender before it was sent, and so on.
function past(chosen) {
  var marked = {}, until = {}, i, m;
  marked[chosen] = true;
  until[all[chosen][2]] = all[chosen][0];
  for (var changed = true; changed;) {
    changed = false;
    for (i = all.length - 1; i >= 0; i--) {
      m = all[i];
      if (marked[i] || m[5] || !(m[3] in until) || m[1] > until[m[3]]) { continue; }
      marked[i] = changed = true;
      if (!(m[2] in until) || until[m[2]] < m[0]) { until[m[2]] = m[0]; }
    }
  }
  return marked;
}

function kindClass(k) { return "k" + (k % 8); }

var messagesChart = chart(byId("messages"), function (c) {
  var a = Math.max(span.a, view.a), b = Math.min(span.b, view.b);
  if (b - a < 2) { a = span.a; b = span.b; }
  var n = D.ends.length, h = clamp(Math.floor(460 / Math.max(2, n)), 5, 44), top = 16, bottom = top + (n - 1) * h + 12, g = frame(c, bottom + 18, a, b);
  var y = function (i) { return top + i * h; }, d = "", each = Math.ceil(12 / h), marked = picked < 0 ? null : past(picked), paths = {};
  axis(g, bottom, top - 8);
  D.ends.forEach(function (node, i) {
    d += "M" + g.left + " " + y(i) + "h" + g.w;
    if (i % each === 0) { label(g, node, y(i) + 4); }
  });
  el("path", { "class": h < 8 ? "grid" : "axis", d: d }, g.svg);
  var crosses = "";
  all.forEach(function (m, i) {
    if (Math.max(m[0], m[1]) < a || m[0] > b) { return; }
    var x1 = g.x(m[0]), y1 = y(m[2]), x2 = g.x(m[1]), y2 = y(m[3]), cls = "msg " + kindClass(m[4]);
    if (m[5]) {
      x2 = x1 + 10;
      y2 = y1 + clamp((y2 - y1) / 2, -h * 0.8, h * 0.8);
      cls = "msg lost";
      crosses += "M" + (x2 - 3) + " " + (y2 - 3) + "l6 6m0 -6l-6 6";
    }
    if (marked) { cls += i === picked ? " picked" : marked[i] ? " past" : " faint"; }
    m.at = [x1, y1, x2, y2];
    paths[cls] = (paths[cls] || "") + "M" + x1.toFixed(1) + " " + y1 + "L" + x2.toFixed(1) + " " + y2.toFixed(1);
  });
  Object.keys(paths).sort().forEach(function (cls) { el("path", { "class": cls, d: paths[cls] }, g.svg); });
  if (crosses) { el("path", { "class": "found", d: crosses }, g.svg); }
  c.near = el("path", { "class": "outline", d: "" }, g.svg);
  marks(c, top - 8, bottom);
}, {
  tell: function (t, x, y) {
    var c = messagesChart, i = nearest(x, y);
    c.near.setAttribute("d", i < 0 ? "" : "M" + all[i].at[0] + " " + all[i].at[1] + "L" + all[i].at[2] + " " + all[i].at[3]);
    return i < 0 ? "" : sentence(i);
  },
  click: function (t, p) {
    picked = nearest(p.x, p.y);
    byId("message-text").textContent = picked < 0 ? "" : sentence(picked).replace(/\n/g, ", ") + ". " +
      plural(Object.keys(past(picked)).length - 1, "message", "messages") + " could have led to it.";
    redraw();
  },
  leave: function () { if (messagesChart.near) { messagesChart.near.setAttribute("d", ""); } }
});

function sentence(i) {
  var m = all[i];
  return D.ends[m[2]] + " to " + D.ends[m[3]] + ": " + D.kinds[m[4]] + "\nsent " + seconds(m[0], 1) +
    (m[5] ? ", lost" : ", arrived " + seconds(m[1], 1)) + (m[6] ? "\n" + m[6] : "");
}

// nearest is the message whose line is closest to a place, at most 8 pixels away.
function nearest(x, y) {
  var best = -1, least = 64, g = messagesChart.g;
  all.forEach(function (m, i) {
    if (!m.at || Math.max(m[0], m[1]) < g.a || m[0] > g.b) { return; }
    var dx = m.at[2] - m.at[0], dy = m.at[3] - m.at[1], k = clamp(((x - m.at[0]) * dx + (y - m.at[1]) * dy) / (dx * dx + dy * dy || 1), 0, 1);
    var ex = x - m.at[0] - k * dx, ey = y - m.at[1] - k * dy;
    if (ex * ex + ey * ey < least) { least = ex * ex + ey * ey; best = i; }
  });
  return best;
}

(function () {
  var box = byId("kinds-legend");
  if (!box) { return; }
  D.kinds.slice(0, 12).forEach(function (k, i) { var s = html("span", "", box); html("i", "swatch line " + kindClass(i), s); s.appendChild(document.createTextNode(k)); });
  if (D.kinds.length > 12) { html("span", "", box, "and " + (D.kinds.length - 12) + " more"); }
  if (all.some(function (m) { return m[5]; })) { var s = html("span", "", box); html("i", "swatch lost", s); s.appendChild(document.createTextNode("lost")); }
})();
`
