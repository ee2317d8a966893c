package merge

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"lastport/reports/result"
)

// RefusedError says why results are not the shards of one run, each once: wrong
// usage.
type RefusedError struct {
	parts   []result.LeftOut
	missing []int
	count   int
	unsure  bool // which run is meant
}

func (e *RefusedError) add(from, why string) {
	e.parts = append(e.parts, result.LeftOut{From: from, Why: why})
}

// addFamilies names the runs of which none has most parts.
func (e *RefusedError) addFamilies(families map[string][]Part) {
	var heads []Part
	for _, key := range slices.Sorted(maps.Keys(families)) {
		heads = append(heads, families[key][0])
	}
	slices.SortStableFunc(heads, inOrder)
	for _, p := range heads[1:] {
		e.add(p.From, "it is of another run than "+heads[0].From+": "+unlike(heads[0].Run, p.Run))
	}
	e.sort()
}

func (e *RefusedError) sort() {
	slices.SortFunc(e.parts, func(a, b result.LeftOut) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Why, b.Why)) })
}

// mostNamed is how many results an error names.
const mostNamed = 5

// Error names the results that are no shards of the run, and the shards that are
// missing.
func (e *RefusedError) Error() string { return "merge: " + strings.Join(e.faults(), "; ") }

// Lines is what Error says with one result a line; nil if that is one line.
func (e *RefusedError) Lines() []string {
	faults := e.faults()
	if len(faults) < 2 {
		return nil
	}
	return append([]string{"merge: these are not the shards of one run, each once"}, faults...)
}

// faults is what is wrong, of each result by itself.
func (e *RefusedError) faults() (all []string) {
	for _, p := range e.parts[:min(len(e.parts), mostNamed)] {
		all = append(all, p.From+": "+p.Why)
	}
	if more := len(e.parts) - mostNamed; more > 0 {
		all = append(all, fmt.Sprintf("and %d results more", more))
	}
	if len(e.missing) > 0 {
		all = append(all, missingText(e.missing, e.count))
	}
	if len(all) == 0 {
		all = []string{"no result is named"}
	}
	return all
}

// missingText names shards: "shard 1/3 is missing".
func missingText(missing []int, count int) string {
	var names []string
	for _, i := range missing[:min(len(missing), mostNamed)] {
		names = append(names, fmt.Sprintf("%d/%d", i, count))
	}
	switch more := len(missing) - mostNamed; {
	case more > 0:
		return fmt.Sprintf("shards %s and %d more are missing", strings.Join(names, ", "), more)
	case len(missing) > 1:
		return "shards " + strings.Join(names, ", ") + " are missing"
	}
	return "shard " + names[0] + " is missing"
}

// Hint says what to type.
func (e *RefusedError) Hint() string {
	switch {
	case e.unsure || e.count == 0:
		return "name the results of one run's shards, each made with --shard INDEX/COUNT and otherwise the same flags"
	case len(e.parts) == 0:
		return "name its result too, or merge the others with --partial"
	}
	return "name one result of each shard, or leave out what is none with --partial"
}

// Usage is true: the exit status is that of wrong usage.
func (e *RefusedError) Usage() bool { return true }
