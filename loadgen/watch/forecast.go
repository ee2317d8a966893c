package watch

import "time"

// timeWait is how long a port stays in TIME_WAIT, less the grain of the kernel's
// timer: TCP_TIMEWAIT_LEN of include/net/tcp.h.
const timeWait = 60 * time.Second

// waits counts the ports in TIME_WAIT by the whole seconds that are left to them,
// rounded up: at 0 are those that are over but for the grain of the kernel's timer.
// The nil waits has none.
type waits [timeWait/time.Second + 2]int32

func (w *waits) add(left time.Duration) {
	i := (left + time.Second - 1) / time.Second
	w[min(max(i, 0), time.Duration(len(w)-1))]++
}

// overdue are those that are over.
func (w *waits) overdue() int64 { return int64(w[0]) }

// within is how many are over in so many seconds; inside of a second they are
// taken to end evenly.
func (w *waits) within(seconds float64) (n float64) {
	if w == nil {
		return 0
	}
	n = float64(w[0])
	for i, c := range w[1:] {
		part := min(max(seconds-float64(i), 0), 1)
		if part == 0 {
			break
		}
		n += part * float64(c)
	}
	return n
}

// horizon is how far a forecast looks.
const horizon = 24 * time.Hour

// forecast is what happens to the ports of a pair if it goes on like this.
type forecast struct {
	usable, open, waiting float64 // ports
	growth                float64 // ports a second by which open connections become more
	closed                float64 // ports a second that go into TIME_WAIT
	waits                 *waits  // of those that are there
}

// taken is how many ports are taken in t seconds: open connections grow as they do
// now; those that are in TIME_WAIT leave when their time is over, and those that
// will be stay for all of it.
func (f *forecast) taken(t float64) float64 {
	return f.open + f.growth*t + f.waiting - f.waits.within(t) + f.closed*min(t, timeWait.Seconds())
}

// exhausted is when no port is left; false: not within the horizon. Until the
// first TIME_WAIT of today's closings ends it looks second by second, as what
// leaves is known; from there on the line is straight.
func (f *forecast) exhausted() (time.Duration, bool) {
	last := f.taken(0)
	if last >= f.usable {
		return 0, true
	}
	seconds := len(waits{})
	for s := 1; s <= seconds; s++ {
		now := f.taken(float64(s))
		if now >= f.usable {
			return inSeconds(float64(s-1) + (f.usable-last)/(now-last)), true
		}
		last = now
	}
	if f.growth <= 0 {
		return 0, false
	}
	after := float64(seconds) + (f.usable-last)/f.growth
	if after > horizon.Seconds() {
		return 0, false
	}
	return inSeconds(after), true
}

func inSeconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
