package capacity

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// waiting is a simulated gateway: attempts that find no port look again every
// second, for as long as they wait or until the end of the run.
type waiting struct {
	rate  float64
	n     int64
	wait  time.Duration
	end   time.Duration // no SYN is sent after it
	ports int
	draw  func() time.Duration // for how long the next success takes its port
}

// look is one SYN.
type look struct {
	attempt int64
	at      time.Duration
}

// run returns how many attempts succeed, how many find no port, and which is the
// first of those, counted from 1; 0: none.
func (w waiting) run() (successes, noPort, first int64) {
	var all []look
	s := everySecond(w.rate)
	for k := range w.n {
		for d := time.Duration(0); d <= w.wait; d += time.Second {
			all = append(all, look{k, s.due(k) + d})
		}
	}
	slices.SortStableFunc(all, func(a, b look) int { return int(a.at - b.at) })
	back := make([]time.Duration, w.ports)
	done, last := make([]bool, w.n), make([]time.Duration, w.n)
	for _, l := range all {
		last[l.attempt] = l.at
		port := slices.IndexFunc(back, func(at time.Duration) bool { return at <= l.at })
		if l.at > w.end || done[l.attempt] || port < 0 {
			continue
		}
		back[port], done[l.attempt] = l.at+w.draw(), true
		successes++
	}
	for k, ok := range done {
		if ok || last[k] > w.end { // that was cut off
			continue
		}
		noPort++
		if first == 0 {
			first = int64(k) + 1
		}
	}
	return successes, noPort, first
}

// Whatever an attempt finds when it looks again, the course has it.
func TestCourseOfAttemptsThatWait(t *testing.T) {
	certain, lucky := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		ms := func(label string, least, most int) time.Duration {
			return time.Duration(rapid.IntRange(least, most).Draw(t, label)) * time.Millisecond
		}
		hold, reuse, duration := ms("hold", 0, 4000), ms("reuse", 0, 3000), ms("duration", 100, 12000)
		wait := time.Duration(rapid.IntRange(1, 3).Draw(t, "wait")) * time.Second
		ports, rate := rapid.IntRange(1, 20).Draw(t, "ports"), float64(rapid.IntRange(1, 60).Draw(t, "rate"))
		a := answer(int64(ports), int64(ports), 0, reuse)
		a.Wait = wait
		c := a.Course(rate, hold, duration)
		end := duration
		if rapid.Bool().Draw(t, "all attempts end") {
			end += wait
		}
		successes, noPort, first := waiting{rate, c.Attempts, wait, end, ports, func() time.Duration {
			return hold + rapid.SampledFrom([]time.Duration{0, reuse / 3, reuse}).Draw(t, "back")
		}}.run()
		if c.Successes.Distance(successes) != 0 || c.NoPort.Distance(noPort) != 0 {
			t.Fatalf("%d successes, %d without a port; predicted %v, %v", successes, noPort, c.Successes, c.NoPort)
		}
		switch f := c.FirstNoPort; {
		case f == nil && first != 0:
			t.Fatalf("attempt %d finds no port, and none was predicted to", first)
		case f != nil && f.Certain && first == 0 && f.After.Min+wait <= end, first != 0 && f.Attempt.Distance(first) != 0:
			t.Fatalf("the first without a port is %d, predicted %+v", first, f)
		case f != nil && f.Certain:
			certain++
		case f != nil:
			lucky++
		}
	})
	if certain == 0 || lucky == 0 {
		t.Errorf("%d courses with a certain first, %d without", certain, lucky)
	}
}

// Measured, with 69 to 73 attempts without a port: ten ports at 20 a second, held for 1 s, each
// back at some time within 10 s. SYNs at 0, 1 and 2 s find ports that the due time
// did not.
func TestWaitMakesTheFirstUncertain(t *testing.T) {
	a := answer(10, 10, 0, 10*time.Second)
	if c := a.Course(20, time.Second, 10*time.Second); c.FirstNoPort == nil || !c.FirstNoPort.Certain || c.NoPort.Min != 100 {
		t.Errorf("without a wait: %+v, first %+v", c, c.FirstNoPort)
	}
	a.Wait = 2 * time.Second
	c := a.Course(20, time.Second, 10*time.Second)
	if c.FirstNoPort == nil || c.FirstNoPort.Certain || c.NoPort.Distance(71) != 0 || c.NoPort.Min == 0 || c.Successes.Max != 130 {
		t.Errorf("with one: %+v, first %+v", c, c.FirstNoPort)
	}
	if c = a.Course(20, 3*time.Second, 10*time.Second); !c.FirstNoPort.Certain || c.FirstNoPort.Attempt != exact(int64(11)) {
		t.Errorf("held longer than that and than it takes to use up the ports: first %+v", c.FirstNoPort)
	}
}
