package report

import (
	"fmt"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"

	"github.com/rollcall-dev/rollcall/bench/plan"
)

// Sizes of plots.
const (
	plotWidth  = 16 * vg.Centimeter
	plotHeight = 10 * vg.Centimeter
	barHeight  = 0.55 * vg.Centimeter
	barMargin  = 3 * vg.Centimeter
)

// Plots writes a plot of each curve, and one of all ratios, into a directory, and
// returns the names of the files.
func (r Report) Plots(dir string) ([]string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	var files []string
	for _, c := range r.Curves {
		name := "bench-" + c.ID + ".svg"
		if err := plotCurve(c, filepath.Join(dir, name)); err != nil {
			return nil, fmt.Errorf("report: plot %s: %w", c.ID, err)
		}
		files = append(files, name)
	}
	const ratios = "bench-ratios.svg"
	drawn, err := r.plotRatios(filepath.Join(dir, ratios))
	if err != nil {
		return nil, fmt.Errorf("report: plot of ratios: %w", err)
	}
	if drawn {
		files = append(files, ratios)
	}
	return files, nil
}

// paper returns a plot on white, since pages may be dark and ink is not.
func paper(title string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = color.White
	p.Title.Text = title
	p.Title.Padding = vg.Points(6)
	return p
}

// plotCurve draws a curve with logarithmic axes.
func plotCurve(c plan.Curve, file string) error {
	p := paper(c.Title)
	p.X.Label.Text, p.Y.Label.Text = c.Against, c.Unit
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, decades()
	p.Add(plotter.NewGrid())
	p.Legend.Top, p.Legend.Left = true, true
	low, high := math.Inf(1), 0.0
	for i, line := range c.Lines {
		points := make(plotter.XYs, 0, len(line.Points))
		for _, at := range line.Points {
			if at.Y <= 0 {
				continue // a logarithmic axis has no zero
			}
			points = append(points, plotter.XY{X: at.X, Y: at.Y})
			low, high = min(low, at.Y), max(high, at.Y)
		}
		if len(points) == 0 {
			continue
		}
		l, dots, err := plotter.NewLinePoints(points)
		if err != nil {
			return err
		}
		l.Color, l.Width = plotutil.Color(i), vg.Points(1.5)
		dots.Color, dots.Shape = plotutil.Color(i), plotutil.Shape(i)
		p.Add(l, dots)
		p.Legend.Add(line.Name, l, dots)
	}
	if high == 0 {
		return nil
	}
	// At least a decade and some room above for the legend: a curve that is nearly
	// flat is not to look steep.
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, decades()
	p.Y.Min = math.Pow(10, math.Floor(math.Log10(low)))
	p.Y.Max = math.Pow(10, math.Ceil(math.Log10(high)+0.3))
	return p.Save(plotWidth, plotHeight, file)
}

// decades marks powers of ten, and their multiples without a label.
func decades() plot.Ticker {
	return plot.TickerFunc(func(low, high float64) []plot.Tick {
		var ticks []plot.Tick
		for e := math.Floor(math.Log10(low)); e <= math.Ceil(math.Log10(high)); e++ {
			for k := 1.0; k < 10; k++ {
				at := k * math.Pow(10, e)
				if at < low*0.999 || at > high*1.001 {
					continue
				}
				label := ""
				if k == 1 || high/low < 30 && (k == 3 || k == 5) {
					label = number(at)
				}
				ticks = append(ticks, plot.Tick{Value: at, Label: label})
			}
		}
		return ticks
	})
}

// plotRatios draws how many times better than its peer each row is. It reports
// whether there was one to draw.
func (r Report) plotRatios(file string) (bool, error) {
	rows := slices.DeleteFunc(slices.Clone(r.Rows), func(row plan.Row) bool { return row.Ratio == nil || *row.Ratio <= 0 })
	if len(rows) == 0 {
		return false, nil
	}
	slices.Reverse(rows) // the first at the top
	p := paper("Times better than the peer (right of 1), with the range over the rounds")
	names := make([]string, len(rows))
	low, high := 0.1, 10.0
	better, worse := color.RGBA{R: 0x1f, G: 0x6f, B: 0xb2, A: 0xff}, color.RGBA{R: 0xb2, G: 0x51, B: 0x1f, A: 0xff}
	for i, row := range rows {
		names[i] = fmt.Sprintf("%s | %s", row.Work, row.Peer)
		low, high = min(low, *row.Min), max(high, *row.Max)
		ink := better
		if *row.Ratio < 1 {
			ink = worse
		}
		if err := addRatio(p, row, float64(i), ink); err != nil {
			return false, err
		}
	}
	one, err := plotter.NewLine(plotter.XYs{{X: 1, Y: -0.5}, {X: 1, Y: float64(len(rows)) - 0.5}})
	if err != nil {
		return false, err
	}
	p.Add(one)
	p.NominalY(names...)
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, decades()
	p.X.Min, p.X.Max = math.Pow(10, math.Floor(math.Log10(low))), math.Pow(10, math.Ceil(math.Log10(high)))
	return true, p.Save(2*plotWidth, barMargin+barHeight*vg.Length(len(rows)), file)
}

// addRatio draws one row: a line over the range and a dot at the median.
func addRatio(p *plot.Plot, row plan.Row, y float64, ink color.Color) error {
	span, err := plotter.NewLine(plotter.XYs{{X: max(*row.Min, 1e-3), Y: y}, {X: max(*row.Max, 1e-3), Y: y}})
	if err != nil {
		return err
	}
	span.Color, span.Width = ink, vg.Points(1.5)
	dot, err := plotter.NewScatter(plotter.XYs{{X: *row.Ratio, Y: y}})
	if err != nil {
		return err
	}
	dot.Color, dot.Radius = ink, vg.Points(3)
	p.Add(span, dot)
	return nil
}
