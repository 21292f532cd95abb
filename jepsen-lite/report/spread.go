package report

import "math"

// spread is a distribution in words and as places on a scale from 0 to 100.
type spread struct {
	Name, Count, Min, P50, P95, P99, Max string
	AtMin, At50, At95, At99, AtMax       float64
}

// distributions returns the run's distributions. Each is drawn on a scale of its
// own, logarithmic when its values span more than a factor of 100.
func (m *model) distributions() []spread {
	if m.run.Check == nil {
		return nil
	}
	var all []spread
	for _, d := range m.run.Check.Distributions {
		values := []float64{float64(d.Values.Min), float64(d.Values.P50), float64(d.Values.P95), float64(d.Values.P99), float64(d.Values.Max)}
		words, places := make([]string, len(values)), scale(values)
		for i, v := range values {
			words[i] = quantity(v, d.Unit)
		}
		all = append(all, spread{clip(d.Name, 200), numeral(d.Values.Count), words[0], words[1], words[2], words[3], words[4],
			places[0], places[1], places[2], places[3], places[4]})
	}
	return all
}

// scale places values between 0 and 100, from 0 to the last of them.
func scale(values []float64) []float64 {
	places := make([]float64, len(values))
	low, high := values[0], values[len(values)-1]
	logarithmic := low > 0 && high > 100*low
	for i, v := range values {
		switch {
		case high <= 0:
		case logarithmic:
			places[i] = math.Log(v/low) / math.Log(high/low) * 100
		default:
			places[i] = v / high * 100
		}
		places[i] = math.Round(min(100, max(0, places[i]))*10) / 10
	}
	return places
}
