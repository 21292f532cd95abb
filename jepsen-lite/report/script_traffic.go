package report

// scriptTraffic is the part of the page's script that draws the matrix of traffic:
// numbers for few nodes, shades for many.
const scriptTraffic = `
var measure = byId("measure"), kindPick = byId("kind");

function matrixSums() {
  var of = Number(measure.value), kind = Number(kindPick.value), sums = {};
  D.links.forEach(function (l) {
    if (kind >= 0 && l[2] !== kind) { return; }
    var k = l[0] + "," + l[1];
    sums[k] = sums[k] || [0, 0, 0];
    sums[k][0] += l[3];
    sums[k][1] += l[4];
    sums[k][2] += l[5];
  });
  return { at: function (i, j) { var s = sums[i + "," + j]; return s ? s[of - 3] : 0; }, all: function (i, j) { return sums[i + "," + j] || [0, 0, 0]; }, words: of === 4 ? bytes : function (n) { return n.toLocaleString("en"); } };
}

function totals(sums, n) {
  var rows = [], columns = [], most = 0, all = 0;
  for (var i = 0; i < n; i++) { rows.push(0); columns.push(0); }
  for (i = 0; i < n; i++) {
    for (var j = 0; j < n; j++) {
      var v = sums.at(i, j);
      rows[i] += v;
      columns[j] += v;
      most = Math.max(most, v);
      all += v;
    }
  }
  return { rows: rows, columns: columns, most: most, all: all };
}

function shade(v, most) { return v <= 0 || most <= 0 ? 0 : Math.max(1, Math.ceil(Math.sqrt(v / most) * 8)); }

function matrixTable(box, sums, sum) {
  var table = html("table", "matrix", box), head = html("tr", "", html("thead", "", table));
  html("th", "", head, "from \\ to");
  D.linkEnds.forEach(function (n) { html("th", "", head, n).scope = "col"; });
  html("th", "", head, "sent").scope = "col";
  var body = html("tbody", "", table);
  D.linkEnds.forEach(function (n, i) {
    var row = html("tr", "", body);
    html("th", "", row, n).scope = "row";
    D.linkEnds.forEach(function (m, j) {
      var v = sums.at(i, j), cell = html("td", "", row, i === j && !v ? "" : sums.words(v));
      cell.style.background = "rgba(var(--heat), " + (shade(v, sum.most) * 0.055) + ")";
    });
    html("td", "sum", row, sums.words(sum.rows[i]));
  });
  var foot = html("tr", "", body);
  html("th", "", foot, "received").scope = "row";
  D.linkEnds.forEach(function (n, j) { html("td", "sum", foot, sums.words(sum.columns[j])); });
  html("td", "sum", foot, sums.words(sum.all));
}

function matrixMap(box, sums, sum) {
  var n = D.linkEnds.length, width = box.clientWidth, gutter = width < 600 ? 56 : 104;
  var c = clamp(Math.floor(Math.min(width - gutter - 12, 720) / (n + 2)), 2, 16), size = n * c, paths = {}, skip = Math.ceil(12 / c);
  var svg = el("svg", { width: width, height: size + c * 2 + 30, role: "img", "aria-label": "Traffic from each node, in rows, to each node, in columns" }, box);
  function put(v, most, x, y) { var k = shade(v, most); if (k) { paths[k] = (paths[k] || "") + "M" + x + " " + y + "h" + c + "v" + c + "h" + (-c) + "z"; } }
  el("rect", { "class": "frame", x: gutter, y: 0, width: size, height: size }, svg);
  var most = Math.max.apply(null, sum.rows), least = Math.max.apply(null, sum.columns);
  for (var i = 0; i < n; i++) {
    for (var j = 0; j < n; j++) { put(sums.at(i, j), sum.most, gutter + j * c, i * c); }
    put(sum.rows[i], most, gutter + size + c, i * c);
    put(sum.columns[i], least, gutter + i * c, size + c);
    if (i % skip === 0) { el("text", { x: gutter - 6, y: i * c + Math.max(c / 2, 4) + 4, "class": "end ink" }, svg, cut(D.linkEnds[i], Math.floor((gutter - 8) / 6.7))); }
  }
  Object.keys(paths).forEach(function (k) { el("path", { d: paths[k], style: "fill:rgba(var(--heat), " + (k * 0.12) + ")" }, svg); });
  el("text", { x: gutter, y: size + c * 2 + 14 }, svg, "received, in all " + sums.words(sum.all) + (size > 420 ? "; to the right: sent" : ""));
  svg.addEventListener("pointermove", function (e) {
    var at = svg.getBoundingClientRect(), j = Math.floor((e.clientX - at.left - gutter) / c), i = Math.floor((e.clientY - at.top) / c), text = "";
    if (i >= 0 && i < n && j >= 0 && j < n) {
      var l = sums.all(i, j);
      text = D.linkEnds[i] + " to " + D.linkEnds[j] + "\n" + bytes(l[1]) + ", " + plural(l[0], "frame", "frames") + ", " + l[2] + " dropped";
    } else if (i >= 0 && i < n && j === n + 1) { text = D.linkEnds[i] + " sent " + sums.words(sum.rows[i]); } else if (i === n + 1 && j >= 0 && j < n) { text = D.linkEnds[j] + " received " + sums.words(sum.columns[j]); }
    say(text, e.clientX, e.clientY);
  });
  svg.addEventListener("pointerleave", function () { say(""); });
}

function drawMatrix() {
  var box = byId("matrix");
  if (!box) { return; }
  box.textContent = "";
  var sums = matrixSums(), sum = totals(sums, D.linkEnds.length);
  if (D.linkEnds.length <= 12) { matrixTable(box, sums, sum); } else { matrixMap(box, sums, sum); }
}

if (measure) {
  var merged = D.links.some(function (l) { return l[2] < 0; });
  html("option", "", kindPick, "all kinds").value = "-1";
  if (!merged) { D.linkKinds.forEach(function (k, i) { html("option", "", kindPick, k).value = String(i); }); }
  kindPick.value = "-1";
  kindPick.disabled = merged;
  measure.addEventListener("change", drawMatrix);
  kindPick.addEventListener("change", drawMatrix);
}
`
