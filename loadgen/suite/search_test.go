package suite_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"lastport/loadgen/capacity"
	"lastport/loadgen/ports"
	"lastport/loadgen/strategy"
	"lastport/loadgen/suite"
)

// simulated is a host for a search: ports that come back when their timers end,
// which is together, one grain apart, and a processor that makes so many attempts
// a second at most.
type simulated struct {
	ports  int
	taken  time.Duration // that a connection has its port, less the grain
	grain  time.Duration // 0: no timers
	phase  time.Duration
	makes  float64 // attempts per second; 0: any
	refuse float64 // the listener takes no more per second; 0: any
}

// free is when a port is back that was taken at a time.
func (h simulated) free(at time.Duration) time.Duration {
	back := at + h.taken
	if h.grain == 0 {
		return back
	}
	return (back+h.phase+h.grain-1)/h.grain*h.grain - h.phase
}

// try makes a try.
func (h simulated) try(t suite.Try) suite.Tried {
	done := suite.Tried{Try: t}
	if h.makes > 0 && t.Rate > h.makes {
		done.Limit, done.Sustained = suite.Generator, h.makes
		return done
	}
	if h.refuse > 0 && t.Rate > h.refuse {
		done.Limit, done.Sustained = suite.Listener, h.refuse
		return done
	}
	var busy []time.Duration // when ports are back, the first one first
	ok := 0
	for i := range t.Attempts {
		now := time.Duration(float64(i) / t.Rate * float64(time.Second))
		for len(busy) > 0 && busy[0] <= now {
			busy = busy[1:]
		}
		if len(busy) == h.ports {
			if done.Limit = suite.Ports; done.NoPort == 0 {
				done.NoPort = i + 1
			}
			continue
		}
		busy = append(busy, h.free(now))
		ok++
	}
	done.Sustained = float64(ok) / t.Lasts.Seconds()
	return done
}

// search makes every round of a search.
func search(t interface{ Fatalf(string, ...any) }, aim suite.Aim, h simulated) (*suite.Search, []suite.Round) {
	s := suite.NewSearch(aim)
	var rounds []suite.Round
	for {
		round, ok := s.Next()
		if !ok {
			return s, rounds
		}
		if rounds = append(rounds, round); len(rounds) > 100 {
			t.Fatalf("the search does not end: %+v", s.Found())
		}
		var tried []suite.Tried
		for _, try := range round.Tries {
			tried = append(tried, h.try(try))
		}
		s.Take(tried...)
	}
}

// predict is the arithmetic of a range of n ports.
func predict(n int, q capacity.Question) (capacity.Answer, strategy.Traits) {
	r := ports.Of(ports.Range{Low: 32768, High: uint16(32768 + n - 1)})
	run, err := strategy.New("socket-range", strategy.Space{Ranges: r})
	if err != nil {
		panic(err) // a name that there is
	}
	q.Range, q.Strategy = r, run.Traits()
	return capacity.Predict(q), q.Strategy
}

// usual are the settings of a Linux host as it comes.
func usual() capacity.Settings {
	return capacity.Settings{TWReuse: 2, TWReuseDelay: time.Second, Timestamps: true, HZ: 250}
}

func took(rounds []suite.Round) (sum time.Duration) {
	for _, r := range rounds {
		sum += r.Lasts
	}
	return sum
}

// What the arithmetic predicts is found in one round, on both sides, closely, and
// within the predicted interval.
func TestSearchFindsThePredictedRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 2000).Draw(t, "ports")
		grain := 2048 * time.Millisecond
		h := simulated{ports: n, taken: time.Minute, grain: grain, phase: time.Duration(rapid.Int64Range(0, int64(grain)-1).Draw(t, "phase"))}
		a, traits := predict(n, capacity.Question{Settings: usual()})
		s, rounds := search(t, suite.Aim{Predicted: a, Traits: traits, CPUs: 2}, h)
		f := s.Found()
		if f.Held < a.Rate.Min || f.Held > a.Rate.Max {
			t.Fatalf("%d ports: %g per second hold, %v predicted", n, f.Held, *a.Rate)
		}
		if f.Limit != suite.Ports || f.Failed > f.Held*(1+max(0.01, 2/float64(n))) {
			t.Fatalf("%d ports: %+v", n, f)
		}
		if off, ok := s.Residual(); !ok || off != 0 {
			t.Fatalf("%d ports: residual %g, %v", n, off, ok)
		}
		if took(rounds) > suite.SearchTime {
			t.Fatalf("%d ports: %v", n, took(rounds))
		}
	})
}

