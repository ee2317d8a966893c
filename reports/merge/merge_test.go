package merge_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"lastport/reports/merge"
	"lastport/reports/result"
)

func merged(t *testing.T, parts []merge.Part) *result.Result {
	t.Helper()
	res, err := merge.Shards(parts, false)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func encoded(t testing.TB, r *result.Result) []byte {
	t.Helper()
	var text bytes.Buffer
	if err := result.Encode(&text, r); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

// TestSums has three shards of 100, 110 and 120 connections.
func TestSums(t *testing.T) {
	r := merged(t, shards(3))
	if r.Attempts != 339 || r.Outcomes != (result.Outcomes{OK: 330, NoPort: 9}) || *r.Measured.Connections != 330 {
		t.Errorf("attempts %d, outcomes %+v, connections %d", r.Attempts, r.Outcomes, *r.Measured.Connections)
	}
	if want := (result.Space{Ports: 1000, PortsUsable: 1000, Sources: 3, Targets: 1, Tuples: 3000}); !cmp.Equal(r.Space, want) {
		t.Errorf("space %+v", r.Space)
	}
	if *r.Measured.RatePerS != 330 || !*r.Measured.Recovered || *r.Residual.Connections != 0 || *r.Residual.Reuse != 0 {
		t.Errorf("measured %+v, residual %+v", r.Measured, r.Residual)
	}
	want := result.Predicted{Connections: &result.Interval{Min: 330, Max: 330}, ReuseNS: &result.Interval{Min: 60, Max: 72}, Why: []string{"because"}}
	if diff := cmp.Diff(want, r.Predicted); diff != "" {
		t.Error(diff)
	}
	if r.Server.Accepted != 330 || *r.Server.Closed != 330 || r.Kernel["ActiveOpens"] != 330 {
		t.Errorf("server %+v, kernel %v", r.Server, r.Kernel)
	}
	if r.Ports.Distinct != 4 || r.Ports.Even != 2 || r.Ports.Odd != 2 || r.Ports.First != nil {
		t.Errorf("ports %+v", r.Ports)
	}
	if r.Run.Shard != nil || r.Run.Started != begun() || r.Run.Ended != begun().Add(2100*time.Millisecond) || r.Run.Interrupted {
		t.Errorf("run %+v", r.Run)
	}
	if want := "3 shards, begun within 100ms; 330 connections, as predicted"; r.Verdict != (result.Verdict{OK: true, Text: want}) {
		t.Errorf("verdict %+v", r.Verdict)
	}
	if len(r.Warnings) != 0 {
		t.Errorf("warnings %+v", r.Warnings)
	}
	if want := []result.Expected{{Expr: "connections>=100", Value: "held in 3 shards", Held: true}}; !cmp.Equal(r.Expect, want) {
		t.Errorf("expected %+v", r.Expect)
	}
}

// TestWhatDoesNotAddUpIsAbsent: neither averaged nor 0.
func TestWhatDoesNotAddUpIsAbsent(t *testing.T) {
	parts := shards(2)
	for _, p := range parts {
		p.Run.AtOccupancy = []result.Point{{At: 0.5, Count: 1}}
		p.Run.ScheduleError = &result.ScheduleError{P99NS: 4}
		p.Run.Cost = &result.Cost{CPUNSPerConn: 7}
		p.Run.Recovery = &result.Recovery{Attempts: 1}
		p.Run.Predicted.FirstNoPort = &result.Interval{Min: 1, Max: 1}
	}
	parts[1].Run.Predicted.Connections = nil
	parts[1].Run.Server.Closed = nil
	r := merged(t, parts)
	if r.AtOccupancy != nil || r.ScheduleError != nil || r.Cost != nil || r.Recovery != nil || r.Measured.FirstNoPort != nil ||
		r.Measured.FillNS != nil || r.Predicted.FirstNoPort != nil || r.Predicted.Connections != nil || r.Residual.Connections != nil || r.Server.Closed != nil {
		t.Errorf("%s", encoded(t, r))
	}
	if got := r.Merged.Shards[1].FirstNoPort; got == nil || got.Attempt != 111 {
		t.Errorf("first no_port of shard 1: %+v", got)
	}
}

// TestPercentilesAreOfAllValues: percentiles, bands and clipped values are those of
// one histogram that was given everything, in whatever shards it was.
func TestPercentilesAreOfAllValues(t *testing.T) {
	for seed := range uint64(8) { // few, as each histogram is a quarter of a megabyte
		random := rand.New(rand.NewPCG(seed, 0))
		all := result.NewHistogram()
		parts := bareShards(1 + random.IntN(4))
		for i := range parts {
			one := result.NewHistogram()
			for range 1 + random.IntN(50) {
				ns := random.Int64N(1 << (1 + random.IntN(45))) // some beyond the bounds, which are 3 hours
				one.Record(ns)
				all.Record(ns)
			}
			parts[i].Run.Latency.Connect = one.Summary()
			parts[i].Run.Occupancy = []result.Band{one.Band(0, 1)}
		}
		r := merged(t, parts)
		if diff := cmp.Diff(all.Summary(), r.Latency.Connect); diff != "" {
			t.Errorf("seed %d: %s", seed, diff)
		}
		if want := []result.Band{all.Band(0, 1)}; !cmp.Equal(r.Occupancy, want) {
			t.Errorf("seed %d: occupancy %+v\nwant %+v", seed, r.Occupancy, want)
		}
	}
}

// TestOrderDoesNotMatter: any order of the inputs makes the same bytes, and the
// same words of refusal.
func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.IntRange(1, 5).Draw(t, "count")
		var parts []merge.Part
		for n, i := range rapid.SliceOfN(rapid.IntRange(0, count-1), 1, 8).Draw(t, "indexes") {
			p := bareShards(count, i)[0]
			p.From = string(rune('a' + n))
			if rapid.IntRange(0, 4).Draw(t, "foreign") == 0 {
				p.Run.Config.Range = "1-2"
			}
			p.Run.Run.Interrupted = rapid.Bool().Draw(t, "interrupted")
			p.Run.Measured.RatePerS = ptr(rapid.Float64Range(0, 1e6).Draw(t, "rate")) // whose sum depends on the order
			p.Run.Warnings = []result.Warning{{Code: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "code")}}
			parts = append(parts, p)
		}
		partial := rapid.Bool().Draw(t, "partial")
		once := outcome(parts, partial)
		if again := outcome(rapid.Permutation(parts).Draw(t, "order"), partial); again != once {
			t.Errorf("one order makes\n%s\nanother\n%s", once, again)
		}
	})
}

