package report

import "html/template"

// pageStyle is the page's style sheet. Colours of states are --s0 to --s15; colours
// of faults are --f-*, told apart by hue, by hatching and by their words, so that no
// one of the three is needed.
const pageStyle template.CSS = lightColours + `
@media (prefers-color-scheme: dark) { :root:not([data-theme=light]) {` + darkColours + `} }
:root[data-theme=dark] {` + darkColours + `}
` + styleText + styleCharts

const lightColours = `
:root {
  color-scheme: light;
  --bg: #ffffff; --panel: #f4f6f8; --ink: #1b212b; --soft: #56606e; --line: #cfd6de; --hair: #e4e8ed; --link: #0b5cad;
  --pass: #0b6e4f; --fail: #b3261e; --unknown: #8a5a00; --on: #ffffff; --fail-bg: #fdefed; --unknown-bg: #fdf5e2; --pass-bg: #eaf6f1;
  --f-cut: #d55e00; --f-oneway: #a8480d; --f-kill: #1b212b; --f-pause: #0064a8; --f-skew: #b0478a; --f-degrade: #8f7a00; --f-other: #56606e;
  --o-0: #2f74b5; --o-1: #c2417c; --o-2: #c98500; --o-3: #7a8494; --down: #dfe3e8;
  --s0: #86b6dd; --s1: #efb27c; --s2: #8fc7a1; --s3: #c9a6d8; --s4: #e9d57a; --s5: #5d86b8; --s6: #d98a86; --s7: #5fae9f;
  --s8: #b8c98a; --s9: #9a86c4; --s10: #f3c9cf; --s11: #a88b6a; --s12: #bfe3ea; --s13: #c77a3c; --s14: #6f9a57; --s15: #b0b8c4;
  --heat: 11, 92, 173;
}
`

const darkColours = `
  color-scheme: dark;
  --bg: #12161c; --panel: #1a2029; --ink: #e7ebf1; --soft: #a4aebb; --line: #3b4553; --hair: #28303b; --link: #7cb8f5;
  --pass: #5fcaa0; --fail: #ff8d80; --unknown: #f0bd5a; --on: #12161c; --fail-bg: #33201f; --unknown-bg: #2f2818; --pass-bg: #172b25;
  --f-cut: #ff9248; --f-oneway: #e0a070; --f-kill: #f2f5f9; --f-pause: #62b4f0; --f-skew: #ec9ccb; --f-degrade: #e3cf4e; --f-other: #a4aebb;
  --o-0: #5aa0e0; --o-1: #f07fae; --o-2: #efb13c; --o-3: #8d98a8; --down: #2a313b;
  --s0: #3f78a8; --s1: #a8632c; --s2: #43855a; --s3: #8a5fa0; --s4: #8f7a26; --s5: #2c4f80; --s6: #a04f4c; --s7: #2b7468;
  --s8: #74863f; --s9: #5d4a8c; --s10: #a0707b; --s11: #6e5539; --s12: #528792; --s13: #8a4616; --s14: #3c622a; --s15: #6d7786;
  --heat: 124, 184, 245;
`

