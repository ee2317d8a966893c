package reports

import "lastport/reports/result"

// onHost tells what a run on the real host met there, and what it left to others.
func (p *page) onHost(h *result.OnHost) {
	if h == nil {
		return
	}
	p.heading("On the host")
	kept := plural(h.KeepFree, "port") + " for others, of " + count(h.FreeBefore) + " free before"
	if h.Bounded {
		kept += ": so the run stopped before the last port"
	}
	p.fact("kept free", kept)
	p.fact("waited", nonZero(h.WaitedNS, func(ns int64) string { return duration(ns) + " for TIME_WAIT to end (--wait-clean)" }))
	p.fact("TIME_WAIT", nonZero(h.TimeWaitBefore, func(n int64) string {
		return plural(n, "socket") + " toward the targets before the run, the last for " + duration(h.TimeWaitForNS) + " more"
	}))
	list(p, h.Holders, func(holder result.PortHolder) {
		p.fact("taken", phrases(holder.Who, plural(holder.Count, "port"), holder.Ports))
	})
	p.note("kernel counters are those of the whole host")
}
