package plan

import (
	"math"
	"slices"
)

// Row is a figure of ours beside that of a peer.
type Row struct {
	// ID is the case's, and Group its heading.
	ID    string `json:"id"`
	Group string `json:"group"`
	// Work says what was done, Peer who else did it; empty when nobody did.
	Work string `json:"work"`
	Peer string `json:"peer"`
	// Ours and Theirs are medians in Unit; null where there is none.
	Ours   *float64 `json:"ours"`
	Theirs *float64 `json:"theirs"`
	Unit   string   `json:"unit"`
	// Better is "less" or "more".
	Better string `json:"better"`
	// Ratio says how many times better ours is. Min and Max are the range of the
	// ratio over the rounds, or that of our figure where there is no ratio.
	Ratio *float64 `json:"ratio"`
	Min   *float64 `json:"min"`
	Max   *float64 `json:"max"`
	// OursRange and TheirsRange are the least and the greatest figure of a round.
	OursRange   []float64 `json:"ours_range"`
	TheirsRange []float64 `json:"theirs_range"`
	Rounds      int       `json:"rounds"`
	// Aim says what is aimed at, and Met whether it is reached; null when there is
	// no aim, or when it could not be judged.
	Aim string `json:"aim"`
	Met *bool  `json:"met"`
	// Note says why something was not measured.
	Note string `json:"note,omitempty"`
}

// sample is what one side gave, one set of values for each round.
type sample struct {
	peer   string
	rounds []Values
	note   string // why it was not measured, or not in all rounds
}

// figures returns the figures of a key, one for each round that has it.
func (s sample) figures(key string) []float64 {
	var figures []float64
	for _, v := range s.rounds {
		if f, ok := v[key]; ok {
			figures = append(figures, f)
		}
	}
	return figures
}

// rowsOf makes the rows of a case; the first sample is ours.
func rowsOf(c Case, samples []sample) []Row {
	var rows []Row
	for _, m := range c.Measures {
		ours := samples[0].figures(m.Key)
		if m.Against != "" {
			rows = append(rows, m.row(c, m.AgainstName, ours, samples[0].figures(m.Against), samples[0].note))
			continue
		}
		found := false
		for _, s := range samples[1:] {
			theirs := s.figures(m.Key)
			if len(theirs) == 0 && s.note == "" {
				continue // it cannot do this
			}
			if len(theirs) == 0 && !m.expects(s.peer) {
				continue
			}
			found = true
			rows = append(rows, m.row(c, s.peer, ours, theirs, join(samples[0].note, s.note)))
		}
		if !found {
			rows = append(rows, m.row(c, "", ours, nil, samples[0].note))
		}
	}
	return rows
}

// expects reports whether a figure is to be compared with this peer.
func (m Measure) expects(peer string) bool {
	_, ok := m.Aims[peer]
	return ok
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}

// row makes a row.
func (m Measure) row(c Case, peer string, ours, theirs []float64, note string) Row {
	r := Row{
		ID: c.ID, Group: c.Group, Work: m.Work, Peer: peer, Unit: m.Unit, Better: "less",
		Rounds: len(ours), Note: note, Ours: median(ours), Theirs: median(theirs),
		OursRange: span(ours), TheirsRange: span(theirs),
	}
	if m.More {
		r.Better = "more"
	}
	var ratios []float64
	for i := range min(len(ours), len(theirs)) {
		if x := m.ratio(ours[i], theirs[i]); x != nil {
			ratios = append(ratios, *x)
		}
	}
	over := ours
	if r.Ours != nil && r.Theirs != nil {
		r.Ratio, over = m.ratio(*r.Ours, *r.Theirs), ratios
	}
	if s := span(over); s != nil {
		r.Min, r.Max = &s[0], &s[1]
	}
	aim, ok := m.Aims[peer]
	if !ok {
		aim = m.Aims[""]
	}
	r.Aim, r.Met = aim.Text, aim.judge(r.Ours, r.Ratio)
	return r
}

// ratio says how many times better ours is; nil when that is no number.
func (m Measure) ratio(ours, theirs float64) *float64 {
	x := theirs / ours
	if m.More {
		x = ours / theirs
	}
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return &x
}

// judge reports whether the aim is met, or nil when that cannot be said.
func (a Aim) judge(ours, ratio *float64) *bool {
	if a == (Aim{}) || ours == nil {
		return nil
	}
	met := (a.Below == 0 || *ours < a.Below) && (a.AtLeast == 0 || *ours >= a.AtLeast)
	if a.Ratio > 0 && met {
		if ratio == nil {
			return nil
		}
		met = *ratio >= a.Ratio
	}
	return &met
}

// median returns the middle of some figures, nil when there are none.
func median(figures []float64) *float64 {
	if len(figures) == 0 {
		return nil
	}
	m := Percentile(figures, 0.5)
	return &m
}

// Percentile returns the figure below which a share of the figures lies; between
// two figures it interpolates.
func Percentile(figures []float64, share float64) float64 {
	sorted := slices.Sorted(slices.Values(figures))
	at := share * float64(len(sorted)-1)
	low := int(at)
	if low+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	part := at - float64(low)
	return sorted[low]*(1-part) + sorted[low+1]*part
}

func span(figures []float64) []float64 {
	if len(figures) == 0 {
		return nil
	}
	return []float64{slices.Min(figures), slices.Max(figures)}
}
