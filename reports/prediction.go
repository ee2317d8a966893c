package reports

import (
	"fmt"
	"strconv"

	"lastport/reports/result"
)

// forecast is one thing that was predicted, measured, or both; "" is absent.
type forecast struct {
	name, predicted, measured, residual string
	off                                 bool // the residual is not 0
}

// prediction sets predicted, measured and residual side by side.
func (p *page) prediction(r *result.Result) {
	t := table{head: []string{"", "predicted", "measured", "residual"}}
	for _, f := range forecasts(r) {
		if f.predicted == "" && f.measured == "" {
			continue
		}
		t.add(span{text: f.name}, span{text: dash(f.predicted)}, span{text: dash(f.measured)},
			span{residualTone(f.residual, f.off), dash(f.residual)})
	}
	p.heading("Predicted and measured")
	if len(t.rows) > 0 {
		p.table(t)
	}
	p.demand(r)
	list(p, r.Predicted.Why, func(why string) { p.para(span{dim, "  why: "}, why) })
}

// forecasts lists what a scenario predicts.
func forecasts(r *result.Result) []forecast {
	pr, m, res := r.Predicted, r.Measured, r.Residual
	connections := forecast{
		"connections", optional(pr.Connections, counts), optional(m.Connections, count),
		optional(res.Connections, signed), res.Connections != nil && *res.Connections != 0,
	}
	reuse := forecast{
		"reuse of a port", optional(pr.ReuseNS, reuseTime), reuseMeasured(r.Reuse),
		optional(res.Reuse, signedPercent), res.Reuse != nil && *res.Reuse != 0,
	}
	sustained := forecast{name: "sustainable rate", predicted: optional(pr.RatePerS, rates)}
	switch r.Run.Scenario {
	case "churn":
		return []forecast{
			connections,
			without("no_port", pr.NoPort, noPorts(r)),
			without("first at attempt", pr.FirstNoPort, firstAttempt(m.FirstNoPort)),
			{name: "first after", predicted: optional(pr.FirstNoPortNS, durations), measured: optional(m.FirstNoPort, noPortTime)},
			{name: "mean rate", measured: optional(m.RatePerS, rate)},
			sustained,
			reuse,
		}
	case "reuse":
		return []forecast{connections, reuse, sustained}
	case "survey", "reach":
		return []forecast{connections}
	}
	if r.Config.HoldNS > 0 { // the one is of connections that are held, the other of opening them
		return []forecast{connections, sustained, {name: "mean rate", measured: optional(m.RatePerS, rate)}, reuse}
	}
	return []forecast{
		connections,
		{
			"rate", optional(pr.RatePerS, rates), optional(m.RatePerS, rate),
			optional(res.Rate, signedPercent), res.Rate != nil && *res.Rate != 0,
		},
		reuse,
	}
}

// without is a forecast of attempts whose distance the file does not hold.
func without(name string, predicted *result.Interval, measured *int64) forecast {
	f := forecast{name: name, predicted: optional(predicted, counts), measured: optional(measured, count)}
	if predicted == nil || measured == nil {
		return f
	}
	var d int64
	switch n := *measured; {
	case n < predicted.Min:
		d = n - predicted.Min
	case n > predicted.Max:
		d = n - predicted.Max
	}
	f.residual, f.off = signed(d), d != 0
	return f
}

// noPorts is how many attempts found no port, where that was predicted or
// happened.
func noPorts(r *result.Result) *int64 {
	if n := r.Outcomes.NoPort + r.Outcomes.NATNoPort; n != 0 || r.Predicted.NoPort != nil && r.Attempts > 0 {
		return &n
	}
	return nil
}

func firstAttempt(n *result.NoPort) *int64 {
	if n == nil {
		return nil
	}
	return &n.Attempt
}

func noPortTime(n result.NoPort) string { return duration(n.TNS) }

// demand compares the rate that was asked for with the one that ports sustain.
func (p *page) demand(r *result.Result) {
	asked, words, known := askedRate(r)
	sustained := r.Predicted.RatePerS
	switch {
	case r.Run.Scenario != "churn":
	case sustained == nil && r.Predicted.ReuseNS != nil && *r.Predicted.ReuseNS == result.Interval{}:
		p.note("ports set no limit here: closed this way, a port is free again at once")
	case sustained == nil || !known || sustained.Min <= 0:
	case asked > sustained.Max:
		p.note(fmt.Sprintf("%s are %s × what the ports sustain for long: once each was used, they run out",
			words, digits3(asked/sustained.Max)))
	case asked < sustained.Min:
		p.note(fmt.Sprintf("%s are %s of what the ports sustain", words, percent(asked/sustained.Min)))
	default:
		p.note(words + " are as much as the ports may just sustain: timers decide")
	}
}

// askedRate is the rate that was asked for, per second, and its words; known is false
// where it was no number. What is merged was asked of each shard, and what ports sustain is
// that of all: so is what is compared with it.
func askedRate(r *result.Result) (asked float64, words string, known bool) {
	asked, err := strconv.ParseFloat(r.Config.Rate, 64)
	words = rate(asked) + " asked for"
	if r.Merged != nil {
		shards := len(r.Merged.Shards)
		words += " in each of " + plural(int64(shards), "shard")
		asked *= float64(shards)
	}
	return asked, words, err == nil
}

func residualTone(residual string, off bool) tone {
	switch {
	case residual == "":
		return plain
	case off:
		return bad
	}
	return good
}

// reuseTime is when a closed port can be used again.
func reuseTime(i result.Interval) string {
	if i == (result.Interval{}) {
		return "at once"
	}
	return durations(i)
}

func reuseMeasured(u *result.Reuse) string {
	if u == nil || u.Count == 0 {
		return ""
	}
	return durations(result.Interval{Min: u.MinNS, Max: u.MaxNS})
}

func rate(v float64) string { return digits3(v) + "/s" }

func rates(i result.RateInterval) string { return between(digits3(i.Min), digits3(i.Max)) + "/s" }

// optional formats what may be absent.
func optional[T any](v *T, format func(T) string) string {
	if v == nil {
		return ""
	}
	return format(*v)
}

func dash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// nonZero formats a number that is absent when it is 0.
func nonZero(n int64, format func(int64) string) string {
	if n == 0 {
		return ""
	}
	return format(n)
}
