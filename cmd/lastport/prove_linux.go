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
	err = a.allAtOnce(s, runs, host)
	judgeProof(s.set.Proof, proof, runs, s.take(runs))
	if err = a.concludeSet(s, err, &f.output); err != nil {
		return err
	}
	if a.status != exitInterrupted {
		a.status = exitOK
		if !s.set.Proof.Verdict.OK {
			a.status = exitExpectation
		}
	}
	return nil
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
		runs = append(runs, namedRun{i, side.Limit + where, cfg})
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
		r.hold, r.duration = f.hold, side.Lasts+suite.Slack(side.Lasts)
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

// judgeProof says which of the claims hold.
func judgeProof(d *result.Proof, proof suite.Proof, runs []namedRun, results []*result.Result) {
	held := 0
	for i, r := range results {
		side := &d.Sides[i]
		if r == nil {
			continue
		}
		side.Run, side.Text = runs[i].cfg.ID, r.Verdict.Text
		if side.Held = holdsClaim(proof.Sides[i], r); side.Held {
			held++
		}
	}
	d.Verdict.OK = held == len(d.Sides) && held > 0
	d.Verdict.Text = fmt.Sprintf("%d of %d claims hold", held, len(d.Sides))
}

// holdsClaim says whether a run did what its side claims.
func holdsClaim(side suite.Side, r *result.Result) bool {
	o := r.Outcomes
	ranOut := o.NoPort+o.PortBusy+o.TupleBusy > 0
	switch {
	case side.Above && side.Connections > 0: // fewer than these
		return ranOut && r.Measured.Connections != nil && *r.Measured.Connections < side.Connections
	case side.Above && side.Scenario == "churn":
		return ranOut
	case r.Run.Interrupted:
		return false
	case side.Scenario == "fill":
		return r.Verdict.OK && ranOut == (side.Limit == suite.LimitConnections)
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
