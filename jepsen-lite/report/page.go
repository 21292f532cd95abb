package report

// pageTemplate is the page without its script and style. All that does not depend
// on the part of time that is shown is written here, so that it can be read
// without script.
const pageTemplate = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>{{.Verdict}}: {{.Title}}</title>
<style>{{.Style}}</style>
</head>
<body>
<a class="skip" href="#checks">Skip to the checks</a>
<header class="head {{.Verdict}}">
  <div class="row">
    <p class="verdict"><span aria-hidden="true">{{.Mark}}</span> {{.Verdict}}</p>
    <div class="grow">
      <h1>{{.Title}}</h1>
      <p class="summary">{{.Summary}}</p>
    </div>
    <button type="button" id="theme" aria-label="Change between light and dark">Dark</button>
  </div>
  <dl class="facts">{{range .Facts}}
    <div><dt>{{index . 0}}</dt><dd>{{index . 1}}</dd></div>{{end}}
  </dl>{{if .Replay}}
  <div class="replay"><code id="replay" tabindex="0" aria-label="The line that replays this run">{{.Replay}}</code><button type="button" id="copy">Copy</button></div>{{end}}{{if .Options}}
  <details class="options"{{if le (len .Options) 12}} open{{end}}><summary>Options ({{len .Options}}{{if .MoreOptions}}, and {{.MoreOptions}}{{end}})</summary>
  <dl class="facts">{{range .Options}}
    <div><dt>{{index . 0}}</dt><dd>{{index . 1}}</dd></div>{{end}}
  </dl></details>{{end}}
</header>

<nav class="bar" id="bar" aria-label="Time">
  <div id="overview" class="chart" tabindex="0" role="group" aria-label="The whole run. Drag to choose a part of it. Keys: arrows move, plus and minus zoom, 0 shows all, n and p go to the next and previous finding."></div>
  <div class="tools">
    <button type="button" id="zoomin" aria-label="Zoom in" title="Zoom in (+)">+</button>
    <button type="button" id="zoomout" aria-label="Zoom out" title="Zoom out (-)">&minus;</button>
    <button type="button" id="all" title="Show the whole run (0)">All</button>
    {{if .Findings}}<button type="button" id="prev" title="Previous finding (p)" aria-label="Previous finding">&lsaquo;</button><button type="button" id="next" title="Next finding (n)">finding &rsaquo;</button>{{end}}
    <output id="range" aria-live="polite"></output>
  </div>
</nav>

<main>
{{template "checks" .}}
{{template "timeline" .}}
{{template "traffic" .}}
{{template "rest" .}}
</main>
<div id="tip" role="status" hidden></div>
<script type="application/json" id="data">{{.Data}}</script>
<script>{{.Script}}</script>
</body>
</html>
` + checksTemplate + timelineTemplate + trafficTemplate + restTemplate

const checksTemplate = `{{define "checks"}}<section id="checks" aria-labelledby="checks-h">
<h2 id="checks-h">Checks</h2>
{{if .Results}}{{if .Failed}}<ul class="checks">{{range .Results}}{{if .Failing}}
<li class="check {{.Verdict}}">
  <p class="what"><span class="badge {{.Verdict}}"><span aria-hidden="true">{{.Mark}}</span> {{.Verdict}}</span> <b>{{.Check}}</b> <span class="says">{{.Text}}</span> <span class="soft">{{.Count}} of {{.Judged}} judged</span></p>{{if .Note}}
  <p class="note">{{.Note}}</p>{{end}}{{if .Findings}}
  <ol class="findings">{{range .Findings}}
    <li id="{{.ID}}"><a class="jump" href="#{{.ID}}" data-at="{{.Micros}}" data-index="{{.Index}}" title="Show this moment in the timeline">{{.Clock}}</a> <span>{{.Explain}}</span>{{if .Record}} <span class="soft record">{{.Record}}</span>{{end}}</li>{{end}}
  </ol>{{end}}{{if .More}}<p class="left">{{.More}} not shown.</p>{{end}}
