package capacity

import (
	"math"
	"math/bits"
	"time"
)

// Course is what an open loop comes to: attempts at a steady rate, each of
// which takes a port for as long as its connection is held and until the port
// has come back.
type Course struct {
	Attempts int64 // due within the duration: at 0, and every 1/rate from there

	Successes Interval[int64]
	NoPort    Interval[int64] // attempts that find no port: all the others

	// FirstNoPort is the first attempt that finds no port; nil if there is none
	// within the duration.
	FirstNoPort *FirstNoPort

	Open  Interval[int64] // connections open at the same time, at most: rate × hold
	Needs Interval[int64] // ports that the rate takes up if none is ever refused: rate × (hold + reuse), less what TIME_WAIT does not take

	// Sustained says that the ports are enough for the rate for ever, whatever
	// the kernel leaves to chance. If they are not, they may still be enough by
	// luck, unless Needs is beyond them altogether.
	Sustained bool

	Why []string // in plain sentences
}

// FirstNoPort is when ports run out.
type FirstNoPort struct {
	Attempt Interval[int64]         // counted from 1
	After   Interval[time.Duration] // the time at which that attempt is due

	// Certain is false if ports come back so close to the time at which they
	// are needed that there may be no such attempt at all.
	Certain bool
}

// Course returns the course of attempts at rate per second. Rates are as package
// pace has them, in millionths and up to a billion; without a rate or a duration
// above 0 nothing is attempted, and the course is zero.
//
// Attempts are dealt to the pools in turn, so each pool has a course of its own:
// its share of the ports, and each of its attempts as many due times after the
// last as there are pools.
//
// If success number i takes its port for T(i), it comes at the first due time
// at which i - N + 1 of N ports are back, so it never comes earlier when a T(j)
// before it is longer, nor when a port less is there. Hence all that chance can
// do, one port's timer or many that end in one bunch, lies between two courses:
// the most ports with the shortest T, and the fewest with the longest. Both can
// happen. Counted from due time to due time, an attempt that is late to take its
// port or to find one makes T longer or shorter by as much, and so does a close,
// and one that passes over a port that is back leaves it to a later one. One that
// waits for a port may take it later than it was due, or find one that was not back
// by then: it makes T longer or shorter by the wait.
func (a Answer) Course(rate float64, hold, duration time.Duration) Course {
	s := everySecond(rate)
	n := s.before(duration)
	if n == 0 {
		return Course{}
	}
	ports := a.Connections
	taken := Interval[time.Duration]{max(0, hold+a.Reuse.Min-a.Late), hold + a.Reuse.Max + 2*a.Late}
	shortest, longest := s.taken(taken.Min), s.taken(taken.Max)+a.passedOver()
	soonest, latest := s.taken(taken.Min-a.Wait), s.taken(taken.Max+a.Wait)+a.passedOver()
	open := Interval[int64]{s.before(hold - a.Late), s.before(hold + 2*a.Late)}
	c := Course{
		Attempts:  n,
		Successes: Interval[int64]{a.successes(n, ports.Min, 0, latest), a.successes(n, ports.Max, 0, soonest)},
		Open:      Interval[int64]{min(n, ports.Min, open.Min), min(n, ports.Max, open.Max)},
		Needs:     Interval[int64]{shortest, longest},
		Sustained: longest <= ports.Min,
	}
	c.waited(a, taken.Min, duration)
	few := a.overflows(n, s)
	if few {
		c.overflow(a, s, hold)
		soonest = c.Needs.Min
	}
	c.NoPort = Interval[int64]{max(0, n-c.Successes.Max-s.before(a.Wait)), n - c.Successes.Min}
	c.FirstNoPort = c.firstNoPort(ports, s, soonest)
	if few {
		c.Why = c.explainFew(a, rate)
	} else {
		c.Why = c.explain(a, rate, taken)
	}
	return c
}

// waited bounds the successes of attempts that wait for a port: they come within
// the duration and the wait after it, and one port has one in each time that it is
// taken.
func (c *Course) waited(a Answer, taken, duration time.Duration) {
	if a.Wait <= 0 {
		return
	}
	if c.Sustained { // none has to
		c.Successes.Min = c.Attempts
	}
	if taken <= 0 {
		return
	}
	each := int64((duration+a.Wait)/taken) + 1
	if a.Connections.Max <= math.MaxInt64/each {
		c.Successes.Max = min(c.Successes.Max, a.Connections.Max*each)
	}
}