// Where a stranger that nobody knows of has ports, the rate is found all the same,
// and the residual says how far off the prediction was.
func TestSearchMeasures(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(100, 2000).Draw(t, "ports")
		lost := rapid.IntRange(n/10, n/2).Draw(t, "lost")
		grain := 2048 * time.Millisecond
		h := simulated{ports: n - lost, taken: time.Minute, grain: grain}
		a, traits := predict(n, capacity.Question{Settings: usual()})
		s, rounds := search(t, suite.Aim{Predicted: a, Traits: traits, CPUs: 2}, h)
		f, limit := s.Found(), float64(n-lost)/62.048
		if !(f.Held > limit*0.9 && f.Held <= limit*(1+1/float64(n-lost))+1e-6 && f.Failed > limit-1e-6 && f.Failed <= limit*1.1) {
			t.Fatalf("%d of %d ports, %g per second: %+v", n-lost, n, limit, f)
		}
		if off, ok := s.Residual(); !ok || off > -float64(lost)/float64(n)/2 {
			t.Fatalf("%d of %d ports: residual %g, %v", n-lost, n, off, ok)
		}
		if took(rounds) > suite.SearchTime {
			t.Fatalf("%v", took(rounds))
		}
	})
}

// More ports than were thought of: the rate is looked for above.
func TestSearchGoesAboveThePrediction(t *testing.T) {
	a, traits := predict(100, capacity.Question{Settings: usual()})
	s, _ := search(t, suite.Aim{Predicted: a, Traits: traits, CPUs: 2, Most: 10 * time.Minute}, simulated{ports: 150, taken: time.Minute, grain: 2048 * time.Millisecond})
	f := s.Found()
	if limit := 150 / 62.048; f.Held > limit+0.03 || f.Held < limit*0.9 || f.Failed < limit {
		t.Errorf("%g per second: %+v", limit, f)
	}
	if off, ok := s.Residual(); !ok || off < 0.3 {
		t.Errorf("residual %g, %v", off, ok)
	}
}

// Where ports set no limit the machine does: rates are doubled and bisected, and
// both sides are tried in turns.
func TestSearchFindsTheMachinesRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		makes := rapid.Float64Range(50, 300_000).Draw(t, "makes")
		a, traits := predict(500, capacity.Question{Close: "client-rst", Settings: usual()})
		s, rounds := search(t, suite.Aim{Predicted: a, Traits: traits, CPUs: 2}, simulated{ports: 500, makes: makes})
		f := s.Found()
		if f.Limit != suite.Generator || f.Held > makes || f.Failed <= makes || f.Failed > 1.06*f.Held {
			t.Fatalf("%g per second: %+v", makes, f)
		}
		last := rounds[len(rounds)-1]
		if len(last.Tries) != 4 || last.AtOnce || last.Tries[0].Rate != last.Tries[2].Rate || last.Tries[0].Rate == last.Tries[1].Rate {
			t.Fatalf("the last round is not in turns: %+v", last)
		}
		if took(rounds) > suite.SearchTime {
			t.Fatalf("%v", took(rounds))
		}
	})
}

// tcp_tw_reuse=1 gives ports back after a second: few ports are the limit, of many
// the processor is.
func TestSearchWithPortsThatAreSoonBack(t *testing.T) {
	settings := usual()
	settings.TWReuse = 1
	for _, test := range []struct {
		ports int
		makes float64
		want  suite.Limit
	}{{500, 25_000, suite.Ports}, {28232, 16_000, suite.Generator}, {28232, 40_000, suite.Ports}} {
		a, traits := predict(test.ports, capacity.Question{Settings: settings})
		s, _ := search(t, suite.Aim{Predicted: a, Traits: traits, CPUs: 2}, simulated{ports: test.ports, taken: time.Second, makes: test.makes})
		f, limit := s.Found(), min(test.makes, float64(test.ports))
		if f.Limit != test.want || f.Held < 0.93*limit || f.Held > 1.01*limit || f.Failed < limit {
			t.Errorf("%d ports, %g per second: %+v", test.ports, test.makes, f)
		}
	}
}

