package result

import "slices"

// surveyFields are what a survey alone measures.
func surveyFields() []field {
	part := func(r *Result) Survey {
		if r.Survey == nil {
			return Survey{}
		}
		return *r.Survey
	}
	targets := func(r *Result) *Targets { return part(r).Targets }
	trap := func(r *Result) *ReuseAddrTrap { return part(r).ReuseAddrTrap }
	return slices.Concat(
		pickFields("survey.released", func(r *Result) *Picks { return part(r).Released }),
		pickFields("survey.held", func(r *Result) *Picks { return part(r).Held }),
		[]field{
			{"survey.targets.same_step", share, of(targets, func(t *Targets) *float64 { return &t.SameStep })},
			{"survey.targets.correlation", number, of(targets, func(t *Targets) *float64 { return &t.Correlation })},
			{"survey.targets.plus_one", share, of(targets, func(t *Targets) *float64 { return &t.PlusOne })},
			{"survey.targets.plus_two", share, of(targets, func(t *Targets) *float64 { return &t.PlusTwo })},
			{"survey.targets.independent", truth, of(targets, func(t *Targets) *bool { return &t.Independent })},
			{"survey.reuse_addr_trap.udp_duplicates", count, of(trap, func(t *ReuseAddrTrap) *int64 { return t.UDPDuplicates })},
			{"survey.reuse_addr_trap.tcp_duplicates", count, of(trap, func(t *ReuseAddrTrap) *int64 { return t.TCPDuplicates })},
		})
}

// pickFields are those of one phase.
func pickFields(name string, picks func(*Result) *Picks) []field {
	guess := func(r *Result) *Guess { return sub(picks(r), func(p *Picks) *Guess { return p.Guess }) }
	repeats := func(r *Result) *Repeats { return sub(picks(r), func(p *Picks) *Repeats { return p.Repeats }) }
	uniform := func(r *Result) *ChiSquare { return sub(picks(r), func(p *Picks) *ChiSquare { return p.Uniform }) }
	parity := func(r *Result) *ChiSquare { return sub(picks(r), func(p *Picks) *ChiSquare { return p.Parity }) }
	return []field{
		{name + ".picks", count, of(picks, func(p *Picks) *int64 { return &p.Picks })},
		{name + ".distinct", count, of(picks, func(p *Picks) *int64 { return &p.Distinct })},
		{name + ".coverage", share, of(picks, func(p *Picks) *float64 { return &p.Coverage })},
		{name + ".even", count, of(picks, func(p *Picks) *int64 { return &p.Even })},
		{name + ".odd", count, of(picks, func(p *Picks) *int64 { return &p.Odd })},
		{name + ".other_parity_at", count, of(picks, func(p *Picks) *int64 { return p.OtherParityAt })},
		{name + ".longest_parity", count, of(picks, func(p *Picks) *int64 { return &p.LongestParity })},
		{name + ".parity.p", share, of(parity, func(c *ChiSquare) *float64 { return &c.P })},
		{name + ".uniform.p", share, of(uniform, func(c *ChiSquare) *float64 { return &c.P })},
		{name + ".median_step", count, of(picks, func(p *Picks) *int64 { return &p.MedianStep })},
		{name + ".runs_of_one.longest", count, of(picks, func(p *Picks) *int64 { return &p.RunsOfOne.Longest })},
		{name + ".runs_of_two.longest", count, of(picks, func(p *Picks) *int64 { return &p.RunsOfTwo.Longest })},
		{name + ".guess.plus_one", share, of(guess, func(g *Guess) *float64 { return &g.PlusOne })},
		{name + ".guess.plus_two", share, of(guess, func(g *Guess) *float64 { return &g.PlusTwo })},
		{name + ".guess.last_step", share, of(guess, func(g *Guess) *float64 { return &g.LastStep })},
		{name + ".guess.best", share, of(guess, func(g *Guess) *float64 { return &g.Best })},
		{name + ".repeats.count", count, of(repeats, func(v *Repeats) *int64 { return &v.Count })},
		{name + ".repeats.first", count, of(repeats, func(v *Repeats) *int64 { return v.First })},
	}
}

// sub reads a part of a part; either may be absent.
func sub[T, P any](whole *T, get func(*T) *P) *P {
	if whole == nil {
		return nil
	}
	return get(whole)
}
