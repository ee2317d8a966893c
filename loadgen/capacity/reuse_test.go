package capacity

import (
	"strings"
	"testing"
	"time"

	"lastport/loadgen/strategy"
)

// The table of reuse by strategy, with everything that could help switched on
// and off.
func TestReuseByStrategy(t *testing.T) {
	on := Settings{TWReuse: 1, TWReuseDelay: time.Second, Timestamps: true, HZ: 250}
	none := Settings{TWReuse: 1, TWReuseDelay: time.Second, HZ: 250}
	full := Interval[time.Duration]{60 * time.Second, 62048 * time.Millisecond}
	early := Interval[time.Duration]{time.Second, 1002 * time.Millisecond}
	for _, name := range strategy.Names() {
		want, why := early, "tcp_tw_reuse gives a port back 1s after"
		switch s := traits(t, name); {
		case s.Early:
			want, why = full, "whatever tcp_tw_reuse says"
		case s.Explicit:
			want, why = Interval[time.Duration]{}, "SO_REUSEADDR can be had again at once"
		}
		q := Question{Strategy: traits(t, name), Range: set(t, "40000-40009"), Settings: on}
		if a := Predict(q); a.Reuse != want || !strings.Contains(strings.Join(a.Why, "\n"), why) {
			t.Errorf("%s: %v, want %v, because %q", name, a.Reuse, want, a.Why)
		}
		q.Settings = none
		if a := Predict(q); a.Reuse != full || !strings.Contains(strings.Join(a.Why, "\n"), "TIME_WAIT for 60 s") {
			t.Errorf("%s without timestamps: %v, want %v, because %q", name, a.Reuse, full, a.Why)
		}
		q.Proto = "udp"
		if a := Predict(q); a.Reuse != (Interval[time.Duration]{}) {
			t.Errorf("%s over UDP: %v", name, a.Reuse)
		}
		q.Proto, q.Close = "tcp", "server-fin"
		if a := Predict(q); a.Reuse != (Interval[time.Duration]{}) {
			t.Errorf("%s, the server first: %v", name, a.Reuse)
		}
	}
}

func TestReuse(t *testing.T) {
	const s, ms = time.Second, time.Millisecond
	full := Interval[time.Duration]{60 * s, 62048 * ms}
	early := func(d time.Duration) Interval[time.Duration] { return Interval[time.Duration]{d, d + 2*ms} }
	for _, c := range []struct {
		name         string
		proto, close string
		settings     Settings
		want         Interval[time.Duration]
		why          string
	}{
		{"no reuse", "tcp", "client-fin", Settings{Timestamps: true, TWReuseDelay: s, HZ: 250}, full, "at 250 Hz its timer ends up to 2.05s late"},
		{"the default close", "", "", Settings{HZ: 250}, full, "TIME_WAIT for 60 s"},
		{"loopback only, elsewhere", "tcp", "client-fin", Settings{TWReuse: 2, Timestamps: true, TWReuseDelay: s, HZ: 250}, full, "TIME_WAIT for 60 s"},
		{"loopback only, there", "tcp", "client-fin", Settings{TWReuse: 2, Timestamps: true, TWReuseDelay: s, HZ: 250, Loopback: true}, early(s), "1s after the close"},
		{"reuse", "tcp", "client-fin", Settings{TWReuse: 1, Timestamps: true, TWReuseDelay: s, HZ: 250}, early(s), "1s after the close"},
		{"reuse after 250 ms", "tcp", "client-fin", Settings{TWReuse: 1, Timestamps: true, TWReuseDelay: 250 * ms}, early(250 * ms), "250ms after the close"},
		{"reuse without timestamps", "tcp", "client-fin", Settings{TWReuse: 1, TWReuseDelay: s, HZ: 250}, full, "TIME_WAIT for 60 s"},
		{"reuse before 6.14", "tcp", "client-fin", Settings{TWReuse: 1, Timestamps: true}, Interval[time.Duration]{0, s + 2*ms}, "at most 1 s"},
		{"HZ not known", "tcp", "client-fin", Settings{}, Interval[time.Duration]{60 * s, 65120 * ms}, "HZ is not known"},
		{"client RST", "tcp", "client-rst", Settings{HZ: 250}, Interval[time.Duration]{}, ""},
		{"server FIN", "tcp", "server-fin", Settings{HZ: 250}, Interval[time.Duration]{}, ""},
		{"server RST", "tcp", "server-rst", Settings{HZ: 250}, Interval[time.Duration]{}, ""},
		{"UDP", "udp", "client-fin", Settings{HZ: 250}, Interval[time.Duration]{}, ""},
	} {
		got := Predict(Question{Proto: c.proto, Close: c.close, Settings: c.settings, Range: set(t, "40000-40009"), Strategy: byOne})
		if got.Reuse != c.want {
			t.Errorf("%s: %v, want %v", c.name, got.Reuse, c.want)
		}
		if why := strings.Join(got.Why, "\n"); !strings.Contains(why, c.why) || c.why == "" && why != "" {
			t.Errorf("%s: why %q, want %q", c.name, why, c.why)
		}
	}
}

// The levels and granularities are the table at the head of
// kernel/time/timer.c.
func TestGrain(t *testing.T) {
	for _, c := range []struct {
		hz      int
		timeout time.Duration
		want    time.Duration
	}{
		{250, 60 * time.Second, 2048 * time.Millisecond}, // measured: 60.1 to 62.0 s
		{1000, 60 * time.Second, 4096 * time.Millisecond},
		{100, 60 * time.Second, 5120 * time.Millisecond},
		{300, 60 * time.Second, 512 * time.Second / 300},
		{250, 0, 4 * time.Millisecond},
		{250, 248 * time.Millisecond, 4 * time.Millisecond}, // 62 jiffies, the last of level 0
		{250, 252 * time.Millisecond, 32 * time.Millisecond},
		{250, 2013 * time.Millisecond, 256 * time.Millisecond}, // a little above 503 jiffies, the last of level 1
		{250, 3 * time.Second, 256 * time.Millisecond},         // tcp_fin_timeout=3: measured 3.24 s
		{1000, 32_255 * time.Millisecond, 512 * time.Millisecond},
		{1000, 32_256 * time.Millisecond, 4096 * time.Millisecond},
		{1000, time.Hour, 262_144 * time.Millisecond},
		{0, 60 * time.Second, 0},
		{-1, 60 * time.Second, 0},
	} {
		if got := grain(c.timeout, c.hz); got != c.want {
			t.Errorf("a timer of %v at %d Hz: up to %v late, want %v", c.timeout, c.hz, got, c.want)
		}
	}
}
