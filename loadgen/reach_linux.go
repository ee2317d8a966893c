package loadgen

import (
	"fmt"
	"slices"
	"strings"

	"lastport/loadgen/ports"
	"lastport/loadgen/scenario"
	"lastport/loadgen/step"
	"lastport/reports/figures"
	"lastport/reports/result"
)

// reach goes through the source ports of one client toward one target, and finds
// out which of them the path lets through, in both directions.
func (r *run) reach() error {
	defer r.putCost(r.meter())
	source := r.cfg.Sources[0] // of a strategy that binds: there is one
	watch, err := r.watchHandshakes(source)
	if err != nil {
		return err
	}
	r.enter("reach", 0)
	work := scenario.NewReach(scenario.Reach{
		Ports: slices.Collect(r.tried().All()), Tries: r.cfg.Tries, Deadline: r.deadline(), Stop: &r.stop,
	})
	err = r.works([]step.Work{work})
	answered, unsure := watch.stop()
	if err == nil {
		err = r.peer.Drain()
	}
	if err != nil {
		return err
	}
	server := r.peer.Stats()
	found := byFate(work.Fates(), answered, unsure)
	listening := r.listening()
	r.do(func() {
		r.res.Server = &server
		through := int64(found.through.Size())
		r.res.Measured.Connections = &through
		r.complete = found.untried.Size() == 0
		r.res.Reach = r.reached(found, listening)
	})
	return nil
}

// checkReach refuses a reach that could find nothing.
func (r *run) checkReach() error {
	switch {
	case r.cfg.UDP:
		return &ProtocolError{
			Scenario: "reach", Proto: "udp",
			Why: "a datagram has no handshake, so that nobody could tell on which way it was dropped",
		}
	case r.tried().Size() == 0:
		return &NoPortsError{Range: r.cfg.Range.String(), Why: []string{belowUnprivileged()}}
	}
	return nil
}

// keyUnprivileged is where ports begin that any program may bind to.
const keyUnprivileged = "net.ipv4.ip_unprivileged_port_start"

// privileged are the ports that only a privileged program may use.
func privileged() ports.Ranges {
	first, _ := setting(keyUnprivileged)
	return ports.Of(ports.Range{Low: 1, High: uint16(max(1, first) - 1)})
}

// tried are the ports that an ordinary program of this host could use.
func (r *run) tried() ports.Ranges { return r.answer.Usable.Minus(privileged()) }

// blocked are the ports that the place's firewall drops, of those that are tried.
// What it drops on the way out needs no way back.
func (r *run) blocked() (out, back ports.Ranges) {
	tried := r.tried()
	out = r.cfg.Block.Intersect(tried)
	return out, r.cfg.BlockIn.Intersect(tried).Minus(out)
}

// predictReach predicts how many ports get through.
func (r *run) predictReach(p *result.Predicted) {
	out, back := r.blocked()
	lost := int64(out.Size() + back.Size() + r.answer.Usable.Size() - r.tried().Size())
	p.Connections.Min = max(0, p.Connections.Min-lost)
	p.Connections.Max = max(0, p.Connections.Max-lost)
	if n := r.answer.Usable.Intersect(privileged()).Size(); n > 0 {
		p.Why = append(slices.Clip(p.Why), fmt.Sprintf("%s not tried: %s", figures.Counted(int64(n), "port"), belowUnprivileged()))
	}
	for _, way := range []struct {
		ports ports.Ranges
		name  string
	}{{out, "out"}, {back, "back"}} {
		if n := way.ports.Size(); n > 0 {
			p.Why = append(slices.Clip(p.Why), fmt.Sprintf("the place's firewall drops %s on the way %s", figures.Counted(int64(n), "port"), way.name))
		}
	}
}

// reachConnections is how many attempts may be under way at once: where nothing
// answers, all.
func (r *run) reachConnections() int64 { return int64(r.answer.Usable.Size()) }

// fates are ports by what became of them.
type fates struct {
	through, refused, dropped, strange ports.Ranges
	out, back                          ports.Ranges // of the dropped
	unusable, wanting, untried         ports.Ranges
	late                               int64
	unsure                             string
}

// byFate gathers ports. Of those that stayed silent, answered are those that the
// listener's host has answered. Where it may have answered others too, of those
// nothing is said.
func byFate(list []scenario.PortFate, answered map[uint16]bool, unsure string) fates {
	f, by := fates{}, map[scenario.Fate][]ports.Range{}
	for _, p := range list {
		by[p.Fate] = append(by[p.Fate], ports.Range{Low: p.Port, High: p.Port})
		if p.Tries > 1 && p.Fate != scenario.FateSilent && p.Fate != scenario.FateUntried {
			f.late++
		}
	}
	f.through, f.refused = ports.Of(by[scenario.FateThrough]...), ports.Of(by[scenario.FateRefused]...)
	f.dropped, f.strange = ports.Of(by[scenario.FateSilent]...), ports.Of(by[scenario.FateStrange]...)
	f.unusable, f.wanting = ports.Of(by[scenario.FateUnusable]...), ports.Of(by[scenario.FateWanting]...)
	f.untried = ports.Of(by[scenario.FateUntried]...)

	var back []ports.Range
	for port := range answered {
		back = append(back, ports.Range{Low: port, High: port})
	}
	f.back = ports.Of(back...).Intersect(f.dropped)
	if f.out = f.dropped.Minus(f.back); unsure != "" && f.out.Size() > 0 {
		f.out, f.unsure = nil, unsure
	}
	return f
}

