package merge

import (
	"cmp"
	"fmt"
	"maps"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"lastport/reports/result"
)

// piece is a shard's part of a histogram.
type piece struct {
	from  string
	hdr   string
	count int64
}

// joined adds histograms up. One that does not hold as many values as it is said
// to is damaged.
func joined(what string, pieces []piece) (*result.Histogram, error) {
	all := result.NewHistogram()
	for _, p := range pieces {
		h, err := result.DecodeHistogram(p.hdr)
		if err == nil && h.Count() != p.count {
			err = fmt.Errorf("it has %d values, and is said to have %d", h.Count(), p.count)
		}
		if err == nil {
			err = all.Merge(h)
		}
		if err != nil {
			return nil, &DamagedError{p.from, fmt.Errorf("%s: %w", what, err)}
		}
	}
	return all, nil
}

// histograms adds up whatever was timed, as many things at once as there are
// processors. Of several errors it is always the same one.
func (w *whole) histograms(res *result.Result) error {
	jobs := slices.Concat(w.latency(&res.Latency), w.bands(res), w.reuse(res))
	errs := make([]error, len(jobs))
	var running errgroup.Group
	running.SetLimit(runtime.GOMAXPROCS(0))
	for i, job := range jobs {
		running.Go(func() error {
			errs[i] = job()
			return nil
		})
	}
	_ = running.Wait() // the errors are in their order
	return cmp.Or(errs...)
}

// latency adds up the summaries. A shard without one had nothing to time.
func (w *whole) latency(into *result.Latency) (jobs []func() error) {
	slots := []**result.Summary{&into.Connect, &into.Response, &into.Bind, &into.Close, &into.Failure, &into.Request}
	for i, timed := range into.All() { // in the order of the file, which is that above
		var pieces []piece
		clipped := int64(0)
		for n, r := range w.runs {
			if s := r.Latency.All()[i].Summary; s != nil {
				pieces = append(pieces, piece{w.parts[n].From, s.HDR, s.Count})
				clipped = w.tally.plus("clipped", clipped, s.Clipped)
			}
		}
		if len(pieces) == 0 {
			continue
		}
		jobs = append(jobs, func() error {
			all, err := joined("latency."+timed.Name, pieces)
			if err != nil {
				return err
			}
			if *slots[i] = all.Summary(); *slots[i] != nil {
				(*slots[i]).Clipped = clipped
			}
			return nil
		})
	}
	return jobs
}

// bands adds up connect latency by occupancy, each shard's toward its own full
// range.
func (w *whole) bands(res *result.Result) (jobs []func() error) {
	type bounds struct{ from, to float64 }
	pieces := map[bounds][]piece{}
	for n, r := range w.runs {
		for _, b := range r.Occupancy {
			at := bounds{b.From, b.To}
			pieces[at] = append(pieces[at], piece{w.parts[n].From, b.HDR, b.Count})
		}
	}
	order := slices.SortedFunc(maps.Keys(pieces), func(a, b bounds) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
	if len(order) == 0 {
		return nil
	}
	res.Occupancy = make([]result.Band, len(order))
	for i, at := range order {
		jobs = append(jobs, func() error {
			all, err := joined("occupancy", pieces[at])
			if err == nil {
				res.Occupancy[i] = all.Band(at.from, at.to)
			}
			return err
		})
	}
	return jobs
}

// reuse adds up how long ports took to come back.
func (w *whole) reuse(res *result.Result) []func() error {
	all := every(w.runs, func(r *result.Result) *result.Reuse { return r.Reuse })
	if all == nil {
		return nil
	}
	add := func(what string, get func(*result.Reuse) int64) int64 {
		return sum(&w.tally, "reuse."+what, all, get)
	}
	u := &result.Reuse{
		Count:  add("count", func(u *result.Reuse) int64 { return u.Count }),
		AtOnce: add("at_once", func(u *result.Reuse) int64 { return u.AtOnce }),
		Lost:   add("lost", func(u *result.Reuse) int64 { return u.Lost }),
		Probes: add("probes", func(u *result.Reuse) int64 { return u.Probes }),
	}
	var pieces []piece
	for n, one := range all {
		u.ResolutionNS = max(u.ResolutionNS, one.ResolutionNS)
		if ns := one.PeerCloseNS; ns != nil && (u.PeerCloseNS == nil || *ns > *u.PeerCloseNS) {
			u.PeerCloseNS = ns
		}
		if one.Count == 0 {
			continue // nothing came back there, and so nothing was timed
		}
		if len(pieces) == 0 {
			u.MinNS = one.MinNS
		}
		u.MinNS, u.MaxNS = min(u.MinNS, one.MinNS), max(u.MaxNS, one.MaxNS) // exact, as the histogram is not
		pieces = append(pieces, piece{w.parts[n].From, one.HDR, one.Count})
	}
	res.Reuse = u
	if len(pieces) == 0 {
		return nil
	}
	return []func() error{func() error {
		delays, err := joined("reuse", pieces)
		if err == nil {
			u.P50NS, u.HDR = min(delays.Quantile(0.5), u.MaxNS), delays.Encode()
		}
		return err
	}}
}
