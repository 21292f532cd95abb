package report

// scriptBase opens the page's script: the data, what is shown of it, and the small
// things that all charts share. The parts of the script are one function; scriptStart
// closes it. Texts enter the page as text nodes and attributes only.
const scriptBase = `(function () {
"use strict";
var D = JSON.parse(document.getElementById("data").textContent);
Object.keys(D).forEach(function (k) { if (D[k] === null) { D[k] = []; } });
var holder = document.createElement("template");
holder.innerHTML = "<svg></svg>";
var NS = holder.content.firstChild.namespaceURI;
var CLASSES = ["cut", "oneway", "kill", "pause", "skew", "degrade", "other"];
var CLASSNAMES = { cut: "cut", oneway: "one way only", kill: "killed or stopped", pause: "paused", skew: "clock skewed", degrade: "loss, delay", other: "other" };

// What is shown: the part of time, the marked moment, the record of a finding.
var view = { a: 0, b: D.end }, pin = null, hit = null, current = -1;
var charts = [];

function byId(id) { return document.getElementById(id); }
function clamp(v, low, high) { return Math.max(low, Math.min(high, v)); }

function el(name, attrs, parent, text) {
  var e = document.createElementNS(NS, name);
  for (var k in attrs) { e.setAttribute(k, attrs[k]); }
  if (text !== undefined) { e.textContent = text; }
  if (parent) { parent.appendChild(e); }
  return e;
}

function html(name, cls, parent, text) {
  var e = document.createElement(name);
  if (cls) { e.className = cls; }
  if (text !== undefined) { e.textContent = text; }
  if (parent) { parent.appendChild(e); }
  return e;
}

// pairs opens a list of time differences and values.
function pairs(list) {
  var t = [], v = [], at = 0;
  for (var i = 0; i < list.length; i += 2) { at += list[i]; t.push(at); v.push(list[i + 1]); }
  return { t: t, v: v };
}

// indexAt is the place of the last of the times that is not after t, or -1.
function indexAt(times, t) {
  var low = 0, high = times.length;
  while (low < high) {
    var mid = (low + high) >> 1;
    if (times[mid] <= t) { low = mid + 1; } else { high = mid; }
  }
  return low - 1;
}

function valueAt(step, t) { var i = indexAt(step.t, t); return i < 0 ? null : step.v[i]; }

function seconds(t, step) {
  var digits = step === undefined ? 3 : step >= 1e6 ? 0 : Math.min(6, Math.ceil(6 - Math.log10(step) - 1e-9));
  return ((t + D.begin) / 1e6).toFixed(digits) + "s";
}

function length(us) {
  if (us >= 1e6) { return (us / 1e6).toPrecision(3) + "s"; }
  if (us >= 1e3) { return (us / 1e3).toPrecision(3) + "ms"; }
  return us + "us";
}

function bytes(n) {
  if (n >= 10485760) { return Math.round(n / 1048576) + " MiB"; }
  if (n >= 10240) { return Math.round(n / 1024) + " KiB"; }
  return n.toLocaleString("en") + " B";
}

function cut(text, chars) {
  return text.length <= chars ? text : text.slice(0, Math.max(1, chars - 4)) + "\u2026" + text.slice(-3);
}

function plural(n, one, many) { return n + " " + (n === 1 ? one : many); }

var lanes = D.lanes.map(pairs), curve = pairs(D.curve);
var laneLabels = D.nodes;

// faultsAt are the words of the faults that hold at a moment, for one lane.
function faultsAt(t, lane) {
  return D.faults.filter(function (f) {
    return f[0] <= t && t <= Math.max(f[1], f[0] + (view.b - view.a) / 400) && (f[5] < 0 || f[5] === lane);
  }).slice(0, 6).map(function (f) { return (f[3] || f[2]) + (f[4] ? "" : " (not seen to take effect)"); });
}

// show changes the part of time that all charts show.
function show(a, b) {
  var least = Math.min(D.end, 20), width = clamp(b - a, least, D.end);
  a = clamp(a, 0, D.end - width);
  view = { a: a, b: a + width };
  redraw();
}

function zoom(factor, at) {
  var centre = at === undefined ? (pin !== null && pin >= view.a && pin <= view.b ? pin : (view.a + view.b) / 2) : at;
  show(centre - (centre - view.a) * factor, centre + (view.b - centre) * factor);
}

function pan(part) { var w = view.b - view.a; show(view.a + w * part, view.b + w * part); }

function jump(at, record, row, scroll) {
  var half = clamp(D.end / 40, Math.min(D.end / 2, 5e4), 2e6);
  pin = at;
  hit = record;
  document.querySelectorAll(".findings li.now").forEach(function (e) { e.classList.remove("now"); });
  if (row) { row.classList.add("now"); }
  show(at - half, at + half);
  if (scroll) { byId("stripes-s").scrollIntoView(); }
}

function step(by) {
  if (!D.findings.length) { return; }
  current = current < 0 && by < 0 ? D.findings.length - 1 : (current + by + D.findings.length) % D.findings.length;
  var f = D.findings[current];
  jump(f[0], f[3], byId(f[1]), false);
}

var tip = byId("tip");
function say(text, x, y) {
  if (!text) { tip.hidden = true; return; }
  tip.textContent = text;
  tip.hidden = false;
  var w = tip.offsetWidth, h = tip.offsetHeight;
  tip.style.left = clamp(x + 14, 4, Math.max(4, window.innerWidth - w - 4)) + "px";
  tip.style.top = (y + 18 + h > window.innerHeight ? Math.max(4, y - h - 10) : y + 18) + "px";
}
`
