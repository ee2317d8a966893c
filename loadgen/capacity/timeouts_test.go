package capacity

import (
	"strings"
	"testing"
	"time"
)

// defaults250 are the kernel's own settings at 250 Hz.
func defaults250() Timers {
	return Timers{
		HZ: 250, SYNRetries: 6, SYNLinearTimeouts: 4, Retries2: 15, FINTimeout: time.Minute,
		KeepIdle: 2 * time.Hour, KeepInterval: 75 * time.Second, KeepProbes: 9,
	}
}

// The figures in seconds are predicted bounds, and the least and the most of 20
// to 40 measured on Linux 6.18 at 250 Hz; 0 where there is none. The most is left
// out where the measuring program saw the end later than the timer's grain, for
// want of a processor.
func TestTimeouts(t *testing.T) {
	const s, ms = time.Second, time.Millisecond
	syn := func(retries, linear int, user time.Duration) Timeout {
		d := defaults250()
		d.SYNRetries, d.SYNLinearTimeouts, d.UserTimeout = retries, linear, user
		return d.SYNSent()
	}
	data := func(retries int, user time.Duration) Timeout {
		d := defaults250()
		d.Retries2, d.UserTimeout = retries, user
		return d.InFlight()
	}
	orphan := func(retries int, user, most time.Duration) Timeout {
		d := defaults250()
		d.OrphanRetries, d.UserTimeout, d.RTOMax = retries, user, most
		return d.FINWait1()
	}
	fin := func(timeout time.Duration) Timeout {
		d := defaults250()
		d.FINTimeout = timeout
		return d.FINWait2()
	}
	keep := func(idle, interval time.Duration, probes int, user time.Duration) Timeout {
		d := defaults250()
		d.KeepIdle, d.KeepInterval, d.KeepProbes, d.UserTimeout = idle, interval, probes, user
		return d.Keepalive()
	}
	shorter := defaults250()
	shorter.Retries2, shorter.RTOMax = 6, s
	distant := defaults250() // its timeout, 204 to 252 ms, is at its bound after 4 or 3 doublings
	distant.RTOMax, distant.RTT = 1700*ms, 50*ms

	for _, c := range []struct {
		name        string
		got         Timeout
		min, max    float64
		least, most float64
		why         string
	}{
		{"SYN, 1 retry", syn(1, 0, 0), 3, 3.064, 3.017, 3.047, "sent again after 1s;"},
		{"SYN, 2 retries", syn(2, 0, 0), 7, 7.32, 7.050, 7.302, "after 1s, 3s;"},
		{"SYN, 3 retries", syn(3, 0, 0), 15, 15.576, 15.253, 15.495, ""},
		{"SYN, 5 retries", syn(5, 0, 0), 63, 65.88, 63.944, 65.521, ""},
		{"SYN, 1 retry, 1 linear", syn(1, 1, 0), 4, 4.096, 4.043, 4.079, ""},
		{"SYN, 1 retry, 2 linear: time ends it", syn(1, 2, 0), 3, 3.096, 3.051, 3.083, "after 1s, 2s;"},
		{"SYN, 1 retry, 4 linear: time ends it", syn(1, 4, 0), 3, 3.096, 3.051, 3.092, ""},
		{"SYN, 2 retries, 1 linear", syn(2, 1, 0), 8, 8.352, 8.079, 8.318, ""},
		{"SYN, 2 retries, 2 linear", syn(2, 2, 0), 9, 9.384, 9.121, 9.352, ""},
		{"SYN, 2 retries, 4 linear: time ends it", syn(2, 4, 0), 7, 7.192, 7.113, 7.142, ""},
		{"SYN, 3 retries, 1 linear", syn(3, 1, 0), 16, 16.608, 16.278, 16.524, ""},
		{"SYN, 3 retries, 2 linear", syn(3, 2, 0), 17, 17.64, 17.289, 17.522, ""},
		{"SYN, 3 retries, 4 linear", syn(3, 4, 0), 19, 19.704, 19.349, 19.624, ""},
		{"SYN, 4 retries, 4 linear", syn(4, 4, 0), 35, 35.96, 35.471, 35.768, ""},
		{"SYN, the defaults", syn(6, 4, 0), 131, 136.056, 133.300, 135.100, "after 1s, 2s, 3s, 4s, 5s, 7s, 11s, 19s, 35s, 1m7s;"},
		{"SYN, very many", syn(20, 4, 0), 1811, 1844.728, 0, 0, "1m7s and so on;"},
		{"SYN, a user timeout before the first retry", syn(6, 4, 500*ms), 1, 1.068, 1.010, 1.042, "TCP_USER_TIMEOUT=500ms"},
		{"SYN, a user timeout between two", syn(6, 4, 2500*ms), 2.5, 2.536, 2.506, 2.536, "after 1s, 2s; TCP_USER_TIMEOUT=2.5s"},
		{"SYN, a longer one", syn(6, 4, 10*s), 10, 10.26, 10.010, 10.246, ""},

		{"data, 0 retries", data(0, 0), 0.612, 0.856, 0.824, 0, "200ms after the first retransmission"},
		{"data, 1 retry", data(1, 0), 1.428, 1.704, 1.660, 1.697, ""},
		{"data, 2 retries", data(2, 0), 3.06, 3.368, 3.326, 3.356, ""},
		{"data, 3 retries", data(3, 0), 6.324, 6.888, 6.417, 6.860, ""},
		{"data, 4 retries, a close call", data(4, 0), 6.4, 13.4, 6.628, 6.870, "6.2s after the first retransmission"},
		{"data, 5 retries", data(5, 0), 12.852, 13.672, 13.278, 13.501, ""},
		{"data, 6 retries", data(6, 0), 25.908, 26.984, 26.596, 26.916, ""},
		{"data, 7 retries", data(7, 0), 52.02, 55.144, 53.033, 54.886, ""},
		{"data, the default", data(15, 0), 928.692, 948.2, 0, 0, "15m24.6s after the first retransmission"},
		{"data, timeouts up to 1 s", shorter.InFlight(), 5.6, 6.848, 6.780, 6.807, "5.4s after"},
		{"data, user timeout 100 ms", data(15, 100*ms), 0.304, 0.524, 0.516, 0, "TCP_USER_TIMEOUT=100ms"},
		{"data, user timeout 1 s", data(15, s), 1.204, 1.452, 1.416, 0, ""},
		{"data, user timeout 5 s", data(15, 5*s), 5.204, 5.676, 5.421, 5.671, ""},

		{"orphan, 1 retry", orphan(1, 0, 0), 1.428, 1.704, 1.666, 0, "tcp_orphan_retries=1"},
		{"orphan, 3 retries", orphan(3, 0, 0), 6.324, 6.888, 6.443, 0, ""},
		{"orphan, 5 retries", orphan(5, 0, 0), 12.852, 13.672, 13.313, 13.539, ""},
		{"orphan, the default", orphan(0, 0, 0), 104.244, 109.416, 106.271, 108.177, "1m42.2s after the first retransmission"},
		{"orphan, timeouts up to 1 s", orphan(0, 0, s), 2.428, 2.736, 2.707, 0, ""},
		{"orphan, a distant peer", distant.FINWait1(), 3.06, 5.608, 0, 0, ""},
		{"orphan, user timeout", orphan(0, s, s), 1.204, 1.452, 1.441, 0, "TCP_USER_TIMEOUT=1s"},
		{"orphan, a longer user timeout", orphan(1, 4*s, 0), 4.204, 4.676, 4.432, 4.519, ""},

		{"FIN_WAIT_2 of 0", fin(0), 0.714, 0.748, 0.745, 0, "tcp_fin_timeout is 0s;"},
		{"FIN_WAIT_2 of 1 s", fin(s), 1, 1.032, 1.011, 0, ""},
		{"FIN_WAIT_2 of 3 s", fin(3 * s), 3, 3.256, 3.015, 3.24, ""},
		{"FIN_WAIT_2 of 10 s", fin(10 * s), 10, 10.256, 10.052, 0, ""},
		{"FIN_WAIT_2 of 30 s", fin(30 * s), 30, 32.048, 30.087, 32.003, ""},
		{"FIN_WAIT_2, the default", fin(60 * s), 60, 62.048, 60.104, 62.018, ""},
		{"FIN_WAIT_2 of 60.1 s", fin(60100 * ms), 0.814, 0.852, 0, 0, "waits twice for what is above, 100ms"},
		{"FIN_WAIT_2 of 61 s", fin(61 * s), 2, 2.064, 2.038, 0, "waits twice for what is above, 1s"},
		{"FIN_WAIT_2 of 62 s", fin(62 * s), 4, 4.064, 4.057, 0, ""},
		{"FIN_WAIT_2 of 65 s", fin(65 * s), 10, 10.512, 10.158, 10.396, ""},
		{"FIN_WAIT_2 of 75 s", fin(75 * s), 30, 30.512, 30.138, 0, ""},
		{"FIN_WAIT_2 of 90 s", fin(90 * s), 60, 64.096, 60.750, 62.736, ""},

		{"keepalive, 1 s + 1 s × 2", keep(s, s, 2, 0), 3, 3.096, 3.051, 3.085, "after 1s without a word, 2 times at a distance of 1s"},
		{"keepalive, 2 s + 1 s × 5", keep(2*s, s, 5, 0), 7, 7.192, 7.122, 7.156, ""},
		{"keepalive, 3 s + 4 s × 3", keep(3*s, 4*s, 3, 0), 15, 16.024, 15.296, 15.536, ""},
		{"keepalive, 20 s + 20 s × 3", keep(20*s, 20*s, 3, 0), 80, 88.192, 81.448, 83.476, ""},
		{"keepalive, user timeout", keep(s, s, 5, 2500*ms), 3, 3.096, 3.050, 3.087, "TCP_USER_TIMEOUT=2.5s"},
		{"keepalive, a user timeout after the probes", keep(s, s, 2, 6*s), 6, 6.192, 6.127, 6.159, ""},
		{"keepalive, a user timeout before them", keep(s, s, 2, 500*ms), 2, 2.064, 2.026, 2.057, ""},
		{"keepalive, no interval", keep(s, 0, 2, 0), 1.008, 1.048, 0, 0, ""},
		{"keepalive, the defaults", keep(2*time.Hour, 75*s, 9, 0), 7875, 8024.504, 0, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			seconds := func(v float64) time.Duration { return time.Duration(v*1000+0.5) * ms }
			want := Interval[time.Duration]{seconds(c.min), seconds(c.max)}
			if got := c.got.After; got != want {
				t.Errorf("%v, want %v", got, want)
			}
			for _, measured := range []float64{c.least, c.most} {
				if measured > 0 && want.Distance(seconds(measured)) != 0 {
					t.Errorf("%v s were measured, predicted %v", measured, want)
				}
			}
			if why := strings.Join(c.got.Why, ";"); !strings.Contains(why, c.why) {
				t.Errorf("why %q, want %q", why, c.why)
			}
		})
	}
}

