package result

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// field is one number of a result that can be asked for by name. get reports
// false where the run did not measure it.
type field struct {
	name string
	kind kind
	get  func(*Result) (float64, bool)
}

// kernelPrefix stands before the kernel's own name of a counter.
const kernelPrefix = "kernel."

// ExpectFields lists the fields that an expectation can name: the path of the
// result file without _ns and _per_s, a few of them also by a short name.
// "kernel.NAME" stands for every kernel counter.
func ExpectFields() []string {
	var names []string
	for _, f := range fields() {
		names = append(names, f.name)
	}
	return append(names, kernelPrefix+"NAME")
}

func lookupField(name string) (field, bool) {
	all := fields()
	if i := slices.IndexFunc(all, func(f field) bool { return f.name == name }); i >= 0 {
		return all[i], true
	}
	counter, ok := strings.CutPrefix(name, kernelPrefix)
	if !ok || counter == "" || strings.ContainsFunc(counter, func(c rune) bool { return !isWord(c) }) {
		return field{}, false
	}
	return field{name, count, func(r *Result) (float64, bool) {
		n, ok := r.Kernel[counter]
		return float64(n), ok
	}}, true
}

func isWord(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

func fieldHint(name, rest string) string {
	var names []string
	for _, f := range fields() {
		names = append(names, f.name)
	}
	if near, ok := nearest(name, names); ok {
		return "--expect '" + near + strings.TrimSpace(rest) + "'"
	}
	return "a field is one of connections, attempts, no_port, failure.p50, connect.p99, recovered, kernel.NAME, …"
}

// fields lists every field but the kernel's counters.
func fields() []field {
	all := []field{
		{"attempts", count, func(r *Result) (float64, bool) { return read(&r.Attempts) }},
		{"connections", count, func(r *Result) (float64, bool) { return read(r.Measured.Connections) }},
		{"rate", number, func(r *Result) (float64, bool) { return read(r.Measured.RatePerS) }},
		{"recovered", truth, func(r *Result) (float64, bool) { return read(r.Measured.Recovered) }},
		{"warnings", count, func(r *Result) (float64, bool) { return float64(len(r.Warnings)), true }},
		{"residual.connections", count, func(r *Result) (float64, bool) { return read(r.Residual.Connections) }},
		{"residual.rate", share, func(r *Result) (float64, bool) { return read(r.Residual.Rate) }},
		{"residual.reuse", share, func(r *Result) (float64, bool) { return read(r.Residual.Reuse) }},
	}
	return slices.Concat(all, outcomeFields(), measuredFields(), predictedFields(), latencyFields(), bandFields(),
		churnFields(), reuseFields(), surveyFields(), reachFields(), natFields(), sideFields(), commandFields())
}

// outcomeFields are the outcomes by their words. Without an attempt none was
// measured: "no_port==0" does not hold for a run that did nothing.
func outcomeFields() []field {
	var all []field
	for i, o := range (Outcomes{}).All() {
		all = append(all, field{o.Name, count, func(r *Result) (float64, bool) {
			return float64(r.Outcomes.All()[i].N), r.Attempts > 0
		}})
	}
	return all
}

func measuredFields() []field {
	noPort := func(r *Result) *NoPort { return r.Measured.FirstNoPort }
	return []field{
		{"measured.connections", count, func(r *Result) (float64, bool) { return read(r.Measured.Connections) }},
		{"measured.rate", number, func(r *Result) (float64, bool) { return read(r.Measured.RatePerS) }},
		{"measured.recovered", truth, func(r *Result) (float64, bool) { return read(r.Measured.Recovered) }},
		{"measured.fill", duration, func(r *Result) (float64, bool) { return read(r.Measured.FillNS) }},
		{"measured.first_no_port.t", duration, of(noPort, func(n *NoPort) *int64 { return &n.TNS })},
		{"measured.first_no_port.attempt", count, of(noPort, func(n *NoPort) *int64 { return &n.Attempt })},
	}
}

func predictedFields() []field {
	rate := func(r *Result) *RateInterval { return r.Predicted.RatePerS }
	return slices.Concat(
		bounds("predicted.connections", count, func(r *Result) *Interval { return r.Predicted.Connections }),
		bounds("predicted.reuse", duration, func(r *Result) *Interval { return r.Predicted.ReuseNS }),
		bounds("predicted.no_port", count, func(r *Result) *Interval { return r.Predicted.NoPort }),
		bounds("predicted.first_no_port", count, func(r *Result) *Interval { return r.Predicted.FirstNoPort }),
		bounds("predicted.first_no_port.t", duration, func(r *Result) *Interval { return r.Predicted.FirstNoPortNS }),
		[]field{
			{"predicted.rate.min", number, of(rate, func(i *RateInterval) *float64 { return &i.Min })},
			{"predicted.rate.max", number, of(rate, func(i *RateInterval) *float64 { return &i.Max })},
		})
}

func bounds(name string, k kind, part func(*Result) *Interval) []field {
	return []field{
		{name + ".min", k, of(part, func(i *Interval) *int64 { return &i.Min })},
		{name + ".max", k, of(part, func(i *Interval) *int64 { return &i.Max })},
	}
}

func latencyFields() []field {
	stats := []struct {
		name string
		kind kind
		get  func(*Summary) *int64
	}{
		{"count", count, func(s *Summary) *int64 { return &s.Count }},
		{"clipped", count, func(s *Summary) *int64 { return &s.Clipped }},
		{"min", duration, func(s *Summary) *int64 { return &s.MinNS }},
		{"mean", duration, func(s *Summary) *int64 { return &s.MeanNS }},
		{"p50", duration, func(s *Summary) *int64 { return &s.P50NS }},
		{"p90", duration, func(s *Summary) *int64 { return &s.P90NS }},
		{"p99", duration, func(s *Summary) *int64 { return &s.P99NS }},
		{"p999", duration, func(s *Summary) *int64 { return &s.P999NS }},
		{"max", duration, func(s *Summary) *int64 { return &s.MaxNS }},
	}
	var all []field
	for i, timed := range (Latency{}).All() {
		for _, stat := range stats {
			part := func(r *Result) *Summary { return r.Latency.All()[i].Summary }
			all = append(all, field{timed.Name + "." + stat.name, stat.kind, of(part, stat.get)})
		}
	}
	return all
}

// bandFields are "occupancy.50-60.p99" and "occupancy.full.p50".
func bandFields() []field {
	stats := []struct {
		name string
		kind kind
		get  func(*Band) *int64
	}{
		{"count", count, func(b *Band) *int64 { return &b.Count }},
		{"p50", duration, func(b *Band) *int64 { return &b.P50NS }},
		{"p99", duration, func(b *Band) *int64 { return &b.P99NS }},
		{"max", duration, func(b *Band) *int64 { return &b.MaxNS }},
	}
	var all []field
	for tenth := range 11 {
		name := fmt.Sprintf("%d-%d", 10*tenth, 10*tenth+10)
		if tenth == 10 {
			name = "full"
		}
		for _, stat := range stats {
			part := func(r *Result) *Band { return band(r, tenth) }
			all = append(all, field{"occupancy." + name + "." + stat.name, stat.kind, of(part, stat.get)})
		}
	}
	return all
}

// band returns the band that begins at so many tenths of the range, or nil if
// nothing was measured there.
func band(r *Result, tenths int) *Band {
	i := slices.IndexFunc(r.Occupancy, func(b Band) bool {
		return b.Count > 0 && math.Abs(10*b.From-float64(tenths)) < 1e-6
	})
	if i < 0 {
		return nil
	}
	return &r.Occupancy[i]
}
