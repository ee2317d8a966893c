package main

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"lastport/reports/result"
)

// played is an arm that gives the samples one after the other and notes in log
// that it ran.
func played(log *[]string, name string, rates ...float64) *arm {
	i := 0
	return &arm{name: name, run: func(context.Context) (sample, error) {
		*log = append(*log, name)
		if i == len(rates) {
			return sample{}, errors.New("it is at its end")
		}
		i++
		return sample{rate: rates[i-1]}, nil
	}}
}

// Arms run in turn, each round begins with another, and ratios are of a round's
// own runs.
func TestGroupRunsInTurn(t *testing.T) {
	var log []string
	a, b := played(&log, "a", 10, 20, 30), played(&log, "b", 100, 100, 100)
	g := &group{arms: []*arm{a, b}, lines: []line{{"row", a, b, rate, perSecond, bound{least: 0.2}}}}
	rows := g.run(t.Context(), 3, io.Discard)
	if got := strings.Join(log, ""); got != "abbaab" {
		t.Errorf("order %s", got)
	}
	want := row{name: "row", ours: "20/s", theirs: "100/s  b", judged: []float64{0.1, 0.2, 0.3}, want: bound{least: 0.2}}
	if r := rows[0]; r.ours != want.ours || r.theirs != want.theirs || !slices.Equal(r.judged, want.judged) || r.want != want.want {
		t.Errorf("%+v, want %+v", r, want)
	}
}

// An arm that fails is not run again, nor is one that nobody needs any more;
// what can be compared still is.
func TestGroupWithGap(t *testing.T) {
	var log []string
	a, b, c := played(&log, "a", 1, 2), played(&log, "b"), played(&log, "c", 4, 4)
	g := &group{arms: []*arm{a, b, c}, lines: []line{
		{"gap", b, c, rate, perSecond, bound{}},
		{"alone", a, nil, rate, perSecond, bound{}},
		{"unmeasured", a, nil, cpu, micros, bound{}},
	}}
	rows := g.run(t.Context(), 2, io.Discard)
	if got := strings.Join(log, ""); got != "aba" {
		t.Errorf("order %s", got)
	}
	if rows[0].absent != "b: it is at its end" || rows[2].absent != "not measured" {
		t.Errorf("%+v", rows)
	}
	if r := rows[1]; r.absent != "" || !slices.Equal(r.judged, []float64{1, 2}) {
		t.Errorf("%+v", r)
	}
}

// When it is interrupted, rounds that are whole count and others do not.
func TestGroupInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var log []string
	a, b := played(&log, "a", 1, 2), played(&log, "b", 4)
	inner := b.run
	b.run = func(c context.Context) (sample, error) {
		if len(b.samples) == 1 {
			cancel()
		}
		return inner(c)
	}
	g := &group{arms: []*arm{a, b}, lines: []line{{"row", a, b, rate, perSecond, bound{}}}}
	if r := g.run(ctx, 5, io.Discard)[0]; r.absent != "" || !slices.Equal(r.judged, []float64{0.25}) {
		t.Errorf("%+v", r)
	}
}

func TestChoose(t *testing.T) {
	make3 := func() []*group {
		var log []string
		a, b, c := played(&log, "a"), played(&log, "b"), played(&log, "c")
		return []*group{
			{arms: []*arm{a, b, c}, lines: []line{{name: "hold-1", of: a, against: b}, {name: "memory-1", of: c}}},
			{arms: []*arm{a}, lines: []line{{name: "cost", of: a}}},
		}
	}
	for names, want := range map[string]string{
		"": "hold-1 memory-1 cost / abc a", "hold": "hold-1 / ab", "mem,cost": "memory-1 cost / c a", "cost": "cost / a",
	} {
		chosen, err := choose(make3(), names)
		var lines, arms []string
		for _, g := range chosen {
			all := ""
			for _, a := range g.arms {
				all += a.name
			}
			for _, l := range g.lines {
				lines = append(lines, l.name)
			}
			arms = append(arms, all)
		}
		if got := strings.Join(lines, " ") + " / " + strings.Join(arms, " "); err != nil || got != want {
			t.Errorf("%q: %q, %v, want %q", names, got, err, want)
		}
	}
	for _, names := range []string{"nope", "hold,", "hold,nope"} {
		if _, err := choose(make3(), names); !errors.Is(err, errUsage) || !strings.Contains(err.Error(), "memory-1") {
			t.Errorf("%q: %v, want wrong usage with the names that there are", names, err)
		}
	}
}

// Every row of the table has a name of its own, and arms to make it of.
func TestGroupsAreWhole(t *testing.T) {
	l := &lab{options: &options{bin: t.TempDir()}, scratch: t.TempDir()}
	seen := map[string]bool{}
	for _, g := range l.groups() {
		for _, line := range g.lines {
			if seen[line.name] {
				t.Errorf("two rows are called %s", line.name)
			}
			seen[line.name] = true
			for _, a := range []*arm{line.of, line.against} {
				if a != nil && !slices.Contains(g.arms, a) {
					t.Errorf("%s: its group does not run %s", line.name, a.name)
				}
			}
		}
	}
}

func TestSteps(t *testing.T) {
	for n, want := range map[int][]int{1: {1}, 2: {1, 2}, 4: {1, 2, 4}, 6: {1, 2, 4, 6}} {
		if got := steps(n); !slices.Equal(got, want) {
			t.Errorf("%d: %v, want %v", n, got, want)
		}
	}
}

func TestValues(t *testing.T) {
	of := func(n int64) *int64 { return &n }
	s := sample{cost: &result.Cost{CPUNSPerConn: 3000, UserBytesPerConn: of(11)}}
	if v, ok := cpu(s); !ok || v != 3000 {
		t.Errorf("cpu %v, %v", v, ok)
	}
	if v, ok := memory(s); !ok || v != 11 {
		t.Errorf("memory %v, %v", v, ok)
	}
	if _, ok := memory(sample{cost: &result.Cost{}}); ok {
		t.Error("memory that was not measured")
	}
}
