package loadgen

import (
	"fmt"
	"math"
	"time"

	"lastport/loadgen/capacity"
	"lastport/loadgen/pace"
	"lastport/loadgen/scenario"
	"lastport/reports/figures"
	"lastport/reports/result"
)

// startIn is the time, in nanoseconds, from the last preparation to the first
// due attempt: enough for every worker to be there.
const startIn = int64(10 * time.Millisecond)

// churn opens and closes connections, at a rate or as fast as it can, for the
// run's duration.
func (r *run) churn() error {
	from := r.clock.Now()
	if r.cfg.Rate > 0 {
		from += startIn // as fast as it goes no attempt is due at any time
	}
	works, err := r.churnWorks(from)
	if err != nil {
		return err
	}
	r.enter("churn", works[0].Deadline)
	began := r.meter()
	if err := r.works(asWorks(works)); err != nil {
		return err
	}
	used := r.meter().since(began)
	took := used.at
	if r.cfg.Rate > 0 {
		took = r.clock.Now() - from
	}
	r.catchUp(r.opened())
	client, listener, stateErr := r.sockets("attempts over")
	if err := r.peer.Drain(); err != nil {
		return err
	}
	server := r.peer.Stats()
	r.do(func() {
		r.complete = !r.stop.Load()
		r.allowForLateness()
		opened := r.counted.Opened()
		r.res.Measured.Connections = &opened
		rate := float64(opened) / time.Duration(took).Seconds()
		r.res.Measured.RatePerS = &rate
		r.res.Cost = r.cost(used, opened)
		if stateErr == nil && !r.cfg.UDP { // which has no states
			if server.States == nil && !r.far() { // what it has is seen from here
				server.States = &listener
			}
			if server.States != nil && server.States.TimeWait != nil { // a server that has gone says nothing any more
				r.res.TimeWait = &result.TimeWait{Generator: *client.TimeWait, Listener: *server.States.TimeWait, Closing: yetToClose(client)}
			}
		}
		r.res.Server = &server
	})
	return nil
}

// opened counts the connections so far.
func (r *run) opened() (n int64) {
	r.do(func() { n = r.counted.Opened() })
	return n
}

// yetToClose counts the generator's ends that come to TIME_WAIT when the other end has
// closed too; nil if there are none.
func yetToClose(client result.States) *int64 {
	n := int64(0)
	for _, in := range []*int64{client.FinWait1, client.FinWait2, client.Closing} {
		if in != nil {
			n += *in
		}
	}
	if n == 0 {
		return nil
	}
	return &n
}

// churnWorks deals the churn to the workers.
func (r *run) churnWorks(from int64) ([]*scenario.Churn, error) {
	n := len(r.engines)
	works := make([]*scenario.Churn, n)
	for i := range works {
		c := scenario.Churn{
			First: int64(i), Every: int64(n), Spread: r.spread(), Concurrency: deal(int64(r.cfg.Concurrency), i, n),
			Whole:    r.cfg.Engine == EngineURing,
			Attempts: int64(deal(r.cfg.Attempts, i, n)), Requests: r.cfg.Requests, Hold: r.cfg.Hold,
			From: from, Deadline: from + int64(r.cfg.Duration), Stop: &r.stop,
		}
		if r.cfg.Rate > 0 {
			pacer, err := pace.NewConstant(r.cfg.Rate)
			if err != nil {
				return nil, err
			}
			c.Pacer = pacer
		}
		works[i] = scenario.NewChurn(c)
	}
	return works, nil
}

// churnConnections is how many connections a churn has open or opening at once,
// at most: what the ports allow, what the rate brings while attempts are held or
// wait for their timeouts, or what was asked for.
func (r *run) churnConnections() int64 {
	most := r.clients // a gateway may have fewer ports, and what it refuses waits
	if r.cfg.Rate == 0 {
		return min(most, int64(r.cfg.Concurrency))
	}
	const burst = 64 // attempts that a late worker makes before it closes again
	during := r.cfg.Rate * (r.cfg.Hold + r.cfg.Linger + r.cfg.Timeout).Seconds()
	return min(most, int64(math.Ceil(during))+burst)
}

// due is how many attempts a churn at a rate has to make.
func (r *run) due() int64 {
	due := int64(math.Ceil(r.cfg.Rate * r.cfg.Duration.Seconds()))
	if r.cfg.Attempts > 0 {
		due = min(due, r.cfg.Attempts)
	}
	return due
}

// predictChurn says what the rate brings within the duration.
func (r *run) predictChurn(p *result.Predicted) {
	p.Connections = nil // of what is open at once nothing is predicted
	if r.cfg.Rate == 0 {
		return
	}
	course := r.answer.Course(r.cfg.Rate, r.cfg.Hold, r.courseTime())
	p.Connections = interval(course.Successes)
	p.NoPort = interval(course.NoPort)
	if f := course.FirstNoPort; f != nil && f.Certain {
		p.FirstNoPort = interval(f.Attempt)
		p.FirstNoPortNS = &result.Interval{Min: int64(f.After.Min), Max: int64(f.After.Max)}
		if r.shared { // which says nothing, so it is known when the attempt has ended
			p.FirstNoPortNS.Min += int64(r.cfg.Timeout)
			p.FirstNoPortNS.Max += int64(r.cfg.Timeout)
		}
	}
	p.Why = append(p.Why, course.Why...)
}

