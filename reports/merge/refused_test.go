package merge_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"lastport/reports/merge"
	"lastport/reports/result"
)

// TestRefused names what is wrong with which result.
func TestRefused(t *testing.T) {
	change := func(parts []merge.Part, i int, by func(*result.Result)) []merge.Part {
		by(parts[i].Run)
		return parts
	}
	for name, c := range map[string]struct {
		parts []merge.Part
		want  string
	}{
		"none":         {nil, "merge: no result is named"},
		"missing":      {bareShards(3, 0, 2), "merge: shard 1/3 is missing"},
		"two missing":  {bareShards(4, 0, 2), "merge: shards 1/4, 3/4 are missing"},
		"many missing": {bareShards(10_000, 0), "merge: shards 1/10000, 2/10000, 3/10000, 4/10000, 5/10000 and 9994 more are missing"},
		"double":       {bareShards(2, 0, 1, 1), "merge: folder-2: it is shard 1/2, as folder-1 is"},
		"twice":        {append(bareShards(2), bareShards(2, 0)...), "merge: folder-0: it is named twice"},
		"relabelled": {
			change(bareShards(3), 2, func(r *result.Result) { r.Run.ID = bare(1, 3).Run.ID }),
			"merge: folder-2: it says that it is shard 2/3, and is the same run (run.id) as folder-1, shard 1/3; shard 2/3 is missing",
		},
		"whole": {
			change(bareShards(2, 0, 1, 1), 2, func(r *result.Result) { r.Run.Shard = nil }),
			"merge: folder-2: it is a whole run; a part of one is made with --shard",
		},
		"merged": {
			change(bareShards(2, 0, 1, 1), 2, func(r *result.Result) { r.Merged = &result.Merged{} }),
			"merge: folder-2: it is merged already; its shards can be merged, with others",
		},
		"no such index": {
			change(bareShards(2, 0, 1, 1), 2, func(r *result.Result) { r.Run.Shard.Index = 2 }),
			"merge: folder-2: it says that it is shard 2/2: of no more than 10000 the index counts from 0",
		},
		"a huge count": {
			change(bareShards(2, 0, 1, 1), 2, func(r *result.Result) { r.Run.Shard.Count = 1 << 62 }),
			"merge: folder-2: it says that it is shard 1/4611686018427387904: of no more than 10000 the index counts from 0",
		},
		"a survey": {
			change(bareShards(2, 0, 1, 1), 2, func(r *result.Result) { r.Run.Scenario = "survey" }),
			"merge: folder-2: it is a survey: only those of fill, churn, reuse add up",
		},
		"foreign": {
			change(bareShards(2, 0, 1, 1), 2, func(r *result.Result) { r.Config.Range, r.Config.Workers = "1-2", 4 }),
			`merge: folder-2: it is of another run: range is "1-2", and "40000-40999" in the others; workers is 4, and 0 in the others`,
		},
		"another count": {
			change(bareShards(2, 0, 1, 1), 2, func(r *result.Result) { r.Run.Shard.Count = 5 }),
			"merge: folder-2: it is of another run: shard.count is 5, and 2 in the others",
		},
		"no majority": {
			change(bareShards(2), 1, func(r *result.Result) { r.Run.Scenario = "churn" }),
			"merge: folder-1: it is of another run than folder-0: scenario is churn, and fill in the others",
		},
	} {
		_, err := merge.Shards(c.parts, false)
		refused, ok := errors.AsType[*merge.RefusedError](err)
		if !ok || err.Error() != c.want || !refused.Usage() || refused.Hint() == "" {
			t.Errorf("%s: %v\nwant %s", name, err, c.want)
		}
	}
}