</li>{{end}}{{end}}
</ul>{{end}}
{{if .Unsure}}<details{{if eq .Verdict "unknown"}} open{{end}}><summary>{{.Unsure}} unknown</summary>
<div class="scroll"><table class="results"><thead><tr><th scope="col">Verdict</th><th scope="col">Check</th><th scope="col">What it holds, and why nobody knows</th></tr></thead><tbody>{{range .Results}}{{if .Open}}
{{template "result" .}}{{end}}{{end}}
</tbody></table></div></details>{{end}}
{{if .Passed}}<details><summary>{{.Passed}} passed <span class="soft">{{range $i, $n := .PassedNames}}{{if $i}}, {{end}}<span class="whole">{{$n}}</span>{{end}}</span></summary>
<div class="scroll"><table class="results"><thead><tr><th scope="col">Verdict</th><th scope="col">Check</th><th scope="col">What it holds</th></tr></thead><tbody>{{range .Results}}{{if and (not .Open) (not .Failing)}}
{{template "result" .}}{{end}}{{end}}
</tbody></table></div></details>{{end}}
{{else}}<p class="soft">Nobody checked this run.</p>{{end}}
</section>{{end}}
{{define "result"}}<tr><td><span class="badge {{.Verdict}}"><span aria-hidden="true">{{.Mark}}</span> {{.Verdict}}</span></td><td><b class="whole">{{.Check}}</b></td><td>{{.Text}} <span class="soft">{{.Note}}{{if .Judged}} Judged {{.Judged}} times.{{end}}</span>{{range .Findings}}
<br><span id="{{.ID}}"><a class="jump" href="#{{.ID}}" data-at="{{.Micros}}" data-index="{{.Index}}">{{.Clock}}</a> {{.Explain}}</span>{{end}}</td></tr>{{end}}
`

const timelineTemplate = `{{define "timeline"}}<section id="stripes-s" aria-labelledby="stripes-h">
<h2 id="stripes-h">States</h2>
<p class="lead">One lane for each node, coloured by the digest of its state. Lanes of one colour at one moment are in the same state; from where all lanes look the same, the nodes agree.</p>
{{if .HasStates}}<div class="legend" id="fault-legend"></div>
<label class="pick">Order of lanes <select id="order"><option value="name">by name</option><option value="state">by state at the marked moment</option></select></label>
<div id="stripes" class="chart" tabindex="0" role="group" aria-label="State of each node over time. Drag to zoom, click to mark a moment. Keys as above."></div>
<h3>Distinct states</h3>
<div id="curve" class="chart" role="img" aria-label="Number of distinct states among the nodes that are up, over time"></div>
<noscript><pre class="text">{{.Stripes}}</pre></noscript>
{{with .Notes.Nodes}}<p class="left">{{.}}</p>{{end}}{{with .Notes.States}}<p class="left">{{.}}</p>{{end}}{{with .Notes.Colours}}<p class="left">{{.}}</p>{{end}}
{{else}}<p class="soft">No state was recorded.</p>{{end}}
{{if .Faults}}<details><summary>{{len .Faults}} fault{{if ne (len .Faults) 1}}s{{end}}</summary>
<div class="scroll"><table><thead><tr><th scope="col">From</th><th scope="col">To</th><th scope="col">Fault</th><th scope="col">Seen to take effect</th></tr></thead><tbody>{{range .Faults}}
<tr><td><a class="jump" href="#stripes-s" data-at="{{.Micros}}" data-index="-1">{{.From}}</a></td><td>{{.To}}</td><td><span class="swatch f-{{.Class}}"></span><code>{{.Text}}</code></td><td>{{if .Verified}}yes{{else}}<b>no</b>{{end}}</td></tr>{{end}}
</tbody></table></div></details>{{end}}{{with .Notes.Faults}}<p class="left">{{.}}</p>{{end}}
{{if .Heals}}<details{{if le (len .Heals) 6}} open{{end}}><summary>{{len .Heals}} heal{{if ne (len .Heals) 1}}s{{end}}</summary>
<div class="scroll"><table><thead><tr><th scope="col">At</th><th scope="col">Heal</th><th scope="col">Nodes</th><th scope="col">Agreed after</th><th scope="col">Bytes until then</th></tr></thead><tbody>{{range .Heals}}
<tr><td><a class="jump" href="#stripes-s" data-at="{{.Micros}}" data-index="-1">{{.At}}</a></td><td><code>{{.Text}}</code></td><td>{{.Nodes}}</td><td>{{if .Agreed}}{{.Took}}{{else}}not before the next change{{end}}</td><td>{{.Bytes}}</td></tr>{{end}}
</tbody></table></div>{{with .MoreHeals}}<p class="left">{{.}}</p>{{end}}</details>{{end}}
</section>

