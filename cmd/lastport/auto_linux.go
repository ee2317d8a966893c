package main

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"time"

	"lastport/loadgen"
	"lastport/loadgen/capacity"
	"lastport/loadgen/place"
	"lastport/loadgen/step"
	"lastport/loadgen/suite"
	"lastport/reports/result"
)

// rateAuto as a rate is the highest that holds.
const rateAuto = "auto"

// checkAuto refuses what has no meaning where the rate is looked for.
func (f *churnFlags) checkAuto() error {
	switch {
	case f.place == place.OnHost.String():
		hint := "--place private, or --rate 100"
		if len(f.targets) > 0 { // which a private place may not reach
			hint = "--rate 100"
		}
		return usagef(hint, "--rate auto with --place host: a search uses ports up again and again to find where they run out, and so cannot keep any free for others on this host")
	case f.attempts != 0:
		return usagef("leave --attempts out", "--attempts %d with --rate auto: each step makes as many as its proof takes", f.attempts)
	case f.concurrency != 0:
		return usagef("--rate max --concurrency "+strconv.Itoa(f.concurrency), "--concurrency is for --rate max: at a rate, attempts are made when they are due")
	case f.repeat != 1:
		return usagef("leave --repeat out", "--repeat %d with --rate auto: a search proves its rate by steps of its own", f.repeat)
	case f.record != "on":
		return usagef("leave --record out", "--record %s with --rate auto: whether a schedule was kept has to be recorded", f.record)
	case strings.Contains(f.strategy, ",") || f.strategy == allStrategies:
		return usagef("--strategy connect", "--strategy %s with --rate auto: the rate of one strategy is looked for", f.strategy)
	case f.durationSet && f.duration < leastSearch:
		return usagef(fmt.Sprintf("--duration %v", suite.SearchTime), "--duration %v with --rate auto: that bounds the whole search, and is too short for one", f.duration)
	case f.hold > maxAutoHold:
		return usagef(fmt.Sprintf("--hold %v", maxAutoHold), "--hold %v with --rate auto: a step has to outlive it, at most %v", f.hold, maxAutoHold)
	}
	return f.output.checkSet()
}

// Bounds of a search.
const (
	leastSearch = 5 * time.Second
	maxAutoHold = time.Hour
)

// auto looks for the highest rate that holds.
func (a *app) auto(f *churnFlags) error {
	if err := f.checkAuto(); err != nil {
		return err
	}
	host, err := place.ReadHost(sysctlKeys(f.sysctls)...)
	if err != nil {
		return err
	}
	seek, err := f.seeking(host)
	if err != nil {
		return err
	}
	s, err := makeSetFolder(f.out, "churn", "rate", 0)
	if err != nil {
		return err
	}
	err = a.seek(seek, s)
	s.set.Search = seek.answer()
	if err = a.concludeSet(s, err, &f.output); err != nil || len(s.set.Runs) == 0 {
		return err
	}
	return a.judgeSearch(s.set.Search)
}

// seeking is a search under way.
type seeking struct {
	f         *churnFlags
	host      place.Host
	predicted capacity.Answer
	search    *suite.Search
	tried     []triedRun
	floors    []result.Expectation // what is asked of the rate that is found
	bounds    []string             // what is asked of every step
}

// triedRun is a step and its run.
type triedRun struct {
	suite.Tried
	run *result.Result
}