// astray are the dropped of which it is not known on which way.
func (f *fates) astray() ports.Ranges { return f.dropped.Minus(f.out).Minus(f.back) }

// differs are the ports that came out otherwise than the firewall of the place
// lets expect. Of a direction that is not known nothing is expected.
func (f *fates) differs(out, back ports.Ranges) ports.Ranges {
	blocked := out.Union(back)
	return ports.Of(slices.Concat(
		f.through.Intersect(blocked), f.out.Minus(out), f.back.Minus(back), f.astray().Minus(blocked), f.refused, f.strange,
	)...)
}

// reached writes down what was learned. Where nobody listens a refusal says
// nothing of the path.
func (r *run) reached(f fates, listening *bool) *result.Reach {
	out, back := r.blocked()
	seen := f
	if listening != nil && !*listening {
		seen.refused = nil
	}
	source, target := r.cfg.Sources[0], r.cfg.Targets[0]
	path := passage{client: source, target: target, ports: r.cfg.Ports(), kept: r.around.reserved.Union(privileged())}
	reach := &result.Reach{
		Source: source.String(), Target: target.String(),
		Through: portWords(f.through), Refused: portWords(f.refused), Dropped: portWords(f.dropped), Other: portWords(f.strange),
		DroppedOut: portWords(f.out), DroppedBack: portWords(f.back), Unsure: f.unsure, Late: f.late, Listening: listening,
		NotTried: r.notTried(f), Differs: portWords(f.differs(out, back)),
		Rules: path.rules(seen), Text: f.sentence(),
	}
	if len(r.cfg.Block)+len(r.cfg.BlockIn) > 0 {
		reach.Blocked = &result.BlockedPorts{Out: portWords(out), Back: portWords(back)}
	}
	return reach
}

// portWords writes a set as the file has it: a list even where it is empty.
func portWords(set ports.Ranges) result.PortRanges {
	list := make(result.PortRanges, len(set))
	for i, r := range set {
		list[i] = r.String()
	}
	return list
}

func belowUnprivileged() string {
	first, _ := setting(keyUnprivileged)
	return fmt.Sprintf("below %s (%d): only a privileged program may use them", keyUnprivileged, first)
}

// notTried says which ports of the range were not tried to the end, and why.
func (r *run) notTried(f fates) (list []result.NotTried) {
	asked := r.cfg.Ports()
	reserved := asked.Intersect(r.around.reserved)
	below := asked.Minus(reserved).Intersect(privileged())
	held := asked.Minus(reserved).Minus(below).Minus(r.answer.Usable)
	for _, part := range []struct {
		ports ports.Ranges
		why   string
	}{
		{reserved, "reserved by net.ipv4.ip_local_reserved_ports"},
		{below, belowUnprivileged()},
		{held, "held by another socket of this host"},
		{f.unusable, "taken by another socket of this host when their turn came"},
		{f.wanting, "this host had no descriptor or no memory for them"},
		{f.untried, "the run ended before they were known"},
	} {
		if part.ports.Size() > 0 {
			list = append(list, result.NotTried{Ports: portWords(part.ports), Why: part.why})
		}
	}
	return list
}

// sentence says what became of the ports.
func (f *fates) sentence() string {
	tried := f.through.Size() + f.refused.Size() + f.dropped.Size() + f.strange.Size()
	text := fmt.Sprintf("%s of %s get through", figures.Grouped(int64(f.through.Size())), figures.Counted(int64(tried), "source port"))
	switch {
	case f.through.Size() == 0:
		text = fmt.Sprintf("none of %s gets through", figures.Counted(int64(tried), "source port"))
	case f.through.Size() == tried && f.untried.Size() == 0:
		text = fmt.Sprintf("all %s get through", figures.Counted(int64(tried), "source port"))
	}
	for _, part := range []struct {
		ports ports.Ranges
		what  string
	}{
		{f.out, "dropped on the way out"},
		{f.back, "dropped on the way back"},
		{f.astray(), "dropped, on which way is not known"},
		{f.refused, "refused"},
		{f.strange, "answered by something else"},
		{f.untried, "not known when the run ended"},
	} {
		if part.ports.Size() > 0 {
			text += fmt.Sprintf("; %s: %s", part.what, briefPorts(part.ports))
		}
	}
	return text
}

// briefPorts writes the first ranges of a set.
func briefPorts(set ports.Ranges) string {
	const most = 6
	if len(set) <= most {
		return strings.ReplaceAll(set.String(), ",", ", ")
	}
	more := set[most:]
	return fmt.Sprintf("%s and %s more in %s", briefPorts(set[:most]), figures.Grouped(int64(more.Size())), figures.Counted(int64(len(more)), "range"))
}

// reachVerdict is a reach in one line.
func (r *run) reachVerdict(res *result.Result) result.Verdict {
	reach := res.Reach
	switch {
	case reach == nil:
		return bad("interrupted before anything was known")
	case reach.Listening != nil && !*reach.Listening:
		return bad("nobody listens on %s: %s. That says nothing of the path", reach.Target, reach.Text)
	case !r.complete && r.stop.Load():
		return bad("interrupted: %s", reach.Text)
	case !r.complete:
		return bad("--duration ended the run: %s", reach.Text)
	case len(reach.Differs) > 0:
		return bad("not as predicted at %s: %s", figures.Counted(reach.Differs.Count(), "port"), reach.Text)
	}
	return result.Verdict{OK: true, Text: "as predicted, " + reach.Text}
}