func TestRTO(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		t    Timers
		want Interval[time.Duration]
	}{
		{Timers{HZ: 250}, Interval[time.Duration]{204 * ms, 204 * ms}}, // measured, by TCP_INFO
		{Timers{HZ: 1000}, Interval[time.Duration]{201 * ms, 201 * ms}},
		{Timers{}, Interval[time.Duration]{201 * ms, 210 * ms}},
		{Timers{HZ: 250, RTT: 50 * ms}, Interval[time.Duration]{204 * ms, 252 * ms}},
		{Timers{HZ: 250, RTT: 200 * ms}, Interval[time.Duration]{204 * ms, 604 * ms}},
		{Timers{HZ: 1000, RTOMin: 5 * ms}, Interval[time.Duration]{6 * ms, 6 * ms}},
	} {
		if got := c.t.rto(); got != c.want {
			t.Errorf("%+v: %v, want %v", c.t, got, c.want)
		}
	}
}

func TestRTOMaxIsRoundedUpToTicks(t *testing.T) {
	const ms = time.Millisecond
	for hz, want := range map[int]time.Duration{100: 1150 * ms, 250: 1152 * ms, 1000: 1150 * ms} {
		if got := (Timers{HZ: hz, RTOMax: 1150 * ms}).rtoMax(); got != want {
			t.Errorf("at %d Hz: %v, want %v", hz, got, want)
		}
	}
}