<section id="names-s" aria-labelledby="names-h">
<h2 id="names-h">Contested names</h2>
{{if .Names}}<p class="lead">Above, who believed to hold the name, and when a process was told that it lost. Below, which process each node named.</p>
{{range $i, $n := .Names}}<details class="name" data-name="{{$i}}"{{if lt $i 2}} open{{end}}><summary>{{if $n.Violated}}<span class="badge fail"><span aria-hidden="true">✗</span> finding</span> {{end}}<b class="key">{{$n.Name}}</b> <span class="soft">contested for {{$n.Overlap}}</span></summary>
<div class="chart" role="img" aria-label="Believers and lanes of the name"></div>
<details class="words"><summary>In words</summary><ul>{{range $n.Beliefs}}<li>{{.}}</li>{{end}}{{range $n.Told}}<li>{{.}}</li>{{end}}{{with $n.More}}<li class="left">{{.}} not shown.</li>{{end}}</ul></details>
</details>
{{end}}{{with .Notes.Names}}<p class="left">{{.}}</p>{{end}}{{with .Notes.Seen}}<p class="left">{{.}}</p>{{end}}
{{else}}<p class="soft">No name had two believers, and nobody lost one.</p>{{end}}
</section>

<section id="ops-s" aria-labelledby="ops-h">
<h2 id="ops-h">Operations</h2>
{{if .HasOps}}<div class="legend"><span><i class="swatch o-0"></i>ok</span><span><i class="swatch o-1"></i>fail: it did not happen</span><span><i class="swatch o-2"></i>unknown</span><span><i class="swatch o-3"></i>never answered</span></div>
{{with .Notes.Operations}}<p class="left">{{.}}</p>{{end}}{{with .Notes.Views}}<p class="left">{{.}}</p>{{end}}
<div id="ops" class="chart" tabindex="0" role="group" aria-label="Operations of each node over time. Drag to zoom. Keys as above."></div>
{{else}}<p class="soft">No client did anything.</p>{{end}}
{{if .Stats}}<details><summary>Counts</summary>
<div class="scroll"><table class="num"><thead><tr><th scope="col">Operation</th><th scope="col">Begun</th><th scope="col">Ok</th><th scope="col">Fail</th><th scope="col">Unknown</th><th scope="col">Never answered</th></tr></thead><tbody>{{range .Stats}}
<tr><th scope="row">{{.F}}</th><td>{{.Invoked}}</td><td>{{.Ok}}</td><td>{{.Failed}}</td><td>{{.Info}}</td><td>{{.Open}}</td></tr>{{end}}
</tbody></table></div></details>{{end}}
</section>