// successes counts those of n attempts that find a port, if each success takes
// its port for the time of the given number of attempts, of any pool, and so many
// ports of each pool are never found. The sum is over the pools, which may differ
// by one attempt.
func (a Answer) successes(n, ports, lost, taken int64) int64 {
	pools := max(1, a.Pools)
	total := int64(0)
	for pool := range pools {
		// What is due in a time is dealt in turn too: the first pool has the most of it.
		total += inPool(dealt(n, pools, pool), max(0, dealt(ports, pools, pool)-lost), dealt(taken, pools, 0))
	}
	return total
}

// dealt returns how many of n a pool is given, if they are dealt in turn.
func dealt(n, pools, pool int64) int64 {
	if pool < n%pools {
		return n/pools + 1
	}
	return n / pools
}

// inPool counts the successes of one pool. The first cycle uses up the ports and
// then waits; every later cycle does the same, because ports come back in the
// order and the rhythm in which they were taken.
func inPool(n, ports, taken int64) int64 {
	perCycle := min(ports, taken)
	return n/taken*perCycle + min(n%taken, perCycle)
}

// firstNoPort finds the attempt that meets the ports all taken. With N ports it
// is never before N+1; and it is N+1, unless a port may be back by then. So it is
// with several pools: attempt N+1 is for the pool that attempt 1 was for, if all
// have as many. soonest is how many attempts later a port may be back, for one that
// waits.
func (c Course) firstNoPort(ports Interval[int64], s schedule, soonest int64) *FirstNoPort {
	if c.Sustained || c.NoPort.Max == 0 {
		return nil
	}
	f := FirstNoPort{
		Attempt: Interval[int64]{ports.Min + 1, c.Attempts},
		Certain: ports.Max < min(soonest, c.Attempts),
	}
	if f.Certain {
		f.Attempt.Max = ports.Max + 1
	}
	f.After = Interval[time.Duration]{s.due(f.Attempt.Min - 1), s.due(f.Attempt.Max - 1)}
	return &f
}

// Ceiling returns how many connections a closed loop can open within the
// duration at most, however fast it is and however many are under way: each
// port once, and again whenever it can be back. How many it does open is the
// machine's business; in the long run it is no more than Rate. Nil if ports set
// no bound.
func (a Answer) Ceiling(hold, duration time.Duration) *int64 {
	cycle := hold + a.Reuse.Min
	if a.MaxTimeWait != nil {
		cycle = hold
	}
	if cycle <= 0 || duration <= 0 {
		return nil
	}
	times := int64((duration-1)/cycle) + 1
	if a.Connections.Max > math.MaxInt64/times {
		return nil
	}
	ceiling := a.Connections.Max * times
	return &ceiling
}

// schedule is a rate in attempts per million seconds, so that whole numbers are
// enough. Its due times are those of pace.Constant.
type schedule uint64

const micros = 1_000_000 // millionths in one attempt per second

// everySecond returns the schedule of attempts per second, within the bounds of
// package pace: 0, for no attempt at all, to a billion.
func everySecond(rate float64) schedule {
	const most = 1e9 // pace.MaxPerSecond
	if !(rate > 0) { // so that NaN is none too
		return 0
	}
	return schedule(math.Round(min(rate, most) * micros))
}

// due returns when attempt k, counted from 0, is due, rounded down. It is asked
// for attempts of a duration alone, so the quotient is a duration.
func (s schedule) due(k int64) time.Duration {
	hi, lo := bits.Mul64(uint64(k), uint64(time.Second)*micros)
	due, _ := bits.Div64(hi, lo, uint64(s))
	return time.Duration(due)
}

// before counts the attempts that are due in the time d from an attempt on,
// itself included, and d itself not: the whole number at or above rate × d. As
// many attempts later, a port that was taken for d is back.
func (s schedule) before(d time.Duration) int64 {
	hi, lo := bits.Mul64(uint64(max(d, 0)), uint64(s))
	count, rest := bits.Div64(hi, lo, uint64(time.Second)*micros) // at most d, as the rate is at most a billion
	if rest > 0 {
		count++
	}
	return int64(count)
}

// taken is before for a port: whatever it was taken for, the attempt that took
// it had it.
func (s schedule) taken(d time.Duration) int64 { return max(1, s.before(d)) }
