package reports

import (
	"fmt"

	"lastport/reports/result"
)

// response sets response time beside service time: whether they differ, and who
// made them.
func (p *page) response(r *result.Result) {
	service, response := r.Latency.Connect, r.Latency.Response
	if service == nil || response == nil {
		return
	}
	p.note("connect counts from the call (service time), response from the moment when the attempt was due; start late, " +
		"of all attempts, is what lies between the two")
	l, found := findLag(service, response)
	if !found {
		p.note("the two differ little: the schedule held")
		return
	}
	p.line()
	means, todo := l.words(r)
	p.para(span{caution, "  late: "}, means)
	p.hint(todo)
}

// lag is where response time leaves service time behind.
type lag struct {
	at                string // the percentile
	service, response int64
	least             int64 // a smaller difference is none
}

// lagFactor is how many times service time a response time must be.
const lagFactor = 2

// findLag returns the lowest percentile at which the two differ. A pause of half
// a second in a minute is beyond p99; hiccups of some milliseconds are too, on
// any machine, and are not worth a word.
func findLag(service, response *result.Summary) (lag, bool) {
	const usual, rare = 1_000_000, 50_000_000
	for _, l := range []lag{
		{"p50", service.P50NS, response.P50NS, usual},
		{"p99", service.P99NS, response.P99NS, usual},
		{"p99.9", service.P999NS, response.P999NS, rare},
		{"max", service.MaxNS, response.MaxNS, rare},
	} {
		if l.response/lagFactor >= l.service && l.response-l.service >= l.least {
			return l, true
		}
	}
	return lag{}, false
}

// words say what the difference means and where to look for its cause. Response
// time is service time and the delay of the start, so attempts began late:
// because those before them had to wait for the listener, or because the
// generator did not run.
func (l lag) words(r *result.Result) (means, todo string) {
	means = fmt.Sprintf("at %s response is %s and connect %s. Attempts began %s, and who was to "+
		"be served waited that long. A measurement from the call alone hides it (coordinated omission)",
		l.at, duration(l.response), duration(l.service), howLate(r))
	dropped := max(r.Kernel["ListenOverflows"], r.Kernel["ListenDrops"])
	switch {
	case dropped > 0:
		return means, "the listener did not accept fast enough and its queue was full (ListenOverflows, ListenDrops: " +
			count(dropped) + "): calls before these waited there. Look at the listener first"
	case r.ScheduleError == nil:
		return means, "look at the report of each shard: how late its attempts began stands there"
	case r.Latency.Connect.MaxNS >= r.ScheduleError.MaxNS/2:
		return means, "single calls took up to " + duration(r.Latency.Connect.MaxNS) + " and kept those behind them: look at the " +
			"listener and at connect p99 over time, or use more --workers"
	}
	return means, "no call took nearly as long, so it was the generator that did not run: it was stopped, or short of " +
		"processor time. Choose a lower --rate, more --workers or a quieter machine"
}

// howLate is how late attempts began at most. Of merged shards that is not known:
// it is a summary without its histogram.
func howLate(r *result.Result) string {
	if r.ScheduleError == nil {
		return "late"
	}
	return "up to " + duration(r.ScheduleError.MaxNS) + " after they were due"
}

// requests says what was sent over open connections, and what it saves to use a
// connection for several.
func (p *page) requests(r *result.Result) {
	q := r.Requests
	if q == nil {
		return
	}
	p.heading("Requests over open connections")
	p.fact("answered", count(q.Answered))
	p.fact("failed", nonZero(q.Failed, func(n int64) string { return count(n) + ": the connection ended before the answer" }))
	n, l := int64(r.Config.Requests), r.Latency
	if n < 1 || l.Connect == nil || l.Request == nil {
		return
	}
	around := float64(l.Connect.P50NS)
	if l.Close != nil {
		around += float64(l.Close.P50NS)
	}
	part := func(requests int64) string {
		return percent(around / (around + float64(requests)*float64(l.Request.P50NS)))
	}
	if n == 1 {
		p.note("connecting and closing is " + part(1) + " of the time spent in calls (p50); ten requests over each connection would make it " + part(10))
		return
	}
	p.note(fmt.Sprintf("connecting and closing is %s of the time spent in calls; with a connection for each request it would "+
		"be %s, and %s × as many ports", part(n), part(1), count(n)))
}

// timeWait says at which end TIME_WAIT gathered and what that means.
func (p *page) timeWait(r *result.Result) {
	w := r.TimeWait
	if w == nil {
		return
	}
	p.heading("TIME_WAIT at the end")
	p.fact("generator", phrases(count(w.Generator), optional(w.Closing, func(n int64) string {
		return count(n) + " more when the other end has closed"
	})))
	p.fact("listener", count(w.Listener))
	means, todo := timeWaitWords(r)
	p.note(means)
	p.hint(todo)
}