// A listener that is the limit is named.
func TestSearchNamesTheListener(t *testing.T) {
	a, traits := predict(500, capacity.Question{Settings: usual()})
	s, _ := search(t, suite.Aim{Predicted: a, Traits: traits, CPUs: 2}, simulated{ports: 500, taken: time.Minute, refuse: 5})
	f := s.Found()
	if _, ok := s.Residual(); f.Limit != suite.Listener || f.Held > 5 || f.Held < 4.5 || ok {
		t.Errorf("%+v", f)
	}
}

// One try that a busy machine disturbed decides nothing where others at the rate,
// or above it, held.
func TestADisturbedTryIsMadeAgain(t *testing.T) {
	a, traits := predict(500, capacity.Question{Settings: usual()})
	h := simulated{ports: 500, taken: time.Minute, grain: 2048 * time.Millisecond}
	for disturbed := range 12 {
		s := suite.NewSearch(suite.Aim{Predicted: a, Traits: traits, CPUs: 2})
		for made := 0; ; {
			round, ok := s.Next()
			if !ok {
				break
			}
			var tried []suite.Tried
			for _, try := range round.Tries {
				done := h.try(try)
				if made == disturbed && done.Limit == suite.None {
					done.Limit = suite.Ports
				}
				made++
				tried = append(tried, done)
			}
			s.Take(tried...)
		}
		if f := s.Found(); f.Held < a.Rate.Min || f.Failed > a.Rate.Max {
			t.Errorf("try %d disturbed: %+v, %v predicted", disturbed, f, *a.Rate)
		}
	}
}

// Each step is long enough: no rate above what the ports sustain gets through
// because its step was over before they ran out.
func TestStepsOutliveTheReuseDelay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 3000).Draw(t, "ports")
		q := capacity.Question{
			Settings: usual(), Hold: time.Duration(rapid.IntRange(0, 30).Draw(t, "hold")) * time.Second,
			Linger: time.Duration(rapid.IntRange(0, 300).Draw(t, "linger")) * time.Millisecond,
			Close:  rapid.SampledFrom([]string{"client-fin", "server-fin"}).Draw(t, "close"),
		}
		a, traits := predict(n, q)
		round, ok := suite.NewSearch(suite.Aim{Predicted: a, Traits: traits, Hold: q.Hold, CPUs: 2, Most: time.Hour}).Next()
		if !ok {
			t.Fatal("no round")
		}
		for _, try := range round.Tries {
			c := a.Course(try.Rate, q.Hold, try.Lasts)
			if a.Rate != nil && try.Rate > 1.02*a.Rate.Max && try.Rate > a.Rate.Max*(1+2/float64(n)) && c.NoPort.Min == 0 {
				t.Fatalf("%g per second for %v over %d ports may never run out: %+v", try.Rate, try.Lasts, n, c)
			}
			if round.AtOnce && try.Attempts < int64(n) {
				t.Fatalf("%d attempts at %g per second use not even %d ports once", try.Attempts, try.Rate, n)
			}
		}
	})
}

// Time that is too short is not exceeded: what does not fit is not tried.
func TestSearchKeepsToItsTime(t *testing.T) {
	a, traits := predict(500, capacity.Question{Settings: usual()})
	for most := 5 * time.Second; most < 10*time.Minute; most += 13 * time.Second {
		_, rounds := search(t, suite.Aim{Predicted: a, Traits: traits, CPUs: 2, Most: most}, simulated{ports: 30, taken: time.Minute})
		if got := took(rounds); got > most {
			t.Errorf("%v, and %v were given", got, most)
		}
	}
}