// TestRefusedLines: of several results each has a line of its own.
func TestRefusedLines(t *testing.T) {
	parts := append(bareShards(3, 0, 1), bareShards(3, 0)...)
	_, err := merge.Shards(parts, false)
	refused, ok := errors.AsType[*merge.RefusedError](err)
	want := []string{"merge: these are not the shards of one run, each once", "folder-0: it is named twice", "shard 2/3 is missing"}
	if !ok || !slices.Equal(refused.Lines(), want) {
		t.Errorf("%v, lines %q", err, refused.Lines())
	}
	_, err = merge.Shards(bareShards(3, 0, 1), false)
	if refused, ok = errors.AsType[*merge.RefusedError](err); !ok || refused.Lines() != nil {
		t.Errorf("%v, lines %q", err, refused.Lines())
	}
}

// TestACopyUnderAnotherNameCountsOnce: of a run that is there as two shards the numbers are
// not doubled, also where the copy began last of those that say they are its shard.
func TestACopyUnderAnotherNameCountsOnce(t *testing.T) {
	parts := append(bareShards(2), bareShards(2, 0)...)
	parts[2].From = "copy"
	parts[2].Run.Run.Shard.Index = 1
	parts[2].Run.Run.Started = begun().Add(time.Second)
	r, err := merge.Shards(parts, true)
	if err != nil {
		t.Fatal(err)
	}
	if *r.Measured.Connections != 210 || len(r.Merged.LeftOut) != 1 || r.Merged.LeftOut[0].From != "copy" || !r.Verdict.OK {
		t.Errorf("%d connections, %+v", *r.Measured.Connections, r.Merged)
	}
}

// TestPartial merges what there is, and says what is not.
func TestPartial(t *testing.T) {
	parts := bareShards(4, 0, 2, 2, 3)
	parts[1].Run.Run.Interrupted = true // so that the other one is taken
	parts[3].Run.Config.Range = "1-2"
	r, err := merge.Shards(parts, true)
	if err != nil {
		t.Fatal(err)
	}
	m := r.Merged
	if m.Count != 4 || len(m.Shards) != 2 || len(m.Missing) != 2 || m.Missing[0] != 1 || m.Missing[1] != 3 || r.Run.Interrupted || *r.Measured.Connections != 220 {
		t.Errorf("merged %+v, %d connections", m, *r.Measured.Connections)
	}
	if len(m.LeftOut) != 2 || m.LeftOut[0] != (result.LeftOut{From: "folder-1", Why: "it is shard 2/4, as folder-2 is"}) || !strings.Contains(m.LeftOut[1].Why, "another run") {
		t.Errorf("left out %+v", m.LeftOut)
	}
	if want := "2 of 4 shards, begun within 100ms; shards 1/4, 3/4 are missing; 220 connections, as predicted"; r.Verdict.OK || r.Verdict.Text != want {
		t.Errorf("verdict %+v\nwant %s", r.Verdict, want)
	}
	for i, code := range []string{"shards_missing", "left_out"} {
		if r.Warnings[i].Code != code {
			t.Errorf("warning %+v, want %s", r.Warnings[i], code)
		}
	}
	parts[3].Run.Run.Shard.Count = 9
	if _, err := merge.Shards(parts[2:], true); err == nil {
		t.Error("of two runs with as many shards each one was taken")
	}
}

