package scenario_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"lastport/loadgen/outcome"
	"lastport/loadgen/pace"
	"lastport/loadgen/scenario"
	"lastport/loadgen/scenario/fakekernel"
)

// nth is the fate number n, counted from 1; those beyond the list go well.
func nth(list []fakekernel.Fate, n int64) (f fakekernel.Fate) {
	if n <= int64(len(list)) {
		f = list[n-1]
	}
	return f
}

// Whatever fails, and when: every attempt has one outcome, what was opened is
// closed, nothing is left under way, and the end comes on time.
func TestAnyChurn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fate, requests := fates().Draw(t, "fates"), fates().Draw(t, "requests' fates")
		config := fakekernel.Config{
			Ports: rapid.IntRange(1, 200).Draw(t, "ports"), Timeout: timeout,
			Close:     rapid.SampledFrom(closeModes).Draw(t, "close"),
			Reuse:     rapid.SampledFrom([]time.Duration{0, 100 * ms, time.Minute}).Draw(t, "reuse"),
			PeerClose: rapid.SampledFrom([]time.Duration{0, ms, time.Hour}).Draw(t, "peer"),
			Fate:      func(n, _ int64) fakekernel.Fate { return nth(fate, n) },
			Request:   func(n int64) fakekernel.Fate { return nth(requests, n) },
		}
		config.Stall.At = 300 * ms
		config.Stall.For = rapid.SampledFrom([]time.Duration{0, 100 * ms, 3 * time.Second}).Draw(t, "stall")
		c := scenario.Churn{
			Every:       rapid.Int64Range(1, 3).Draw(t, "workers"),
			Concurrency: rapid.IntRange(1, 50).Draw(t, "concurrency"),
			Attempts:    rapid.SampledFrom([]int64{0, 0, 1, 100}).Draw(t, "attempts"),
			Requests:    rapid.IntRange(0, 3).Draw(t, "requests"),
			Hold:        rapid.SampledFrom([]time.Duration{0, ms, 200 * ms, time.Hour}).Draw(t, "hold"),
			From:        int64(ms), Deadline: int64(time.Second),
		}
		rate := rapid.SampledFrom([]float64{0, 10, 1000}).Draw(t, "rate")
		if rate == 0 && rapid.Bool().Draw(t, "whole") {
			c.Whole, c.Requests, c.Hold = true, 0, 0
		}
		if rate > 0 {
			pacer, err := pace.NewConstant(rate)
			if err != nil {
				t.Fatal(err)
			}
			c.Pacer = pacer
		}
		k, h := churned(t, config, c)
		if most := c.Attempts * c.Every; most > 0 && k.Attempts() > most {
			t.Fatalf("%d attempts, asked for %d", k.Attempts(), most)
		}
		for _, o := range h.opens {
			if o.Due > o.Start || rate > 0 && o.Due >= c.Deadline {
				t.Fatalf("due at %v, begun at %v", time.Duration(o.Due), time.Duration(o.Start))
			}
		}
		failed := int64(0)
		for _, r := range h.requests {
			if r.Outcome != outcome.OK {
				failed++
			}
		}
		if c.Whole {
			if len(h.closes)+len(h.requests) != 0 || k.Open() != 0 {
				t.Fatalf("%d closes, %d requests, %d open: a whole connection has none", len(h.closes), len(h.requests), k.Open())
			}
		} else if int64(len(h.closes))+failed != k.Opened() {
			t.Fatalf("%d closes and %d failed requests of %d connections", len(h.closes), failed, k.Opened())
		}
		if end := time.Second + 300*ms + config.Stall.For; k.Now() > int64(end) {
			t.Fatalf("ended at %v", time.Duration(k.Now()))
		}
	})
}