// A step that fell behind shows nothing, and is made again: disturb the first round
// and the answer is the same. If the second falls behind too, the generator is what
// the rate is too much for.
func TestStepsThatFellBehind(t *testing.T) {
	a, traits := predict(500, capacity.Question{Settings: usual()})
	h := simulated{ports: 500, taken: time.Minute, grain: 2048 * time.Millisecond}
	for _, test := range []struct {
		disturbed int // rounds
		want      suite.Limit
	}{{0, suite.Ports}, {1, suite.Ports}, {2, suite.Generator}} {
		s := suite.NewSearch(suite.Aim{Predicted: a, Traits: traits, CPUs: 2, Most: 20 * time.Minute})
		for n := 0; ; n++ {
			round, ok := s.Next()
			if !ok || n > 20 {
				break
			}
			var tried []suite.Tried
			for _, try := range round.Tries {
				done := h.try(try)
				if n < test.disturbed {
					done.Limit, done.NoPort = suite.Behind, 0
				}
				tried = append(tried, done)
			}
			s.Take(tried...)
			if f := s.Found(); n == 0 && test.disturbed > 0 && (f.Held > 0 || f.Failed > 0) {
				t.Errorf("%+v of steps that all fell behind", f)
			}
		}
		f := s.Found()
		if f.Limit != test.want || test.want == suite.Ports && (f.Held < a.Rate.Min || f.Failed > a.Rate.Max) {
			t.Errorf("%d rounds disturbed: %+v, want %v and %v", test.disturbed, f, test.want, *a.Rate)
		}
	}
}

// What lateness is allowed is a share of what the step is to show: of TIME_WAIT
// where ports wait, of the step where the processor decides.
func TestLateness(t *testing.T) {
	try := suite.Try{Lasts: 4 * time.Second}
	waiting, traits := predict(500, capacity.Question{Settings: usual()})
	busy, _ := predict(500, capacity.Question{Settings: usual(), Close: "client-rst"})
	for _, test := range []struct {
		a    capacity.Answer
		want time.Duration
	}{{waiting, 620480 * time.Microsecond}, {busy, 200 * time.Millisecond}} {
		if got := suite.NewSearch(suite.Aim{Predicted: test.a, Traits: traits}).Late(try); got != test.want {
			t.Errorf("%v, want %v", got, test.want)
		}
	}
}

func TestSearchVerdicts(t *testing.T) {
	a, traits := predict(500, capacity.Question{Settings: usual()})
	try := func(rate float64, limit suite.Limit) suite.Tried {
		return suite.Tried{Try: suite.Try{Rate: rate}, Limit: limit}
	}
	for _, test := range []struct {
		tried []suite.Tried
		want  string
		ok    bool
	}{
		{nil, "no rate was tried to its end", false},
		{[]suite.Tried{try(8.1, suite.None), try(8.2, suite.Ports)}, "8.1 connections per second hold, 8.2 do not: ports run out; 8.058 to 8.333 predicted", true},
		{[]suite.Tried{try(6, suite.None), try(7, suite.Ports)}, "6 connections per second hold, 7 do not: ports run out; 8.058 to 8.333 predicted: -13 %", false},
		{
			[]suite.Tried{try(8, suite.None), try(8.058278, suite.Ports)},
			"8 connections per second hold, 8.058 do not: ports run out; 8.058 to 8.333 predicted: -0.72 %", false,
		},
		{[]suite.Tried{try(8, suite.Behind)}, "no rate was put to the test: attempts began too late in every step, for want of processor time", false},
		{[]suite.Tried{try(8.1, suite.None), try(8.15, suite.Behind), try(8.2, suite.Ports)}, "8.1 connections per second hold, 8.2 do not: ports run out; 8.058 to 8.333 predicted", true},
		{[]suite.Tried{try(6, suite.Ports)}, "none of the rates held that were tried; the lowest was 6 per second, and ports run out", false},
		{[]suite.Tried{try(6, suite.None)}, "6 connections per second hold, and no limit was found up to there", false},
		{[]suite.Tried{try(6, suite.None), try(7, suite.Expectation)}, "6 connections per second hold, 7 do not: an expectation is not met; the ports alone sustain 8.058 to 8.333", true},
		{
			[]suite.Tried{try(2000, suite.None), try(3000, suite.Generator)},
			"2,000 connections per second hold, 3,000 do not: attempts begin late, for want of processor time; the ports alone sustain 8.058 to 8.333", true,
		},
	} {
		s := suite.NewSearch(suite.Aim{Predicted: a, Traits: traits, CPUs: 2})
		s.Take(test.tried...)
		if text, ok := s.Verdict(); text != test.want || ok != test.ok {
			t.Errorf("%v, %q\nwant %v, %q", ok, text, test.ok, test.want)
		}
	}
	if got := suite.Limit(math.MaxUint8).String(); got != "behind" {
		t.Errorf("a limit that there is not is %q", got)
	}
}
