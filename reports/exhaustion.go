package reports

import (
	"fmt"

	"lastport/reports/result"
)

// exhaustion tells when the ports ran out and when they were back.
func (p *page) exhaustion(r *result.Result) {
	m := r.Measured
	p.heading("Exhaustion")
	if n := m.FirstNoPort; n != nil {
		p.fact("no port", "first at "+duration(n.TNS)+", attempt "+count(n.Attempt))
	}
	if m.FillNS != nil {
		p.fact("filling", "the last connection was open after "+duration(*m.FillNS))
	}
	switch rec := r.Recovery; {
	case rec != nil && rec.Outcome == "ok":
		p.fact("recovery", phrases("a new connection was open "+duration(rec.AfterNS)+" after the release",
			plural(rec.Attempts, "attempt"), nonZero(rec.ConnectNS, func(ns int64) string { return "connect took " + duration(ns) })))
	case rec != nil:
		p.fact("recovery", fmt.Sprintf("none: %s after %s and %s", word(rec.Outcome), plural(rec.Attempts, "attempt"), duration(rec.AfterNS)))
	case m.Recovered != nil && *m.Recovered:
		p.fact("recovery", "ports were back after the release")
	case m.Recovered != nil:
		p.fact("recovery", "none: no port was back after the release")
	}
}