// TestDamaged: what contradicts itself is named, with --partial too.
func TestDamaged(t *testing.T) {
	rows := func(times ...int64) (all []result.Row) {
		for _, ns := range times {
			all = append(all, result.Row{TNS: ns})
		}
		return all
	}
	for name, c := range map[string]struct {
		harm func(*result.Result)
		want string
	}{
		"attempts":     {func(r *result.Result) { r.Attempts++ }, "do not add up to its 114 attempts"},
		"negative":     {func(r *result.Result) { r.Outcomes.Reset = -1 }, "outcomes.reset is -1"},
		"overflow":     {func(r *result.Result) { r.Outcomes.OK, r.Attempts = 1<<63-1, -1<<63+2 }, "do not add up"},
		"no start":     {func(r *result.Result) { r.Run.Started = time.Time{} }, "when it began"},
		"a long run":   {func(r *result.Result) { r.Run.Ended = r.Run.Ended.AddDate(5000, 0, 0) }, "a clock was wrong"},
		"another age":  {func(r *result.Result) { r.Run.Started = r.Run.Started.AddDate(9, 0, 0) }, "after another shard: a clock was wrong"},
		"back in time": {func(r *result.Result) { r.Timeline = rows(2, 1) }, "timeline: 1 ns after 2 ns"},
		"before 0":     {func(r *result.Result) { r.Timeline = rows(-1) }, "timeline: -1 ns after 0 ns"},
		"rows":         {func(r *result.Result) { r.Timeline = make([]result.Row, 1201) }, "1201 rows"},
		"no histogram": {func(r *result.Result) { r.Latency.Connect.HDR = "x" }, "latency.connect: decode histogram"},
		"its count":    {func(r *result.Result) { r.Latency.Connect.Count = 7 }, "latency.connect: it has 110 values, and is said to have 7"},
		"a band":       {func(r *result.Result) { r.Occupancy[0].HDR = "" }, "occupancy: decode histogram"},
		"the map":      {func(r *result.Result) { r.Ports.Map = "AAAA" }, "ports: decode port map"},
	} {
		parts := shards(2)
		c.harm(parts[1].Run)
		_, err := merge.Shards(parts, true)
		damaged, ok := errors.AsType[*merge.DamagedError](err)
		if !ok || !strings.HasPrefix(err.Error(), "merge: folder-1: ") || !strings.Contains(err.Error(), c.want) || damaged.Hint() == "" {
			t.Errorf("%s: %v\nwant %s", name, err, c.want)
		}
	}
}

// TestSumsThatDoNotFit: a sum beyond 64 bits is an error, and none wraps around.
func TestSumsThatDoNotFit(t *testing.T) {
	const most = 1<<63 - 1
	for name, grow := range map[string]func(*result.Result){
		"attempts":    func(r *result.Result) { r.Attempts, r.Outcomes = most, result.Outcomes{OK: most} },
		"connections": func(r *result.Result) { r.Measured.Connections = ptr(int64(most)) },
		"predicted":   func(r *result.Result) { r.Predicted.Connections.Max = most },
		"kernel":      func(r *result.Result) { r.Kernel["ActiveOpens"] = most },
		"timeline":    func(r *result.Result) { r.Timeline[0].Opened = most },
		"states":      func(r *result.Result) { r.Timeline[0].States.Established = ptr(int64(most)) },
		"below":       func(r *result.Result) { r.Kernel["ActiveOpens"] = -1 << 63 },
		"rate":        func(r *result.Result) { r.Measured.RatePerS = ptr(1.7e308) },
		"tuples":      func(r *result.Result) { r.Space.Tuples = most },
		"clipped":     func(r *result.Result) { r.Latency.Connect.Clipped = most },
	} {
		parts := shards(2)
		for _, p := range parts {
			p.Run.Run.Started = begun()
			grow(p.Run)
		}
		res, err := merge.Shards(parts, false)
		if err == nil {
			t.Errorf("%s: no error, but\n%s", name, encoded(t, res))
		} else if _, refused := errors.AsType[*merge.DamagedError](err); !refused {
			t.Errorf("%s: %v: it names no result", name, err)
		}
	}
}

// TestTheResultThatDoesNotFitIsNamed, and not one beside it.
func TestTheResultThatDoesNotFitIsNamed(t *testing.T) {
	for i := range 3 {
		parts := bareShards(3)
		parts[i].Run.Kernel["ActiveOpens"] = 1<<63 - 1
		parts[(i+1)%3].Run.Run.Seed = 1<<64 - 1
		_, err := merge.Shards(parts, false)
		if want := "merge: " + parts[i].From + ": kernel.ActiveOpens: the sum is beyond 64 bits: no run counts so far"; err == nil || err.Error() != want {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
}
