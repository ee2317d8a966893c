package merge

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"lastport/reports/figures"
	"lastport/reports/result"
)

// judge says what the whole came to, and what a reader must know to trust it.
func (w *whole) judge(res *result.Result) {
	res.Verdict = w.verdict(res)
	res.Warnings = w.warnings(res)
}

// verdict is the whole in one line: it came out as it should if all shards did,
// and none is missing.
func (w *whole) verdict(res *result.Result) result.Verdict {
	parts := []string{w.shards()}
	if len(w.runs) > 1 {
		parts[0] += fmt.Sprintf(", begun within %v", rounded(w.skew()))
	}
	if len(w.missing) > 0 {
		parts = append(parts, missingText(w.missing, w.count))
	}
	if n := res.Measured.Connections; n != nil {
		text := figures.Counted(*n, "connection")
		switch off := res.Residual.Connections; {
		case off == nil:
		case *off == 0:
			text += ", as predicted"
		default:
			text += fmt.Sprintf(", %s predicted: %+d", span(*res.Predicted.Connections), *off)
		}
		parts = append(parts, text)
	}
	bad := slices.DeleteFunc(slices.Clone(w.runs), func(r *result.Result) bool { return r.Verdict.OK })
	if len(bad) > 0 {
		parts = append(parts, w.name(bad[0])+": "+short(bad[0].Verdict.Text))
	}
	if more := len(bad) - 1; more > 0 {
		parts = append(parts, figures.Counted(int64(more), "further shard")+" did not come out as they should")
	}
	return result.Verdict{OK: len(bad) == 0 && len(w.missing) == 0, Text: strings.Join(parts, "; ")}
}

// warnings are those of merging, and those of the shards: one of each code, as
// the first of them says it.
func (w *whole) warnings(res *result.Result) (all []result.Warning) {
	warn := func(when bool, code, hint, format string, args ...any) {
		if when {
			all = append(all, result.Warning{Code: code, Message: fmt.Sprintf(format, args...), Hint: hint})
		}
	}
	if len(w.missing) > 0 {
		warn(true, "shards_missing", "merge again when all are there", "%s: every sum is that of %s", missingText(w.missing, w.count), w.shards())
	}
	warn(len(w.leftOut) > 0, "left_out", "", "%s left out: %s", figures.Counted(int64(len(w.leftOut)), "result"), leftOutText(w.leftOut))
	common, longest := w.common()
	warn(!res.Merged.Together, "shards_apart", "start the shards at one time",
		"by their hosts' clocks all shards ran at one time for %v, and the longest took %v: rates are not added up, and what each had open at once was not open at once in all",
		rounded(common), rounded(longest))
	if unlike := w.unlikeHosts(); len(unlike) > 0 {
		warn(true, "unlike_hosts", "run all shards on hosts that are alike, if it matters for what was measured", "the shards' hosts differ in %s", list(unlike))
	}
	return append(all, w.told()...)
}

// told are the shards' own warnings.
func (w *whole) told() (all []result.Warning) {
	const most = 50
	first := map[string]int{}
	times := map[string]int{}
	for _, r := range w.runs {
		seen := map[string]bool{}
		for _, warning := range r.Warnings {
			if seen[warning.Code] {
				continue
			}
			seen[warning.Code] = true
			times[warning.Code]++
			if _, known := first[warning.Code]; !known && len(all) < most {
				first[warning.Code] = len(all)
				all = append(all, result.Warning{Code: warning.Code, Message: w.name(r) + ": " + warning.Message, Hint: warning.Hint})
			}
		}
	}
	for code, i := range first {
		if more := times[code] - 1; more > 0 {
			all[i].Message += fmt.Sprintf("; and likewise %s", figures.Counted(int64(more), "further shard"))
		}
	}
	return all
}

// expected says of each expectation whether it held in every shard: each shard
// was held against it by itself.
func (w *whole) expected() (all []result.Expected) {
	for i, e := range w.runs[0].Expect {
		held := 0
		worst := ""
		for _, r := range w.runs {
			switch {
			case i >= len(r.Expect) || r.Expect[i].Expr != e.Expr: // an interrupted one may have none
				if worst == "" {
					worst = result.NotMeasured + " in " + w.name(r)
				}
			case r.Expect[i].Held:
				held++
			case worst == "":
				worst = r.Expect[i].Value + " in " + w.name(r)
			}
		}
		value := fmt.Sprintf("held in %s", figures.Counted(int64(held), "shard"))
		if worst != "" {
			value = short(worst)
		}
		all = append(all, result.Expected{Expr: e.Expr, Value: value, Held: held == len(w.runs)})
	}
	return all
}

// rounded is a time to the millisecond.
func rounded(ns int64) time.Duration { return time.Duration(ns).Round(time.Millisecond) }

// shards is "3 shards", or "2 of 3 shards".
func (w *whole) shards() string {
	if len(w.missing) > 0 {
		return fmt.Sprintf("%d of %s", len(w.runs), figures.Counted(int64(w.count), "shard"))
	}
	return figures.Counted(int64(w.count), "shard")
}

// name is what a shard is called: as --shard has it.
func (w *whole) name(r *result.Result) string {
	return fmt.Sprintf("shard %d/%d", r.Run.Shard.Index, w.count)
}

// leftOutText names results and why each was left out.
func leftOutText(out []result.LeftOut) string {
	var all []string
	for _, o := range out {
		all = append(all, o.From+" ("+o.Why+")")
	}
	return list(all)
}

// list names no more than a reader takes in.
func list(all []string) string {
	if more := len(all) - mostNamed; more > 0 {
		all = append(slices.Clone(all[:mostNamed]), fmt.Sprintf("and %d more", more))
	}
	return strings.Join(all, ", ")
}

// short keeps a line that comes from a file within bounds.
func short(text string) string {
	const most = 300
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most]) + "…"
}

func span(i result.Interval) string {
	if i.Min == i.Max {
		return figures.Grouped(i.Min)
	}
	return figures.Grouped(i.Min) + " to " + figures.Grouped(i.Max)
}
