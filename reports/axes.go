package reports

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"lastport/reports/result"
)

// axes say how the runs of a set are named: the words by which they differ, for
// each scenario.
type axes struct {
	byScenario map[string]string
	mixed      bool // there are several scenarios
	set        string
}

// axesOf takes the set's own axis where all runs are of one scenario. Where they
// are not, it can say no more than "scenario", and each group is named by the
// words in which its runs differ.
func axesOf(s *result.Set, groups [][]*result.Result) axes {
	a := axes{byScenario: map[string]string{}, mixed: len(groups) > 1, set: s.Axis}
	if a.mixed {
		for _, runs := range groups {
			a.byScenario[runs[0].Run.Scenario] = differing(runs)
		}
	}
	return a
}

// of is the axis of a run's scenario.
func (a axes) of(r *result.Result) string {
	if axis, ok := a.byScenario[r.Run.Scenario]; ok {
		return axis
	}
	return a.set
}

// fullName names a run among all of the set.
func (a axes) fullName(r *result.Result) string {
	if a.mixed {
		return runName(r, "scenario/"+a.of(r))
	}
	return runName(r, a.set)
}

// differing joins the words in which runs differ; of one run alone, those that
// its scenario is usually varied by.
func differing(runs []*result.Result) string {
	kept := "close" // what keeps a port, unless a mode says it
	if slices.ContainsFunc(runs, func(r *result.Result) bool { return modeOf(r.Config) != "" }) {
		kept = "mode"
	}
	var words []string
	for _, word := range []string{"strategy", "profile", kept, "sysctl", "rate", "place"} {
		if varies(runs, word) {
			words = append(words, word)
		}
	}
	words = toldApart(runs, words)
	switch {
	case len(words) > 0:
		return strings.Join(words, "/")
	case runs[0].Run.Scenario == "fill":
		return "strategy/profile"
	}
	return kept
}

// varies says whether runs differ in a word.
func varies(runs []*result.Result, word string) bool {
	return slices.ContainsFunc(runs, func(r *result.Result) bool { return runName(r, word) != runName(runs[0], word) })
}

// toldApart adds what tells runs apart that were asked for alike: the folder that
// each was read from, and which of the repeats it is.
func toldApart(runs []*result.Result, words []string) []string {
	alike := func() bool {
		axis, seen := strings.Join(words, "/"), map[string]bool{}
		for _, r := range runs {
			seen[runName(r, axis)] = true
		}
		return len(seen) < len(runs)
	}
	if len(words) > 0 && !alike() {
		return words
	}
	if varies(runs, folderWord) {
		words = slices.Insert(words, 0, folderWord)
	}
	repeats := slices.ContainsFunc(runs, func(r *result.Result) bool { return r.Run.Repeat > 0 })
	if repeats && varies(runs, repeatWord) && (len(words) == 0 || alike()) {
		words = append(words, repeatWord)
	}
	return words
}

// runName names a run by the words of an axis: "strategy/profile" is "connect
// linux". Another word stands for the run's number.
func runName(r *result.Result, axis string) string {
	var parts []string
	for _, word := range strings.Split(axis, "/") {
		switch word {
		case "scenario":
			parts = append(parts, r.Run.Scenario)
		case "profile":
			parts = append(parts, cmp.Or(r.Config.RangeName, r.Config.Range))
		case "range":
			parts = append(parts, r.Config.Range)
		case "close":
			parts = append(parts, r.Config.Close)
		case "mode":
			parts = append(parts, cmp.Or(modeOf(r.Config), r.Config.Close))
		case "rate":
			parts = append(parts, r.Config.Rate)
		case "sysctl":
			if set := sysctlsOf(r.Config.Sysctls); set != "" {
				parts = append(parts, set)
			}
		case "place":
			parts = append(parts, r.Config.Place)
		case folderWord:
			parts = append(parts, r.Run.Folder)
		case repeatWord:
			parts = append(parts, repeatName(r))
		case "strategy":
			parts = append(parts, r.Config.Strategy)
		default:
			parts = append(parts, r.Run.ID)
		}
	}
	return shorten(strings.Join(parts, " "), maxNameColumns)
}

// sysctlsOf lists settings by their last word, in the order of their keys:
// "tcp_tw_reuse=1".
func sysctlsOf(settings map[string]string) string {
	var all []string
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		all = append(all, key[strings.LastIndexByte(key, '.')+1:]+"="+settings[key])
	}
	return strings.Join(all, " ")
}
