package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"lastport/reports/result"
)

// Runs collects runs while they go on, each with series of its own.
type Runs struct {
	shown func() []*result.Result

	info, started, finished, usable, predicted *prometheus.Desc
	attempts, outcomes, open, timeWait         *prometheus.Desc
	latency                                    []latencyFamily
}

// latencyFamily is one of a run's histograms.
type latencyFamily struct {
	desc *prometheus.Desc
	of   func(*result.Latency) *result.Summary
}

// NewRuns makes a collector of what runs have told last.
func NewRuns(shown func() []*result.Result) *Runs {
	return &Runs{
		shown:     shown,
		info:      family("run_info", "What the run is.", "run", "scenario", "strategy", "place"),
		started:   family("run_start_timestamp_seconds", "When the run began, in seconds since the epoch.", "run"),
		finished:  family("run_finished", "Whether the run is at its end: 1 if it is, 0 if it goes on.", "run"),
		usable:    family("run_usable_ports", "Ports that the run may take: those of its range, for each source and target.", "run"),
		predicted: family("run_predicted_connections", "Connections that arithmetic predicts, at the least.", "run"),
		attempts:  family("run_attempts_total", "Attempts to connect.", "run"),
		outcomes:  family("run_outcomes_total", "Attempts to connect by what came of them.", "run", "outcome"),
		open:      family("run_open_connections", "Connections that the run has open.", "run"),
		timeWait:  family("run_time_wait_connections", "Connections at the generator's end that are in TIME_WAIT.", "run"),
		latency: []latencyFamily{
			{family("run_connect_duration_seconds", "Service time of connects that succeeded.", "run"), func(l *result.Latency) *result.Summary { return l.Connect }},
			{family("run_response_duration_seconds", "Time from the moment that a connect was due until it succeeded.", "run"), func(l *result.Latency) *result.Summary { return l.Response }},
			{family("run_failed_connect_duration_seconds", "Service time of connects that failed.", "run"), func(l *result.Latency) *result.Summary { return l.Failure }},
		},
	}
}

// Describe sends the families.
func (c *Runs) Describe(ch chan<- *prometheus.Desc) {
	describe(ch, c.info, c.started, c.finished, c.usable, c.predicted, c.attempts, c.outcomes, c.open, c.timeWait)
	for _, l := range c.latency {
		ch <- l.desc
	}
}

// Collect sends what runs have told last.
func (c *Runs) Collect(ch chan<- prometheus.Metric) {
	for _, r := range c.shown() {
		c.run(ch, r)
	}
}

// run sends the series of a run.
func (c *Runs) run(ch chan<- prometheus.Metric, r *result.Result) {
	id := r.Run.ID
	ch <- gauge(c.info, 1, id, r.Run.Scenario, r.Config.Strategy, r.Host.Place)
	ch <- gauge(c.started, float64(r.Run.Started.UnixNano())/1e9, id)
	ch <- gauge(c.finished, truth(!r.Run.Interrupted), id)
	ch <- gauge(c.usable, float64(r.Space.Tuples), id)
	if p := r.Predicted.Connections; p != nil {
		ch <- gauge(c.predicted, float64(p.Min), id)
	}
	ch <- counter(c.attempts, float64(r.Attempts), id)
	for _, o := range r.Outcomes.All() {
		ch <- counter(c.outcomes, float64(o.N), id, o.Name)
	}
	if n := len(r.Timeline); n > 0 {
		last := r.Timeline[n-1]
		ch <- gauge(c.open, float64(last.Open), id)
		if s := last.States; s != nil && s.TimeWait != nil {
			ch <- gauge(c.timeWait, float64(*s.TimeWait), id)
		}
	}
	for _, l := range c.latency {
		if s := l.of(&r.Latency); s != nil && s.HDR != "" {
			ch <- newHistogram(l.desc, s, r.Run.Started, id)
		}
	}
}
