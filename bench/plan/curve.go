package plan

import (
	"context"
	"fmt"
	"time"
)

// Curve is how a cost grows.
type Curve struct {
	// ID names it in the flag that selects, and its plot.
	ID string `json:"id"`
	// Title says what the cost is, Unit in what, and Against what it grows with:
	// names or nodes.
	Title   string `json:"title"`
	Unit    string `json:"unit"`
	Against string `json:"against"`
	Lines   []Line `json:"lines"`
}

// Line is the curve of one side.
type Line struct {
	Name   string  `json:"name"`
	Points []Point `json:"points"`
}

// Point is one figure.
type Point struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

// Survey measures several curves together.
type Survey struct {
	// ID names it in the flag that selects.
	ID string
	// Curves are what it measures, without lines.
	Curves []Curve
	// Limit is how long it may take; default five minutes.
	Limit time.Duration
	// Long says that it takes so long that it has to be asked for.
	Long bool
	// Run measures, and adds to the curves by their names.
	Run func(ctx context.Context, b *Bench, add Add) error
}

// Add adds a point to the line of a side in a curve.
type Add func(curve, line string, x, y float64)

// Surveys carries surveys out and returns their curves, and what went wrong.
func Surveys(ctx context.Context, b *Bench, surveys []Survey) (curves []Curve, failures []string) {
	for _, s := range surveys {
		if ctx.Err() != nil {
			break
		}
		b.logf("%s", s.ID)
		begun := time.Now()
		mine := append([]Curve(nil), s.Curves...)
		limited, end := s.limited(ctx)
		err := s.Run(limited, b, func(curve, line string, x, y float64) {
			b.logf("  %s: %s at %g: %.4g", curve, line, x, y)
			addTo(mine, curve, line, Point{X: x, Y: y})
		})
		end()
		if err != nil {
			failures = append(failures, fmt.Sprintf("%s: %v", s.ID, err))
			b.logf("  FAILED %s: %v", s.ID, err)
		}
		b.logf("  (%.1f s)", time.Since(begun).Seconds())
		curves = append(curves, mine...)
	}
	return merged(curves), failures
}

// surveyLimit is Survey.Limit where none is set.
const surveyLimit = 5 * time.Minute

func (s Survey) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	limit := s.Limit
	if limit == 0 {
		limit = surveyLimit
	}
	return context.WithTimeoutCause(ctx, limit, fmt.Errorf("it took longer than %v", limit))
}

// addTo adds a point to a line of a curve.
func addTo(curves []Curve, curve, line string, p Point) {
	for i := range curves {
		c := &curves[i]
		if c.ID != curve {
			continue
		}
		for k := range c.Lines {
			if c.Lines[k].Name == line {
				c.Lines[k].Points = append(c.Lines[k].Points, p)
				return
			}
		}
		c.Lines = append(c.Lines, Line{Name: line, Points: []Point{p}})
		return
	}
	panic("no curve " + curve)
}

// merged joins the curves that several surveys have added to, and leaves out
// those without a point.
func merged(curves []Curve) []Curve {
	var all []Curve
	at := map[string]int{}
	for _, c := range curves {
		if len(c.Lines) == 0 {
			continue
		}
		if i, ok := at[c.ID]; ok {
			all[i].Lines = append(all[i].Lines, c.Lines...)
			continue
		}
		at[c.ID] = len(all)
		all = append(all, c)
	}
	return all
}