// seeking understands the flags and predicts, before anything is made.
func (f *churnFlags) seeking(host place.Host) (*seeking, error) {
	k := &seeking{f: f, host: host}
	if !f.durationSet {
		f.duration = suite.SearchTime
	}
	if err := k.expectations(); err != nil {
		return nil, err
	}
	cfg, err := k.config(suite.Try{Rate: 1, Attempts: int64(max(1, f.workers)), Lasts: f.hold + time.Minute})
	if err != nil {
		return nil, err
	}
	q, err := f.question(&cfg, host)
	if err != nil {
		return nil, err
	}
	k.predicted = capacity.Predict(q)
	if k.predicted.Usable.Size() == 0 {
		return nil, &loadgen.NoPortsError{Range: cfg.Range.String(), Why: k.predicted.Why}
	}
	if cfg.NAT != nil {
		return nil, usagef("--rate "+strconv.FormatFloat(certainRate(&cfg, k.predicted), 'g', 3, 64),
			"--rate auto with --place nat: what a gateway sustains beyond its ports by their timeout is chance, and no search settles it")
	}
	k.search = suite.NewSearch(suite.Aim{Predicted: k.predicted, Traits: q.Strategy, Hold: f.hold, Most: f.duration})
	if least := k.search.Least(); least > f.duration {
		return nil, usagef(fmt.Sprintf("--duration %v", (2*least).Round(time.Minute)+time.Minute),
			"--duration %v with --rate auto: one step takes %v, until ports are back and used again", f.duration, least.Round(time.Second))
	}
	return k, nil
}

// certainRate is what a gateway and the clients behind it sustain for certain,
// per second, less a hundredth for the hint that has three digits of it: each of
// the gateway's ports once in the hold and the timeout of connection tracking.
func certainRate(c *loadgen.Config, clients capacity.Answer) float64 {
	// The kernel's defaults: tcp_timeouts of net/netfilter/nf_conntrack_proto_tcp.c,
	// udp_timeouts of nf_conntrack_proto_udp.c.
	state, longest := "time_wait", 2*time.Minute
	switch {
	case c.UDP:
		state = "udp_stream"
	case c.Close.RST():
		state, longest = "close", 10*time.Second
	}
	if t, ok := c.NAT.Timeouts[state]; ok {
		longest = t
	}
	ports := c.NAT.Range.Size() * len(c.NAT.Addresses) * len(c.Targets)
	rate := float64(ports) / (longest + c.Hold).Seconds()
	if clients.Rate != nil {
		rate = min(rate, clients.Rate.Min)
	}
	return rate * 99 / 100
}

// expectations reads --expect. A field that is to be large is asked of the rate
// that is found; all else bounds what a step may come to.
func (k *seeking) expectations() error {
	for _, text := range k.f.expect {
		e, err := result.ParseExpect(text)
		switch {
		case err != nil:
			return err
		case e.AtLeast():
			k.floors = append(k.floors, e)
		default:
			k.bounds = append(k.bounds, text)
		}
	}
	return nil
}

// question is what a run of the configuration would be asked, as far as that is
// known before there is a place.
func (f *runFlags) question(c *loadgen.Config, host place.Host) (capacity.Question, error) {
	about, err := f.suiteHost(host)
	if err != nil {
		return capacity.Question{}, err
	}
	if about.Reserved, err = reservedPorts(c, host); err != nil {
		return capacity.Question{}, err
	}
	traits, err := c.Traits()
	if err != nil {
		return capacity.Question{}, err
	}
	about.Settings.Loopback = c.Targets[0].Addr().IsLoopback()
	q := capacity.Question{
		Strategy: traits, Range: c.Ports(), Reserved: about.Reserved, Held: c.Held,
		Sources: max(1, len(c.Sources)), Targets: len(c.Targets), Hold: c.Hold, Linger: c.Linger,
		Close: c.Close.String(), Settings: about.Settings,
	}
	if c.UDP {
		q.Proto = "udp"
	}
	return q, nil
}

// config is the run of one step.
func (k *seeking) config(t suite.Try) (loadgen.Config, error) {
	one := *k.f
	one.rate, one.attempts = strconv.FormatFloat(t.Rate, 'f', -1, 64), t.Attempts
	one.duration = t.Lasts + suite.Slack(t.Lasts)
	one.expect = k.bounds
	if !one.workersGiven {
		one.workers = one.goodWorkers(runtime.NumCPU())
	}
	cfg, err := one.config("churn", step.ClientFIN, k.host)
	if err == nil {
		err = one.churnConfig(&cfg)
	}
	if err == nil {
		err = loadgen.CheckEngine(&cfg)
	}
	return cfg, err
}