// outcome is what a merge comes to: the bytes, or the error.
func outcome(parts []merge.Part, partial bool) string {
	r, err := merge.Shards(parts, partial)
	if err != nil {
		return err.Error()
	}
	var text bytes.Buffer
	if err := result.Encode(&text, r); err != nil {
		return err.Error()
	}
	return text.String()
}

// TestInputsStay: a merge changes nothing of what it is given.
func TestInputsStay(t *testing.T) {
	parts := shards(3)
	var before [][]byte
	for _, p := range parts {
		before = append(before, encoded(t, p.Run))
	}
	rand.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	order := slices.Clone(parts)
	merged(t, parts)
	for _, p := range shards(3) {
		i := slices.IndexFunc(order, func(o merge.Part) bool { return o.From == p.From })
		if parts[i] != order[i] || !bytes.Equal(encoded(t, parts[i].Run), before[parts[i].Run.Run.Shard.Index]) {
			t.Errorf("%s was changed", p.From)
		}
	}
}

// TestVerdict: the whole is as good as its shards.
func TestVerdict(t *testing.T) {
	parts := shards(3)
	for _, i := range []int{1, 2} {
		r := parts[i].Run
		*r.Measured.Connections -= 4
		*r.Residual.Connections = -4
		r.Outcomes = result.Outcomes{OK: r.Outcomes.OK - 4, NoPort: 7}
		r.Verdict = result.Verdict{Text: "4 are missing"}
		r.Warnings = []result.Warning{{Code: "residual", Message: "look", Hint: "do"}}
		r.Expect[0].Held = false
	}
	r := merged(t, parts)
	want := "3 shards, begun within 100ms; 322 connections, 330 predicted: -8; shard 1/3: 4 are missing; 1 further shard did not come out as they should"
	if r.Verdict.OK || r.Verdict.Text != want || *r.Residual.Connections != -8 {
		t.Errorf("verdict %+v\nwant %s; residual %d", r.Verdict, want, *r.Residual.Connections)
	}
	if want := []result.Warning{{Code: "residual", Message: "shard 1/3: look; and likewise 1 further shard", Hint: "do"}}; !cmp.Equal(r.Warnings, want) {
		t.Errorf("warnings %+v", r.Warnings)
	}
	if e := r.Expect[0]; e.Held || e.Value != "110 in shard 1/3" {
		t.Errorf("expected %+v", e)
	}
}

// TestHostsThatDiffer are told of, and what they do not share is absent.
func TestHostsThatDiffer(t *testing.T) {
	parts := shards(2)
	parts[1].Run.Host = result.Host{Kernel: "5.15.0", CPUs: 8, HZ: 250, Place: "private", Sysctls: map[string]string{"a": "2", "b": "1"}, Limits: result.Limits{NoFile: 10}}
	h := merged(t, parts)
	if want := (result.Host{Kernel: "5.15.0, 6.1.0", CPUs: 2, Place: "private", Sysctls: map[string]string{}, Limits: result.Limits{NoFile: 10}}); !cmp.Equal(h.Host, want) {
		t.Errorf("host %+v\nwant %+v", h.Host, want)
	}
	if len(h.Warnings) != 1 || h.Warnings[0].Message != "the shards' hosts differ in kernel (5.15.0, 6.1.0), processors (2, 8), a (1, 2), b (1, not set)" || h.Warnings[0].Hint == "" {
		t.Errorf("warnings %+v", h.Warnings)
	}
}
