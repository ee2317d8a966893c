package main

import (
	"fmt"
	"net/netip"
	"time"

	"lastport/loadgen"
	"lastport/loadgen/place"
	"lastport/loadgen/step"
	"lastport/loadgen/strategy"
	"lastport/loadgen/suite"
	"lastport/reports/result"
)

// provable refuses a plan that the kernel of this host cannot put to the test.
func (f *planFlags) provable() error {
	switch {
	case f.given("gateway") || f.given("fleet"):
		return usagef("leave --prove out", "--prove: there is no gateway in a private place")
	case f.given("reuse"):
		return usagef("leave --reuse out", "--prove with --reuse %v: this kernel has a reuse time of its own", f.reuse)
	case f.given("hz"):
		return usagef("leave --hz out", "--prove with --hz %d: this kernel has timers of its own", f.hz)
	}
	return nil
}

// prove solves the plan, and puts its answer to the test.
func (a *app) prove(f *planFlags) error {
	if err := f.provable(); err != nil {
		return err
	}
	plan, doc, err := f.solve(readPlanHost())
	if err != nil {
		return err
	}
	if s := plan.Wish.System; s != nil {
		return usagef("leave --prove out", "--prove with --range %s: a private place has Linux's ports and reuse time, not those of %s", f.ranges, s.Name)
	}
	host, err := place.ReadHost()
	if err != nil {
		return err
	}
	reserved, err := reservedPorts(&loadgen.Config{}, host)
	if err != nil {
		return err
	}
	proof, err := suite.NewProof(plan, reserved)
	if err != nil {
		return err
	}
	runs, err := f.sides(proof, host)
	if err != nil {
		return err
	}
	s, err := makeSetFolder(f.proving.out, "plan", "proof", len(runs))
	if err != nil {
		return err
	}
	s.set.Proof = proofDocument(proof, doc)
	a.ui.proving(proof)
	err = a.makeSides(f, s, proof, runs, host)
	if err = a.concludeSet(s, err, &f.output); err != nil || a.status == exitInterrupted {
		return err
	}
	a.status = exitOK
	switch d := s.set.Proof; {
	case d.Partly:
		return &partlyProven{d}
	case !d.Verdict.OK:
		a.status = exitExpectation
	}
	return nil
}

// mostSides is how often a side is made whose attempts began too late to show
// anything.
const mostSides = 3

// makeSides makes the runs of a proof, and those again that have shown nothing.
func (a *app) makeSides(f *planFlags, s *setFolder, proof suite.Proof, runs []namedRun, host place.Host) error {
	left := runs
	for n := 1; ; n++ {
		err := a.allAtOnce(s, left, host, "auto")
		judgeProof(s.set.Proof, proof, runs, s.take(runs))
		left = nil
		for i := range runs {
			if !s.set.Proof.Sides[i].Tested {
				left = append(left, runs[i])
			}
		}
		if err != nil || len(left) == 0 || n == mostSides || a.status == exitInterrupted {
			return err
		}
		for i, r := range left {
			cfg, err := f.side(proof, proof.Sides[r.index], host)
			if err != nil {
				return err
			}
			left[i].cfg, left[i].name = cfg, fmt.Sprintf("%s again %d", runs[r.index].name, n)
			runs[r.index].cfg = cfg
		}
		a.ui.provingAgain(len(left))
	}
}

// partlyProven is a plan of which all that was tried held, and not all was tried.
type partlyProven struct{ proof *result.Proof }

func (e *partlyProven) Error() string {
	return "the plan is proven in part: " + e.proof.Verdict.Text
}

// Hint is empty where it is the plan that cannot be tried.
func (e *partlyProven) Hint() string {
	for _, s := range e.proof.Sides {
		if !s.Tested {
			return "the same again on a quieter machine"
		}
	}
	return ""
}

// sides makes the runs of a proof.
func (f *planFlags) sides(proof suite.Proof, host place.Host) ([]namedRun, error) {
	var runs []namedRun
	for i, side := range proof.Sides {
		cfg, err := f.side(proof, side, host)
		if err != nil {
			return nil, err
		}
		where := " below"
		if side.Above {
			where = " above"
		}
		runs = append(runs, namedRun{index: i, name: side.Limit + where, cfg: cfg})
	}
	return runs, nil
}

// side is the run of one side.
func (f *planFlags) side(proof suite.Proof, side suite.Side, host place.Host) (loadgen.Config, error) {
	r := runFlags{
		ranges: proof.Ports.String(), proto: f.proto, strategy: f.strategy, windowMoves: strategy.DefaultMoves, tradeoff: strategy.DefaultTradeoff,
		timeout: 3 * time.Second, workers: 1, engine: loadgen.EngineAuto.String(), ends: loadgen.EndsAuto.String(), placeFlags: placeFlags{place: "private"}, progress: "none",
		sysctls: f.runSysctls(), output: f.output,
	}
	mode := step.ClientRST // of a fill, which is about what is open
	if side.Scenario == "churn" {
		r.hold, r.duration = proof.Hold, side.Lasts+suite.Slack(side.Lasts)
		var err error
		if mode, err = parseClose(f.close); err != nil {
			return loadgen.Config{}, err
		}
	} else {
		r.connections = side.Connections
	}
	if side.Sources > 1 {
		list := sourcesFor(listenerAddr4, side.Sources)
		r.sources = []string{fmt.Sprintf("%s-%s", list[0], list[len(list)-1])}
	}
	r.targets = []string{netip.AddrPortFrom(listenerAddr4, listenerPort(proof.Ports)).String()} // so that a fill is not widened
	cfg, err := r.config(side.Scenario, mode, host)
	if err == nil {
		cfg.Targets = targetsFrom(cfg.Targets[0], cfg.Range, side.Targets)
		cfg.Rate, cfg.Attempts = side.Rate, side.Attempts
		err = loadgen.CheckEngine(&cfg)
	}
	return cfg, err
}

