package capacity

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"lastport/reports/figures"
)

// binds says what the limit is.
func (w Wish) binds(a Answer) string {
	taken := Interval[time.Duration]{round(w.Hold + a.Reuse.Min), round(w.Hold + a.Reuse.Max)}
	rest := a.Reuse.Max
	free := a.MaxTimeWait != nil && w.safe(a) > sustains(float64(a.Connections.Min)*(1-w.Headroom), math.Inf(1), w.Hold, rest)
	switch {
	case !w.flows() && w.Open > 0:
		return w.what() + " bind first: each connection that stays open keeps one"
	case w.safe(a) == math.Inf(1) && a.Unstated:
		return "it is not known what binds first: without a hold or a reuse time, ports bind no rate"
	case free && w.Hold == 0:
		return fmt.Sprintf("ports bind no rate: at most %s are in TIME_WAIT (tcp_max_tw_buckets), and every other is free again at once", figures.Grouped(*a.MaxTimeWait))
	case free:
		return fmt.Sprintf("the hold binds first: all ports but the %s that may be in TIME_WAIT (tcp_max_tw_buckets) serve one connection in %v",
			figures.Grouped(*a.MaxTimeWait), w.Hold)
	case w.safe(a) == math.Inf(1):
		return "ports bind no rate: a closed one is free again at once, so the machine or the network is the limit"
	case w.Hold == 0:
		return fmt.Sprintf("closed ports bind first: each connection takes one out of use for %s after it", taken)
	case rest > w.Hold:
		return fmt.Sprintf("closed ports bind first: a port serves one connection in %s, and %.0f %% of that it is closed and not yet free",
			taken, 100*rest.Seconds()/taken.Max.Seconds())
	}
	return fmt.Sprintf("the hold binds first: a port serves one connection in %s, and %.0f %% of that the connection is open",
		taken, 100*w.Hold.Seconds()/taken.Max.Seconds())
}

// what is it that is counted: ports, or what a gateway allows of them.
func (w Wish) what() string {
	if s := w.System; s != nil && s.PerTarget > 0 {
		if s.PerMachine {
			return fmt.Sprintf("the %s connections that %s allows per machine and target", figures.Grouped(s.PerTarget), s.Name)
		}
		return fmt.Sprintf("the %s connections that %s allows per address and target", figures.Grouped(s.PerTarget), s.Name)
	}
	return "the ports"
}

// wishError is a wish that cannot be. It is wrong usage.
type wishError struct{ text, hint string }

func (e *wishError) Error() string { return e.text }
func (e *wishError) Hint() string  { return e.hint }
func (e *wishError) Usage() bool   { return true }

func (w Wish) contradiction() error {
	open := w.Rate * w.Hold.Seconds()
	return &wishError{
		text: fmt.Sprintf("rate, hold and concurrency contradict each other: %s per second held for %v are %s open at a time, not %d",
			plain(w.Rate), w.Hold, plain(math.Ceil(open)), w.Open),
		hint: fmt.Sprintf("--concurrency %s, or leave one of the three out", plain(math.Ceil(open))),
	}
}

func (w Wish) tooFast() error {
	return &wishError{
		text: fmt.Sprintf("%d connections open at a time for %v each are %s per second: at most %s", w.Open, w.Hold, plain(w.Rate), plain(MaxRate)),
		hint: fmt.Sprintf("--hold %v", time.Duration(math.Ceil(float64(w.Open)/MaxRate*float64(time.Second)))),
	}
}

func (w Wish) tooLong() error {
	return &wishError{
		text: fmt.Sprintf("%d connections open at a time at %s per second are held longer than %v", w.Open, plain(w.Rate), MaxHold),
		hint: fmt.Sprintf("leave the rate out: --concurrency %d", w.Open),
	}
}

func (w Wish) noPorts(a Answer) error {
	why := "it is empty"
	if len(a.Why) > 0 {
		why = a.Why[0]
	}
	return &wishError{text: fmt.Sprintf("range %s: no port of it can be counted on: %s", w.Range, why), hint: "--range linux"}
}

// tooMuch names the most that there can be: every address, with these ports.
func (w Wish) tooMuch() error {
	one := w.each()
	each := float64(one.Connections.Min) * (1 - w.Headroom)
	if w.Burst.Rate > 0 {
		return w.tooMuchAtOnce(one, each)
	}
	if w.Rate == 0 {
		return &wishError{
			text: fmt.Sprintf("%d connections at a time: no range can hold them: %s for one source and target are %d", w.Open, w.what(), one.Connections.Min),
			hint: fmt.Sprintf("--concurrency %s", plain(math.Floor(each*MaxAddresses))),
		}
	}
	return &wishError{
		text: fmt.Sprintf("%s per second: no range can hold that: each connection takes a port for %v, and one source and target have %d",
			plain(w.Rate), round(w.Hold+one.Reuse.Max), one.Connections.Min),
		hint: "--rate " + atMost(w.safe(one)*MaxAddresses),
	}
}

// tooMuchAtOnce is tooMuch of a burst.
func (w Wish) tooMuchAtOnce(one Answer, each float64) error {
	taken := min(w.Burst.Time, w.Hold+one.Reuse.Max)
	return &wishError{
		text: fmt.Sprintf("a burst of %s per second for %v: no range can hold that: one source and target have %d ports",
			plain(w.Burst.Rate), w.Burst.Time, one.Connections.Min),
		hint: fmt.Sprintf("--burst %s/s:%v", atMost(each*MaxAddresses/max(taken.Seconds(), 1e-9)), w.Burst.Time),
	}
}

// atMost writes a rate rounded down.
func atMost(v float64) string {
	if v < 1 {
		return strconv.FormatFloat(0.99*v, 'g', 2, 64)
	}
	return plain(math.Floor(v))
}

// plain writes a number as a flag takes it.
func plain(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