// tcp_retries2 and tcp_orphan_retries in ip-sysctl of the kernel's
// documentation: the default of 15 yields a hypothetical timeout of 924.6 s.
func TestModel(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		retries int
		base    time.Duration
		most    time.Duration
		want    time.Duration
	}{
		{15, rtoMin, 0, 924600 * ms},
		{8, rtoMin, 0, 102200 * ms},
		{9, rtoMin, 0, 204600 * ms},
		{10, rtoMin, 0, 324600 * ms},
		{0, rtoMin, 0, 200 * ms},
		{6, timeoutInit, 0, 127 * time.Second},
		{7, timeoutInit, 0, 247 * time.Second},
		{3, rtoMin, time.Second, 2400 * ms},
		{1, timeoutInit, 100 * ms, 1100 * ms},
	} {
		if got := (Timers{RTOMax: c.most}).model(c.retries, c.base); got != c.want {
			t.Errorf("%d retries from %v: %v, want %v", c.retries, c.base, got, c.want)
		}
	}
}

func TestHZNotKnown(t *testing.T) {
	d := defaults250()
	known := d.SYNSent().After
	d.HZ = 0
	got := d.SYNSent()
	if got.After.Min != known.Min || got.After.Max <= known.Max {
		t.Errorf("%v, known %v", got.After, known)
	}
	if why := strings.Join(got.Why, ";"); !strings.Contains(why, "the kernel's HZ is not known") {
		t.Errorf("why %q", why)
	}

	// At 100 Hz the first timer may end 640 ms late and the second after the limit;
	// at 1000 Hz the limit may end the third.
	d = Timers{KeepIdle: 16 * time.Second, KeepProbes: 1, UserTimeout: 16_002 * time.Millisecond}
	if got := d.Keepalive().After; got.Min > 16_002*time.Millisecond || got.Max < 16_650*time.Millisecond {
		t.Errorf("%v, want 16.002 to 16.65 s in it", got)
	}
}