// runSysctls are the settings of the plan as a run takes them. What ports there
// are is said by the ports themselves.
func (f *planFlags) runSysctls() (list []string) {
	for _, text := range f.sysctls {
		key, value, err := planSetting(text)
		if err == nil && key != keyPortRange && key != keyReservedBy {
			list = append(list, settingsPrefix+key+"="+value)
		}
	}
	return list
}

// proofDocument is a proof before its runs are made.
func proofDocument(p suite.Proof, plan *result.Plan) *result.Proof {
	d := &result.Proof{
		Plan: plan, Range: p.Ports.String(), Ports: p.Ports.Size(), Scale: p.Scale, Sides: []result.ProofSide{}, Unproven: p.Unproven,
		Verdict: result.Verdict{Text: "the runs have not come to their end"},
	}
	for _, s := range p.Sides {
		d.Sides = append(d.Sides, result.ProofSide{
			Limit: s.Limit, Above: s.Above, Claim: s.Claim, RatePerS: s.Rate, Targets: s.Targets, Sources: s.Sources, Text: "not made",
		})
	}
	return d
}

// judgeProof says which of the claims hold. The plan is proven if all do, and
// each was tried.
func judgeProof(d *result.Proof, proof suite.Proof, runs []namedRun, results []*result.Result) {
	held, tested := 0, 0
	for i, r := range results {
		side := &d.Sides[i]
		if r == nil {
			continue
		}
		side.Run, side.Text = runs[i].cfg.ID, r.Verdict.Text
		if side.Tested = showsClaim(proof.Sides[i], r); !side.Tested {
			side.Text = whyNot(proof.Sides[i], r)
			continue
		}
		tested++
		if side.Held = holdsClaim(proof.Sides[i], r); side.Held {
			held++
		}
	}
	open := len(d.Sides) - tested + len(d.Unproven)
	d.Verdict.OK = held == len(d.Sides) && held > 0 && open == 0
	d.Partly = held == tested && held > 0 && open > 0
	d.Verdict.Text = fmt.Sprintf("%d of %d claims hold", held, len(d.Sides)+len(d.Unproven))
	if open > 0 {
		d.Verdict.Text += fmt.Sprintf(", and %d could not be put to the test", open)
	}
}

// showsClaim says whether a run shows that its side's claim holds, or that it does
// not. One that was cut off, or fell behind, shows neither. That ports ran out where
// they may not is the plan's fault only if no attempt came late.
func showsClaim(side suite.Side, r *result.Result) bool {
	o := r.Outcomes
	ranOut := o.NoPort+o.PortBusy+o.TupleBusy > 0
	switch {
	case r.Run.Interrupted, o.NoFD+o.NoMemory > 0:
		return false
	case side.Scenario == "fill":
		return true
	case r.ScheduleError != nil && r.ScheduleError.P99NS > int64(side.Late),
		r.ScheduleError != nil && r.ScheduleError.MaxNS > int64(side.Late) && ranOut && !side.Above:
		return false
	}
	return r.Attempts >= side.Attempts || side.Above && ranOut
}

// whyNot says why a run shows nothing.
func whyNot(side suite.Side, r *result.Result) string {
	o, e := r.Outcomes, r.ScheduleError
	switch {
	case r.Run.Interrupted:
		return "interrupted"
	case o.NoFD+o.NoMemory > 0:
		return "the machine had no descriptors or no memory left"
	case e != nil && e.MaxNS > int64(side.Late):
		return fmt.Sprintf("attempts began up to %v late, and %v is what it allows for",
			time.Duration(e.MaxNS).Round(time.Millisecond), side.Late.Round(time.Millisecond))
	}
	return fmt.Sprintf("%d of %d attempts were made", r.Attempts, side.Attempts)
}

// holdsClaim says whether a run that shows it did what its side claims.
func holdsClaim(side suite.Side, r *result.Result) bool {
	o := r.Outcomes
	ranOut := o.NoPort+o.PortBusy+o.TupleBusy > 0
	opened := r.Measured.Connections
	switch {
	case side.Above && side.Connections > 0: // fewer than these
		return ranOut && opened != nil && *opened < side.Connections
	case side.Above && side.Scenario == "churn":
		return ranOut
	case side.Limit == suite.LimitConnections:
		return r.Verdict.OK && ranOut && opened != nil && side.Opens.Distance(*opened) == 0
	case side.Scenario == "fill":
		return r.Verdict.OK && !ranOut
	}
	return !ranOut && o.OK == side.Attempts
}

// proving says what a proof is about to do.
func (u *ui) proving(p suite.Proof) {
	lasts := ""
	if p.Lasts > 0 {
		lasts = fmt.Sprintf(", for about %v", p.Lasts.Round(time.Second))
	}
	u.line("%d runs side by side on %d ports, each in a place of its own%s", len(p.Sides), p.Ports.Size(), lasts)
}

// provingAgain says that some of the runs are made once more.
func (u *ui) provingAgain(runs int) {
	u.line("%d of them began attempts too late to show anything: once more", runs)
}
