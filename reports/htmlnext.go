package reports

import (
	"slices"
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
		add("the run did not come to its end: make it again for numbers to rely on")
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
		_, todo := k.words(r.Config.Strategy)
		add(todo)
	}
	if r.Run.Scenario == "reuse" {
		add(heldBy(r).todo)
	}
	for _, a := range usualNext(r) {
		add(a.Text, a.Commands...)
	}
	return all
}

// usualNext is what one asks after a run of the scenario.
func usualNext(r *result.Result) []advised {
	over := ""
	if name := r.Config.RangeName; name != "host" {
		if name == "" {
			name = r.Config.Range
		}
		over = " --range " + shellWord(name)
	}
	plan := advised{"which rate these ports sustain for long, by arithmetic", []string{"lastport plan" + over}}
	prove := advised{"the same by experiment", []string{"lastport churn --rate auto" + over}}
	fill := advised{"what a connect costs as the range fills up, by each strategy", []string{"lastport fill --strategy all" + over}}
	reuse := advised{"how soon a closed port can be used again", []string{"lastport reuse --close all" + over}}
	switch r.Run.Scenario {
	case "fill":
		return []advised{plan, prove, fill}
	case "churn":
		return []advised{plan, prove, reuse}
	case "reuse":
		return []advised{plan, {"the ways of using ports side by side, ranked", []string{"lastport bench"}}}
	case "survey":
		return []advised{fill, plan}
	}
	return nil
}

// commandsIn finds the commands of lastport that a hint names: in quotes, or the
// whole of it.
func commandsIn(hint string) (commands []string) {
	if strings.HasPrefix(hint, "lastport ") {
		return []string{shown(hint)}
	}
	parts := strings.Split(hint, "'")
	for i := 1; i+1 < len(parts) && len(commands) < maxItems; i++ {
		if strings.HasPrefix(parts[i], "lastport ") {
			commands = append(commands, shown(parts[i]))
		}
	}
	return commands
}
