package reports

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"lastport/reports/result"
)

// advised is something to do next, with the commands for it.
type advised struct {
	Text     string
	Commands []string
}

// nextSteps lists what to do after a run: first what its warnings and failures
// ask for, then what the knee does, then what usually comes next.
func nextSteps(r *result.Result) []advised {
	var all []advised
	add := func(text string, commands ...string) {
		same := func(a advised) bool { return a.Text == shown(text) }
		if text != "" && !slices.ContainsFunc(all, same) && len(all) < maxItems {
			all = append(all, advised{shown(text), append(commandsIn(text), commands...)})
		}
	}
	if r.Run.Interrupted {
		again := slices.DeleteFunc([]string{commandOf(r)}, func(c string) bool { return c == "" })
		add("the run did not come to its end: make it again for numbers to rely on", again...)
	}
	for _, w := range r.Warnings[:min(len(r.Warnings), maxItems)] {
		add(w.Hint)
	}
	for _, o := range r.Outcomes.All() {
		if tn := outcomeTone(o.Name, r); o.N > 0 && (tn == bad || tn == caution) {
			_, todo := outcomeWords(o.Name, r)
			add(todo)
		}
	}
	if k, found := findKnee(usableBands(r.Occupancy)); found {
		if _, todo := k.words(r); todo != "" {
			add(todo, withoutKnee(r))
		}
	}
	if r.Run.Scenario == "reuse" {
		add(heldBy(r).todo, sooner(r)...)
	}
	for _, a := range usualNext(r) {
		add(a.Text, a.Commands...)
	}
	return all
}

// usualNext is what one asks after a run of the scenario, of its ports, in its place.
func usualNext(r *result.Result) (all []advised) {
	add := func(text, command string) {
		if command != "" {
			all = append(all, advised{text, []string{command}})
		}
	}
	again, plan, there := commandOf(r), planOf(r), ""
	if r.Config.Place == "host" {
		r, there = apart(r), ", in a private place"
	}
	fill := inItsPlace("fill", r, "--strategy", "all")
	switch r.Run.Scenario {
	case "fill", "churn":
		add("which rate these ports sustain for long, by arithmetic", plan)
		if r.Config.Place != "nat" { // where a search cannot settle what is chance
			add("the same by experiment"+there, inItsPlace("churn", r, "--rate", "auto"))
		}
		if r.Run.Scenario == "fill" {
			add("what a connect costs as the range fills up, by each strategy"+there, fill)
			break
		}
		add("how soon a closed port can be used again"+there, reuseOf(r))
	case "reuse":
		add("which rate these ports sustain for long, by arithmetic", plan)
		add("the ways of using ports side by side, ranked", "lastport bench")
	case "survey":
		add("what a connect costs as the range fills up, by each strategy"+there, fill)
		add("which rate these ports sustain for long, by arithmetic", plan)
	case "reach":
		add("ask again after a change of the firewall", again)
		add("which rate the ports sustain for long, by arithmetic", plan)
	}
	return all
}

// apart is a run of the host as one of a private place with the same ports: the host
// gives some strategies no range of their own, and a search has no ports to keep free.
func apart(r *result.Result) *result.Result {
	private := *r
	private.OnHost, private.Config.Place, private.Config.Sources, private.Config.Targets = nil, "private", nil, nil
	if len(r.Config.Targets) > 0 {
		if at, err := netip.ParseAddrPort(r.Config.Targets[0]); err == nil && at.Addr().Is6() && !at.Addr().Is4In6() {
			private.Config.Targets = []string{"[2001:2::1]:1000"}
		}
	}
	return &private
}

// inItsPlace is a verb over the ports of a run, between the same addresses and in
// the same place, with its settings.
func inItsPlace(verb string, r *result.Result, with ...string) string {
	if !makesRuns(r.Run.Scenario) {
		return ""
	}
	c := command{"lastport", verb}
	c.portsBut(r.Config)
	c.addresses(r)
	if r.Config.Proto == "udp" {
		c.flag("proto", r.Config.Proto)
	}
	c = append(c, with...)
	c.place(r.Config)
	if r.OnHost != nil {
		c.flag("keep-free", strconv.FormatInt(r.OnHost.KeepFree, 10))
	}
	return c.String()
}

// withoutKnee fills the same range by the strategy that has no knee.
func withoutKnee(r *result.Result) string { return inItsPlace("fill", r, "--strategy", "socket-range") }

// reuseOf is the delays of all ways to close; of UDP, which has none, of its own.
func reuseOf(r *result.Result) string {
	if r.Config.Proto == "udp" {
		return inItsPlace("reuse", r)
	}
	return inItsPlace("reuse", r, "--close", "all")
}

// sooner shows by experiment what gives ports back sooner, where one setting does.
func sooner(r *result.Result) (commands []string) {
	if !strings.HasPrefix(heldBy(r).todo, "net.ipv4.tcp_tw_reuse=1 ") || r.Config.Place == "host" {
		return nil
	}
	again := *r
	again.Config.Sysctls = map[string]string{"net.ipv4.tcp_tw_reuse": "1"}
	for key, value := range r.Config.Sysctls {
		if key != "net.ipv4.tcp_tw_reuse" {
			again.Config.Sysctls[key] = value
		}
	}
	return []string{inItsPlace("reuse", &again, "--close", "client-fin")}
}

// planOf is the arithmetic of a run's ports. Behind a gateway it is that of the
// gateway's; none is known of UDP there.
func planOf(r *result.Result) string {
	cfg := r.Config
	c := command{"lastport", "plan"}
	c.portsBut(cfg)
	sources, udp := r.Space.Sources, cfg.Proto == "udp"
	if cfg.Place == "nat" {
		if udp {
			return ""
		}
		c.flag("gateway", cfg.NATRange)
		sources = len(cfg.NATAddresses)
		if cfg.Clients > 1 {
			c.number("fleet", int64(cfg.Clients))
		}
	}
	if udp {
		c.flag("proto", cfg.Proto)
	}
	if sources > 1 {
		c.number("sources", int64(sources))
	}
	if r.Space.Targets > 1 {
		c.number("targets", int64(r.Space.Targets))
	}
	c.pairs("sysctl", cfg.Sysctls)
	return c.String()
}

// commandsIn finds the commands of lastport that a hint names: in quotes, or the
// whole of it. Hints are from the file, which anybody may have written: one with
// a sign that a shell takes for more than a letter is shown, and not to be copied.
func commandsIn(hint string) (commands []string) {
	isCommand := func(text string) bool {
		words, ok := strings.CutPrefix(text, "lastport ")
		return ok && !slices.ContainsFunc(strings.Split(words, " "), func(word string) bool { return word != "" && shellWord(word) != word })
	}
	if isCommand(hint) {
		return []string{shown(hint)}
	}
	parts := strings.Split(hint, "'")
	for i := 1; i+1 < len(parts) && len(commands) < maxItems; i++ {
		if isCommand(parts[i]) {
			commands = append(commands, shown(parts[i]))
		}
	}
	return commands
}