const styleText = `
* { box-sizing: border-box; }
html { scroll-padding-top: 104px; }
body { margin: 0; background: var(--bg); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; overflow-wrap: anywhere; }
header.head, main, nav.bar { max-width: 1600px; margin: 0 auto; padding: 0 20px; }
h1 { font-size: 22px; line-height: 1.25; margin: 0; }
h2 { font-size: 18px; margin: 0 0 4px; }
h3 { font-size: 14px; margin: 14px 0 2px; }
p { margin: 4px 0; }
a { color: var(--link); }
code, pre, .key, dd, .record { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; font-size: 13px; }
.soft, .lead, .left { color: var(--soft); }
.whole { white-space: nowrap; }
.lead, .left { font-size: 13.5px; max-width: 90ch; }
.left { font-style: italic; }
.skip { position: absolute; left: -9999px; }
.skip:focus { left: 8px; top: 8px; background: var(--bg); padding: 6px 10px; z-index: 9; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.row { display: flex; flex-wrap: wrap; gap: 6px 16px; align-items: center; }
.grow { flex: 1 1 260px; min-width: 0; }
header.head { padding-top: 20px; padding-bottom: 10px; }
.verdict { font-size: 20px; font-weight: 700; text-transform: uppercase; letter-spacing: .04em; margin: 0; padding: 8px 16px; border-radius: 8px; color: var(--on); }
.pass .verdict { background: var(--pass); } .fail .verdict { background: var(--fail); } .unknown .verdict { background: var(--unknown); }
.summary { margin: 2px 0 0; color: var(--soft); }
.facts { display: flex; flex-wrap: wrap; gap: 4px 22px; margin: 10px 0; }
.facts div { display: flex; gap: 6px; min-width: 0; }
.facts dt { color: var(--soft); font-size: 13.5px; } .facts dd { margin: 0; font-weight: 600; }
.replay { display: flex; gap: 8px; align-items: stretch; margin: 8px 0; }
.replay code { flex: 1; min-width: 0; background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: 6px 10px; overflow-x: auto; white-space: pre; }
button, select { font: inherit; font-size: 13.5px; color: var(--ink); background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: 3px 10px; min-height: 30px; cursor: pointer; }
button:hover, select:hover { border-color: var(--soft); }
.pick { font-size: 13.5px; color: var(--soft); }
summary { cursor: pointer; }
details.options > summary, details > summary { padding: 3px 0; }
nav.bar { position: sticky; top: 0; z-index: 5; background: var(--bg); border-bottom: 1px solid var(--line); padding-top: 6px; padding-bottom: 6px; }
.tools { display: flex; flex-wrap: wrap; gap: 6px; align-items: center; margin-top: 4px; }
.tools output { margin-left: auto; font-size: 13px; color: var(--soft); font-variant-numeric: tabular-nums; }
section { margin: 22px 0 30px; min-width: 0; }
.scroll { overflow-x: auto; max-width: 100%; }
table { border-collapse: collapse; font-size: 13.5px; }
caption { text-align: left; color: var(--soft); padding: 4px 0; }
th, td { text-align: left; padding: 4px 12px 4px 0; border-bottom: 1px solid var(--hair); vertical-align: top; overflow-wrap: normal; }
td { overflow-wrap: anywhere; }
thead th { color: var(--soft); font-weight: 600; white-space: nowrap; }
table.num td, table.num thead th:not(:first-child) { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
table.spread th:first-child { min-width: 140px; }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(330px, 100%), 1fr)); gap: 12px 40px; margin-top: 12px; }
.two > * { min-width: 0; }
ul.checks { list-style: none; padding: 0; margin: 8px 0; }
.check { border-left: 4px solid var(--line); padding: 6px 12px; margin: 8px 0; border-radius: 0 6px 6px 0; }
.check.fail { border-color: var(--fail); background: var(--fail-bg); } .check.unknown { border-color: var(--unknown); background: var(--unknown-bg); }
.check p { margin: 0 0 2px; } .check .note { color: var(--soft); font-size: 13.5px; }
.badge { display: inline-block; font-size: 12px; font-weight: 700; padding: 0 8px; border-radius: 10px; border: 1px solid currentColor; white-space: nowrap; }
.badge.pass { color: var(--pass); } .badge.fail { color: var(--fail); } .badge.unknown { color: var(--unknown); }
.findings { margin: 4px 0; padding-left: 0; list-style: none; font-size: 14px; }
.findings li { padding: 3px 6px; border-radius: 4px; } .findings li.now { background: var(--bg); box-shadow: inset 0 0 0 2px var(--link); }
.findings .record { display: block; font-size: 12px; padding-left: 0; }
.jump { font-variant-numeric: tabular-nums; font-weight: 600; white-space: nowrap; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 16px; font-size: 13px; color: var(--soft); margin: 4px 0; }
.legend span { display: inline-flex; align-items: center; gap: 6px; }
.swatch { display: inline-block; width: 18px; height: 12px; border-radius: 2px; margin-right: 6px; vertical-align: -1px; }
.legend .swatch { margin-right: 0; }
details.name { border-top: 1px solid var(--hair); padding: 4px 0; }
details.words { font-size: 13.5px; } details.words ul { margin: 2px 0 8px; padding-left: 22px; }
pre.text { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: 10px 12px; overflow: auto; max-height: 520px; margin: 6px 0; font-size: 12.5px; line-height: 1.45; overflow-wrap: normal; }
@media (max-width: 640px) {
  header.head, main, nav.bar { padding-left: 12px; padding-right: 12px; }
  h1 { font-size: 19px; } .verdict { font-size: 16px; padding: 6px 12px; }
}
@media print { nav.bar { position: static; } button, .pick { display: none; } }
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }
`