// allowForLateness asks for the prediction again where the generator was late
// and the first one was missed: where ports come back about as soon as they are
// needed, one late attempt delays all that follow. That it was late is told.
func (r *run) allowForLateness() {
	opened, late := r.counted.Opened(), r.counted.Latest()
	off := func(a capacity.Answer) int64 {
		return a.Course(r.cfg.Rate, r.cfg.Hold, r.courseTime()).Successes.Distance(opened)
	}
	if r.cfg.Rate == 0 || late == 0 || off(r.answer) == 0 {
		return
	}
	allowing := r.answer
	allowing.Late = time.Duration(late)
	if off(allowing) != 0 {
		return // lateness does not explain it
	}
	r.answer = allowing
	r.around.predicted(r.res, r.answer)
	r.predictChurn(&r.res.Predicted)
	r.warn(result.Warning{
		Code: "schedule_late", Hint: "a quieter machine, or a lower --rate",
		Message: fmt.Sprintf("attempts began up to %s late, and the prediction allows for that", brief(late)),
	})
}

// courseTime is how long attempts are made.
func (r *run) courseTime() time.Duration {
	if r.cfg.Attempts > 0 {
		return min(r.cfg.Duration, time.Duration(float64(r.cfg.Attempts)/r.cfg.Rate*float64(time.Second)))
	}
	return r.cfg.Duration
}

func interval(i capacity.Interval[int64]) *result.Interval {
	return &result.Interval{Min: i.Min, Max: i.Max}
}

// churnVerdict is a churn in one line.
func (r *run) churnVerdict(res *result.Result) result.Verdict {
	ok, attempts := res.Outcomes.OK, res.Attempts
	switch {
	case !r.complete:
		return bad("interrupted after %s", figures.Counted(attempts, "attempt"))
	case attempts == 0:
		return bad("no attempt was made")
	case ok == 0 && res.Measured.FirstNoPort == nil:
		return bad("none of %s connected", figures.Counted(attempts, "attempt"))
	case r.cfg.Rate > 0 && attempts < r.due():
		return bad("the generator, not the ports, was the limit: %s of %s due", figures.Counted(attempts, "attempt"), figures.Grouped(r.due()))
	case res.Residual.Connections != nil && *res.Residual.Connections != 0 && res.Kernel[twOverflow] > 0:
		return bad("%s measured, %s predicted: %s skipped TIME_WAIT at the limit of tcp_max_tw_buckets",
			connections(ok), span(*res.Predicted.Connections), figures.Grouped(res.Kernel[twOverflow]))
	case res.Residual.Connections != nil && *res.Residual.Connections != 0:
		return bad("%s measured, %s predicted: %+d", connections(ok), span(*res.Predicted.Connections), *res.Residual.Connections)
	case res.Measured.FirstNoPort != nil:
		return r.ranOut(res)
	case ok+res.Outcomes.Canceled < attempts: // canceled: the answer was still to come at the end
		return bad("%s of %s failed, but not for want of a port%s", figures.Grouped(attempts-ok-res.Outcomes.Canceled), figures.Counted(attempts, "attempt"), refusedBy(res))
	}
	return result.Verdict{OK: true, Text: "no port ran out: " + connections(ok) + ", " + perSecond(*res.Measured.RatePerS)}
}

// refusedBy says that the listener refused SYNs, if it did, and why.
func refusedBy(res *result.Result) string {
	if n := res.RefusedByTimeWait(); n > 0 {
		return ": the listener refused " + figures.Counted(n, "SYN") + " for ports that it had in TIME_WAIT, which the gateway had given away again"
	}
	return ""
}

// perSecond is a rate in words, a small one to a hundredth.
func perSecond(rate float64) string {
	if rate < 100 {
		return fmt.Sprintf("%.2f per second", rate)
	}
	return figures.Grouped(int64(math.Round(rate))) + " per second"
}

// ranOut is the verdict of a churn that found no port at times.
func (r *run) ranOut(res *result.Result) result.Verdict {
	n := res.Measured.FirstNoPort
	whose := "ports"
	if res.Outcomes.NATNoPort > 0 {
		whose = "the gateway's ports"
	}
	text := whose + " ran out at attempt " + figures.Grouped(n.Attempt) + ": " + connections(res.Outcomes.OK) + " of " + figures.Counted(res.Attempts, "attempt")
	if r.answer.Late > 0 {
		text += ", which began up to " + brief(int64(r.answer.Late)) + " late"
	}
	return result.Verdict{OK: true, Text: text}
}
