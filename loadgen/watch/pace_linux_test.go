package watch

import (
	"fmt"
	"testing"
	"time"

	"lastport/loadgen/kernel/diag"
)

// A churn that stops a little before the last port: while it goes on none is left soon,
// and a few looks after its end it does not grow, nor is none left ever, however often
// looks are made.
func TestPaceThatHasChanged(t *testing.T) {
	for _, apart := range []time.Duration{200 * time.Millisecond, time.Second, 3 * time.Second} {
		f := newFake()
		w := New(f.host(), apart, 1)
		const looks, perLook = 10, 99 // 990 of 1,000 ports
		for i := range looks {
			f.add(diag.TimeWait, at(fmt.Sprintf("10.0.0.1:%d", 40000+perLook*i)), "10.0.0.7:80", perLook, time.Minute)
			if p := looked(t, w).Fullest(); i > 0 && (p.ExhaustedInNS == nil || *p.GrowthPerS <= 0) {
				t.Fatalf("every %v, look %d: %+v", apart, i, p)
			}
			f.pass(apart)
		}
		flat := max(4, int(5*time.Second/apart))
		for i := range flat + 3 {
			p := looked(t, w).Fullest()
			f.pass(apart)
			if i < flat {
				continue
			}
			if *p.GrowthPerS != 0 || *p.ClosedPerS != 0 || p.ExhaustedInNS != nil {
				t.Errorf("every %v, %d looks after the end: growth %v, closed %v, %v", apart, i, *p.GrowthPerS, *p.ClosedPerS, p.ExhaustedInNS)
			}
		}
	}
}

// pass lets time go by, of which no TIME_WAIT ends.
func (f *fake) pass(d time.Duration) {
	f.now = f.now.Add(d)
	for i := range f.sockets {
		f.sockets[i].Left = max(f.sockets[i].Left-d, time.Second)
	}
}

// A pair that has no port left does not grow, though it did before that look.
func TestPairThatIsFullDoesNotGrow(t *testing.T) {
	f := newFake()
	f.Range.High = 40009
	w := New(f.host(), time.Second, 1)
	f.add(diag.Established, at("10.0.0.1:40000"), "10.0.0.7:80", 4, 0)
	looked(t, w)
	f.now = f.now.Add(time.Second)
	f.add(diag.Established, at("10.0.0.1:40004"), "10.0.0.7:80", 6, 0)
	if p := looked(t, w).Fullest(); *p.GrowthPerS != 0 || p.ExhaustedInNS == nil || *p.ExhaustedInNS != 0 {
		t.Errorf("growth %v, none left in %v", *p.GrowthPerS, p.ExhaustedInNS)
	}
}

func TestSlower(t *testing.T) {
	for in, want := range map[[2]float64]float64{
		{3, 5}: 3, {5, 3}: 3, {-3, -5}: -3, {-5, -3}: -3, {3, -5}: 0, {-3, 5}: 0, {0, 5}: 0, {5, 0}: 0, {0, -5}: 0,
	} {
		if got := slower(in[0], in[1]); got != want {
			t.Errorf("%v: %v, want %v", in, got, want)
		}
	}
}