{{if .HasMessages}}<section id="messages-s" aria-labelledby="messages-h">
<h2 id="messages-h">Messages</h2>
<p class="lead">From the sender's lane to the receiver's; time runs to the right. Click on a message to see all that could have led to it.</p>
<div class="legend" id="kinds-legend"></div>
{{with .Notes.Messages}}<p class="left">{{.}}</p>{{end}}
<div id="messages" class="chart" role="img" aria-label="Messages between nodes around the first violation"></div>
<p id="message-text" class="soft" aria-live="polite"></p>
</section>{{end}}{{end}}
`

const trafficTemplate = `{{define "traffic"}}{{if .HasTraffic}}<section id="traffic-s" aria-labelledby="traffic-h">
<h2 id="traffic-h">Traffic</h2>
<p class="lead">A row sends, a column receives.</p>
<div class="row"><label class="pick">Show <select id="measure"><option value="4">bytes</option><option value="3">frames</option><option value="5">frames dropped</option></select></label>
<label class="pick">of <select id="kind"></select></label></div>
<div id="matrix" class="scroll"></div>
{{with .Notes.Traffic}}<p class="left">{{.}}</p>{{end}}
<div class="two">
<div class="scroll"><table class="num"><caption>By kind</caption><thead><tr><th scope="col">Kind</th><th scope="col">Frames</th><th scope="col">Dropped</th><th scope="col">Size</th><th scope="col">%</th></tr></thead><tbody>{{range .Kinds}}
<tr><th scope="row">{{.Name}}</th><td>{{.Frames}}</td><td>{{.Dropped}}</td><td>{{.Bytes}}</td><td>{{.Share}}</td></tr>{{end}}
</tbody></table></div>
<details{{if le (len .Ends) 12}} open{{end}}><summary>By sender ({{len .Ends}})</summary><div class="scroll"><table class="num"><thead><tr><th scope="col">Node</th><th scope="col">Frames</th><th scope="col">Dropped</th><th scope="col">Size</th><th scope="col">%</th></tr></thead><tbody>{{range .Ends}}
<tr><th scope="row">{{.Name}}</th><td>{{.Frames}}</td><td>{{.Dropped}}</td><td>{{.Bytes}}</td><td>{{.Share}}</td></tr>{{end}}
</tbody></table></div></details>
</div>
</section>{{end}}{{end}}
`

const restTemplate = `{{define "rest"}}{{if .Distributions}}<section id="spread-s" aria-labelledby="spread-h">
<h2 id="spread-h">Distributions</h2>
<div class="scroll"><table class="num spread"><thead><tr><th scope="col">Of</th><th scope="col">Count</th><th scope="col">Least</th><th scope="col">Half</th><th scope="col">95 %</th><th scope="col">99 %</th><th scope="col">Most</th><th scope="col">Scale</th></tr></thead><tbody>{{range .Distributions}}
<tr><th scope="row">{{.Name}}</th><td>{{.Count}}</td><td>{{.Min}}</td><td>{{.P50}}</td><td>{{.P95}}</td><td>{{.P99}}</td><td>{{.Max}}</td><td><svg class="box" viewBox="-4 0 108 16" preserveAspectRatio="none" aria-hidden="true"><path class="line" d="M{{.AtMin}} 8H{{.AtMax}}"/><path class="thick" d="M{{.AtMin}} 8H{{.At95}}"/><path class="tick" d="M{{.At50}} 1V15"/><path class="line" d="M{{.At99}} 4V12M{{.AtMax}} 4V12"/></svg></td></tr>{{end}}
</tbody></table></div>
<p class="left">Scale: thin line from the least to the most, thick line to 95 %, tall mark at half, small marks at 99 % and at the most. Each row has its own scale, a logarithmic one when the most is over 100 times the least.</p>
</section>{{end}}
{{if .Scenario}}<section id="scenario-s" aria-labelledby="scenario-h">
<h2 id="scenario-h">Scenario</h2>
<pre class="text" tabindex="0">{{.Scenario}}</pre>
{{with .ScenarioCut}}<p class="left">{{.}}</p>{{end}}
</section>{{end}}{{end}}
`