// seek makes rounds until the search is over, or interrupted.
func (a *app) seek(k *seeking, s *setFolder) error {
	for a.status != exitInterrupted {
		round, ok := k.search.Next()
		if !ok {
			break
		}
		runs, err := k.runs(round, s)
		if err != nil {
			return err
		}
		err = a.makeRound(round, runs, s, k)
		k.take(round, s.take(runs))
		if err != nil {
			return err
		}
		if a.status != exitInterrupted {
			a.status = exitOK // that steps do not hold is what they are for
		}
		s.answer(k.answer())
	}
	return nil
}

// makeRound makes the runs of a round.
func (a *app) makeRound(round suite.Round, runs []namedRun, s *setFolder, k *seeking) error {
	if round.AtOnce {
		a.ui.round(round)
		return a.allAtOnce(s, runs, k.host, k.f.progress)
	}
	for i := range runs {
		if a.status == exitInterrupted {
			break
		}
		a.ui.step(runs[i].index+1, round.Tries[i].Rate)
		if err := a.allAtOnce(s, runs[i:i+1], k.host, k.f.progress); err != nil {
			return err
		}
	}
	return nil
}

// runs makes room for a round in the set.
func (k *seeking) runs(round suite.Round, s *setFolder) ([]namedRun, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var runs []namedRun
	for _, t := range round.Tries {
		cfg, err := k.config(t)
		if err != nil {
			return nil, err
		}
		runs = append(runs, namedRun{index: len(s.runs), name: cfgRate(&cfg) + "/s", cfg: cfg})
		s.runs = append(s.runs, nil)
	}
	s.set.Planned, s.set.Interrupted = len(s.runs), true
	return runs, nil
}

func cfgRate(c *loadgen.Config) string { return strconv.FormatFloat(c.Rate, 'f', -1, 64) }

// take returns what there is of runs.
func (s *setFolder) take(runs []namedRun) []*result.Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []*result.Result
	for _, r := range runs {
		list = append(list, s.runs[r.index])
	}
	return list
}

// answer keeps what the search has come to so far.
func (s *setFolder) answer(found *result.RateSearch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set.Search = found
}

// take tells the search what came of a round. A step that was cut off has proven
// nothing but that ports ran out, if they did.
func (k *seeking) take(round suite.Round, runs []*result.Result) {
	var told []suite.Tried
	for i, r := range runs {
		if r == nil {
			continue
		}
		t := suite.Tried{Try: round.Tries[i], Limit: limitOf(r, k.step(round.Tries[i]))}
		if r.Run.Interrupted && r.Outcomes.NoPort == 0 {
			continue
		}
		t.Sustained = float64(r.Outcomes.OK) / t.Lasts.Seconds()
		if first := r.Measured.FirstNoPort; first != nil {
			t.NoPort = first.Attempt
		}
		told = append(told, t)
		k.tried = append(k.tried, triedRun{t, r})
	}
	k.search.Take(told...)
}

// round says what is about to be tried.
func (u *ui) round(r suite.Round) {
	if len(r.Tries) == 1 {
		u.line("round %d: %s per second, for about %v", r.Tries[0].Round, suite.Rate(r.Tries[0].Rate), r.Lasts.Round(time.Second))
		return
	}
	first, last := r.Tries[0].Rate, r.Tries[0].Rate
	for _, t := range r.Tries {
		first, last = min(first, t.Rate), max(last, t.Rate)
	}
	u.line("round %d: %d steps from %s to %s per second side by side, each in a place of its own, for about %v", r.Tries[0].Round,
		len(r.Tries), suite.Rate(first), suite.Rate(last), r.Lasts.Round(time.Second))
}

// step says which rate is tried next, of those that are tried in turn.
func (u *ui) step(n int, rate float64) { u.line("step %d: %s per second", n, suite.Rate(rate)) }
