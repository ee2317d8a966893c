// Package merge makes one result of the shards of a run.
//
// What adds up is added: counts, histograms, predictions of tuple spaces that
// have nothing to do with each other. Maps of ports are joined, timelines laid
// beside each other by wall clock. What does not add up is absent from the
// whole, and for each shard in its list: a percentile is never averaged.
//
// Reading files and words for people do not belong here, but for the verdict and
// the warnings, which are part of a result.
package merge

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"time"

	"lastport/reports/result"
)

// MaxShards is how many shards a run may be divided into.
const MaxShards = 10_000

// maxSpread bounds how far the starts of shards lie apart, and how long one
// takes: beyond, a clock was wrong.
const maxSpread = 366 * 24 * time.Hour

// Part is a result that is named as a shard, and where it is from.
type Part struct {
	From string
	Run  *result.Result
}

// Shards makes one result of all shards of a run, which stay as they are. The
// order of parts does not matter. Results that are not the shards of one run,
// each once, are a *RefusedError; partial leaves them out and says so in the
// result, as long as there is no doubt which run is meant. A shard whose
// numbers contradict each other, or are too large to be added up, is a *DamagedError.
func Shards(parts []Part, partial bool) (*result.Result, error) {
	parts = slices.SortedFunc(slices.Values(parts), inOrder)
	for _, p := range parts {
		if err := check(p.Run); err != nil {
			return nil, &DamagedError{p.From, err}
		}
	}
	chosen, err := choose(parts, partial)
	if err != nil {
		return nil, err
	}
	w, err := align(chosen)
	if err != nil {
		return nil, err
	}
	res, err := w.add()
	if err != nil {
		return nil, err
	}
	w.judge(res)
	if err := result.Encode(io.Discard, res); err != nil { // sums of fractions may be infinite
		return nil, w.blame(err)
	}
	return res, nil
}

// whole is the shards of one run, by index, and when each began and ended, in
// nanoseconds after the first of them began.
type whole struct {
	selection
	runs         []*result.Result
	began, ended []int64
	started      time.Time
	tally        tally
}

// align finds when the shards ran, by the clocks of their hosts.
func align(s *selection) (*whole, error) {
	w := &whole{selection: *s}
	for _, p := range s.parts {
		w.runs = append(w.runs, p.Run)
		if at := p.Run.Run.Started; w.started.IsZero() || at.Before(w.started) {
			w.started = at.UTC()
		}
	}
	for i, r := range w.runs {
		after := r.Run.Started.Sub(w.started)
		if after > maxSpread {
			return nil, &DamagedError{s.parts[i].From, fmt.Errorf("it began %v after another shard: a clock was wrong", after)}
		}
		w.began = append(w.began, int64(after))
		w.ended = append(w.ended, int64(after+lasted(r)))
	}
	return w, nil
}

// lasted is how long a run took, to the end of what it has written.
func lasted(r *result.Result) time.Duration {
	took := max(r.Run.Ended.Sub(r.Run.Started), 0) // a snapshot may have no end
	if n := len(r.Timeline); n > 0 {
		took = max(took, time.Duration(r.Timeline[n-1].TNS))
	}
	return took
}

// skew is how long after the first the last of the shards began.
func (w *whole) skew() (last int64) {
	for _, t := range w.began {
		last = max(last, t)
	}
	return last
}

// common is for how long all shards ran at one time, and longest how long that
// took which took longest.
func (w *whole) common() (common, longest int64) {
	firstEnd := w.ended[0]
	for i := range w.runs {
		firstEnd = min(firstEnd, w.ended[i])
		longest = max(longest, w.ended[i]-w.began[i])
	}
	return max(firstEnd-w.skew(), 0), longest
}

// together says whether the shards ran at one time, for nine tenths of the
// longest: what they did per second adds up then, and not otherwise.
func (w *whole) together() bool {
	common, longest := w.common()
	return float64(common) >= 0.9*float64(longest)
}

// end is when the last shard ended.
func (w *whole) end() (last int64) {
	for _, t := range w.ended {
		last = max(last, t)
	}
	return last
}

// id names the whole by its shards: merged again it has the same name.
func (w *whole) id() string {
	all := sha256.New()
	for _, r := range w.runs {
		fmt.Fprintf(all, "%d %q\n", r.Run.Shard.Index, r.Run.ID)
	}
	return hex.EncodeToString(all.Sum(nil)[:8])
}

// add puts the shards together.
func (w *whole) add() (*result.Result, error) {
	first := w.runs[0]
	res := &result.Result{
		Schema:     result.Schema,
		Tool:       first.Tool,
		Run:        w.run(),
		Merged:     w.merged(),
		Host:       w.host(),
		Config:     first.Config,
		Space:      w.space(),
		Predicted:  w.predicted(),
		Measured:   w.measured(),
		Attempts:   sum(&w.tally, "attempts", w.runs, func(r *result.Result) int64 { return r.Attempts }),
		Outcomes:   w.outcomes(),
		Timeline:   w.timeline(),
		Server:     w.server(),
		Engine:     w.engine(),
		Requests:   w.requests(),
		TimeWait:   w.timeWait(),
		Witness:    w.witness(),
		NAT:        w.nat(),
		OnHost:     w.onHost(),
		Kernel:     w.counters("kernel", func(r *result.Result) result.Counters { return r.Kernel }),
		KernelPeer: w.counters("kernel_peer", func(r *result.Result) result.Counters { return r.KernelPeer }),
		Observer:   w.observer(),
		Expect:     w.expected(),
	}
	res.Residual = w.residual(res)
	if err := w.histograms(res); err != nil {
		return nil, err
	}
	if err := w.ports(res); err != nil {
		return nil, err
	}
	if err := w.portStates(res); err != nil {
		return nil, err
	}
	if w.tally.err != nil {
		return nil, w.blame(w.tally.err)
	}
	return res, nil
}

// run is the whole as one run.
func (w *whole) run() result.Run {
	first := w.runs[0].Run
	run := result.Run{
		ID: w.id(), Scenario: first.Scenario, Repeat: first.Repeat, Seed: first.Seed,
		Started: w.started, Ended: w.started.Add(time.Duration(w.end())),
	}
	for _, r := range w.runs {
		run.Interrupted = run.Interrupted || r.Run.Interrupted
	}
	return run
}

// merged is what the shards were.
func (w *whole) merged() *result.Merged {
	m := &result.Merged{Count: w.count, Missing: w.missing, LeftOut: w.leftOut, SkewNS: w.skew(), Together: w.together()}
	for i, r := range w.runs {
		m.Shards = append(m.Shards, result.MergedShard{
			Index: r.Run.Shard.Index, ID: r.Run.ID, Seed: r.Run.Seed, StartedNS: w.began[i], TookNS: w.ended[i] - w.began[i],
			Interrupted: r.Run.Interrupted, Kernel: r.Host.Kernel, CPUs: r.Host.CPUs, Attempts: r.Attempts,
			Connections: r.Measured.Connections, FirstNoPort: r.Measured.FirstNoPort, Verdict: r.Verdict,
		})
	}
	return m
}