const styleCharts = `
.chart { position: relative; width: 100%; min-height: 20px; margin-top: 6px; }
.chart svg { display: block; width: 100%; overflow: hidden; }
.chart svg.drag { touch-action: pan-y; cursor: crosshair; user-select: none; -webkit-user-select: none; }
svg text { fill: var(--soft); font-size: 11px; font-family: ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; }
svg text.ink { fill: var(--ink); } svg text.end { text-anchor: end; } svg text.mid { text-anchor: middle; }
.axis { stroke: var(--line); stroke-width: 1; fill: none; } .grid { stroke: var(--hair); stroke-width: 1; fill: none; }
.frame { fill: var(--panel); } .gone { fill: var(--bg); }
.cursor { stroke: var(--ink); stroke-width: 1; stroke-dasharray: 3 2; fill: none; pointer-events: none; }
.pin { stroke: var(--link); stroke-width: 2; fill: none; pointer-events: none; }
.found { stroke: var(--fail); stroke-width: 1.5; fill: none; pointer-events: none; } .found-head { fill: var(--fail); pointer-events: none; }
.select { fill: var(--link); fill-opacity: .18; stroke: var(--link); pointer-events: none; }
.outside { fill: var(--bg); fill-opacity: .66; pointer-events: none; }
.window { fill: none; stroke: var(--link); stroke-width: 2; pointer-events: none; }
.outline { fill: none; stroke: var(--ink); stroke-width: 1.6; pointer-events: none; }
.downlane { fill: var(--down); }
.step { fill: none; stroke: var(--ink); stroke-width: 1.5; stroke-linejoin: round; } .under { fill: var(--link); fill-opacity: .14; }
.agree { fill: var(--pass); }
.band { pointer-events: none; } .edge { fill: none; stroke-width: 1.2; stroke-dasharray: 4 3; pointer-events: none; }
.bar-cut, .swatch.f-cut { fill: var(--f-cut); background: var(--f-cut); } .bar-oneway, .swatch.f-oneway { fill: var(--f-oneway); background: repeating-linear-gradient(135deg, var(--f-oneway) 0 3px, var(--bg) 3px 6px); }
.bar-kill, .swatch.f-kill { fill: var(--f-kill); background: var(--f-kill); } .bar-pause, .swatch.f-pause { fill: var(--f-pause); background: repeating-linear-gradient(90deg, var(--f-pause) 0 3px, var(--bg) 3px 6px); }
.bar-skew, .swatch.f-skew { fill: var(--f-skew); background: repeating-linear-gradient(45deg, var(--f-skew) 0 3px, var(--bg) 3px 6px); } .bar-degrade, .swatch.f-degrade { fill: var(--f-degrade); background: repeating-linear-gradient(0deg, var(--f-degrade) 0 2px, var(--bg) 2px 4px); }
.bar-other, .swatch.f-other { fill: var(--f-other); background: var(--f-other); }
.edge-cut { stroke: var(--f-cut); } .edge-oneway { stroke: var(--f-oneway); } .edge-kill { stroke: var(--f-kill); } .edge-pause { stroke: var(--f-pause); }
.edge-skew { stroke: var(--f-skew); } .edge-degrade { stroke: var(--f-degrade); } .edge-other { stroke: var(--f-other); }
.doubt { fill-opacity: .25; stroke-dasharray: 2 2; stroke-width: 1; }
.o-0 { fill: var(--o-0); background: var(--o-0); } .o-1 { fill: var(--o-1); background: var(--o-1); } .o-2 { fill: var(--o-2); background: var(--o-2); } .o-3 { fill: var(--o-3); background: var(--o-3); }
svg .oplane { stroke: var(--hair); fill: none; } .hit { fill: none; stroke: var(--ink); stroke-width: 2; }
.msg { fill: none; stroke-width: 1.1; stroke-opacity: .75; } .msg.faint { stroke-opacity: .12; } .msg.lost { stroke: var(--fail); stroke-dasharray: 4 3; }
.msg.past { stroke-width: 2; stroke-opacity: 1; } .msg.picked { stroke: var(--ink); stroke-width: 3; stroke-opacity: 1; }
.k0 { stroke: var(--o-0); background: var(--o-0); } .k1 { stroke: var(--f-skew); background: var(--f-skew); } .k2 { stroke: var(--pass); background: var(--pass); } .k3 { stroke: var(--o-2); background: var(--o-2); }
.k4 { stroke: var(--f-degrade); background: var(--f-degrade); } .k5 { stroke: var(--f-oneway); background: var(--f-oneway); } .k6 { stroke: var(--soft); background: var(--soft); } .k7 { stroke: var(--o-3); background: var(--o-3); }
.swatch.lost { background: repeating-linear-gradient(90deg, var(--fail) 0 4px, var(--bg) 4px 7px); height: 3px; }
.legend .swatch.line { height: 3px; border-radius: 0; }
.told { fill: var(--bg); stroke: var(--fail); stroke-width: 2; }
#matrix { margin-top: 8px; } table.matrix td { min-width: 62px; text-align: right; padding: 4px 8px; white-space: nowrap; } table.matrix th { padding: 4px 8px; } table.matrix .sum { font-weight: 600; }
.box { width: 150px; height: 16px; display: block; } .box path { fill: none; stroke: var(--soft); vector-effect: non-scaling-stroke; } .box .thick { stroke: var(--o-0); stroke-width: 5; } .box .tick { stroke: var(--ink); stroke-width: 2.5; }
#tip { position: fixed; z-index: 20; max-width: min(380px, 90vw); background: var(--ink); color: var(--bg); font-size: 12.5px; line-height: 1.4; padding: 6px 10px; border-radius: 6px; pointer-events: none; white-space: pre-line; }
#tip[hidden] { display: none; }
`
