package reports

import (
	"fmt"
	"time"

	"lastport/reports/result"
)

// identity is what no two runs share, and all copies of one do. IDs are drawn at
// random; the time tells apart runs whose IDs somebody has written.
type identity struct {
	id      string
	started time.Time
}

// identityOf returns who a run is; a file without an ID does not say.
func identityOf(r *result.Result) (who identity, known bool) {
	return identity{r.Run.ID, r.Run.Started.UTC()}, r.Run.ID != ""
}

// withoutCopies keeps each run once, and says how many it has left out: copies of
// one run would pass for repeats that never differ, and make a change of chance a
// sure one.
func withoutCopies(runs []*result.Result) (kept []*result.Result, copies int) {
	seen := map[identity]bool{}
	for _, r := range runs {
		who, known := identityOf(r)
		if known && seen[who] {
			copies++
			continue
		}
		seen[who] = true
		kept = append(kept, r)
	}
	return kept, copies
}

// copyWarnings name runs that are there more than once.
func copyWarnings(c *result.Comparison, old, now []*result.Result) (all []result.Warning) {
	for _, side := range []struct {
		name   string
		copies int
	}{{"old", c.Old.Copies}, {"new", c.New.Copies}} {
		if side.copies > 0 {
			all = append(all, result.Warning{
				Code: "copies", Message: fmt.Sprintf("%s holds runs more than once: each counts once, without its %s", side.name, copiesOf(side.copies)),
				Hint: "--repeat makes several runs of one kind",
			})
		}
	}
	both, _ := withoutCopies(append(append([]*result.Result{}, old...), now...))
	if shared := len(old) + len(now) - len(both); shared > 0 {
		all = append(all, result.Warning{
			Code: "shared_runs", Message: fmt.Sprintf("%s in old and in new: what is compared with itself does not change", isIn(shared)),
			Hint: "name runs that were made before the change, and others that were made after it",
		})
	}
	return all
}

// copiesOf counts copies: "copy", "5 copies".
func copiesOf(n int) string {
	if n == 1 {
		return "copy"
	}
	return count(int64(n)) + " copies"
}

// isIn begins a sentence about runs: "1 run is", "5 runs are".
func isIn(n int) string {
	if n == 1 {
		return "1 run is"
	}
	return plural(int64(n), "run") + " are"
}
