package reports

import (
	"slices"
	"strconv"
	"strings"

	"lastport/reports/result"
	"lastport/reports/stats"
)

// repeatWord in a set's axis says that its runs are repeats.
const repeatWord = "repeat"

// folderWord in a set's axis says that its runs are from several folders.
const folderWord = "folder"

// byChance says whether runs of one kind are among those of the axis: what they
// differ by is chance, and none of them is the best.
func byChance(axis string) bool {
	return isRepeated(axis) || slices.Contains(strings.Split(axis, "/"), folderWord)
}

// isRepeated says whether the axis has repeats in it.
func isRepeated(axis string) bool { return slices.Contains(strings.Split(axis, "/"), repeatWord) }

// repeatName names a run among the repeats.
func repeatName(r *result.Result) string {
	if r.Run.Repeat < 1 {
		return r.Run.ID
	}
	return "run " + strconv.Itoa(r.Run.Repeat)
}

// repeats says what is typical of the runs that were made several times over, and
// how far they are from one another. Runs that did not come to their own end are
// not counted.
func (p *page) repeats(s *result.Set) {
	if !isRepeated(s.Axis) {
		return
	}
	whole := slices.DeleteFunc(slices.Clone(s.Runs[:min(len(s.Runs), maxRuns)]), func(r *result.Result) bool { return r.Run.Interrupted })
	var kinds []kind
	for _, runs := range byFolder(whole) {
		kinds = append(kinds, slices.DeleteFunc(kindsOf(runs), func(k kind) bool { return len(k.runs) < 2 })...)
	}
	least := 1.0
	for _, k := range kinds {
		p.heading("Medians of " + plural(int64(len(k.runs)), "run") + ": " + phrases(k.runs[0].Run.Folder, kindName(k.runs[0])))
		t := table{head: []string{"", "median", "from", "to", "least", "most"}}
		for _, m := range comparedMetrics(k.runs[0].Run.Scenario, nil) {
			v := typical(m.samples(k.runs))
			if v == nil || v.Min == 0 && v.Max == 0 {
				continue
			}
			row := []span{{text: m.Name()}}
			for _, x := range []float64{v.Median, v.Low, v.High, v.Min, v.Max} {
				row = append(row, span{text: valueWords(x, m.Unit())})
			}
			t.add(row...)
			least = min(least, v.Level)
		}
		p.table(t)
	}
	switch {
	case len(kinds) == 0:
	case least >= Level:
		p.note("from and to enclose the median of all runs that there could be with " + level(Level) + ", by the sign test")
	default:
		p.note("from and to are the least and the most, where there are too few runs to enclose the median of all runs that there could be with " +
			level(Level) + ": at worst they do with " + level(least) + "; 6 runs are enough")
	}
	if n := stats.Enough(0.05); len(kinds) > 0 {
		p.note("lastport compare OLD NEW says what changed between two such sets; it takes " + count(int64(n)) + " runs of each")
	}
}

// byFolder groups runs by the folder that they were read from: those before a
// change and those after it have no median together.
func byFolder(runs []*result.Result) (groups [][]*result.Result) {
	for _, r := range runs {
		i := slices.IndexFunc(groups, func(g []*result.Result) bool { return g[0].Run.Folder == r.Run.Folder })
		if i < 0 {
			groups = append(groups, []*result.Result{r})
			continue
		}
		groups[i] = append(groups[i], r)
	}
	return groups
}
