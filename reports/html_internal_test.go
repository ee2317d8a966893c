package reports

import (
	"math"
	"slices"
	"strings"
	"testing"

	"lastport/reports/result"

	"pgregory.net/rapid"
)

// Every stretch keeps its least and its greatest value, so no peak is lost and
// none is added, and time goes on.
func TestThinKeepsTheExtremesOfEveryStretch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := numbers(rapid.SliceOfN(rapid.OneOf(rapid.Float64Range(-1e6, 1e6), rapid.Just(math.NaN())), 1, 500).Draw(t, "values"))
		most := rapid.IntRange(2, 100).Draw(t, "most")
		x := make(numbers, len(values))
		for i := range x {
			x[i] = float64(i)
		}
		thinX, lines := thin(x, []numbers{values}, most)
		if len(thinX) != len(lines[0]) || len(thinX) > max(most, 1) && len(thinX) > len(values) {
			t.Fatalf("%d times and %d values of %d, at most %d", len(thinX), len(lines[0]), len(values), most)
		}
		if len(values) > most && len(thinX) > most+1 {
			t.Fatalf("%d values of %d, at most %d", len(thinX), len(values), most)
		}
		if !slices.IsSorted(thinX) || thinX[0] != x[0] || thinX[len(thinX)-1] != x[len(x)-1] {
			t.Fatalf("times %v", thinX)
		}
		known := func(n numbers) numbers {
			return slices.DeleteFunc(slices.Clone(n), func(v float64) bool { return math.IsNaN(v) })
		}
		all, kept := known(values), known(lines[0])
		if len(all) == 0 != (len(kept) == 0) {
			t.Fatalf("%d values are there and %d are kept", len(all), len(kept))
		}
		if len(all) > 0 && (slices.Min(all) != slices.Min(kept) || slices.Max(all) != slices.Max(kept)) {
			t.Fatalf("kept %v to %v of %v to %v", slices.Min(kept), slices.Max(kept), slices.Min(all), slices.Max(all))
		}
		for _, v := range kept {
			if !slices.Contains(all, v) {
				t.Fatalf("%v is none of the values", v)
			}
		}
	})
}

func TestNumbersThatAreNoneAreNull(t *testing.T) {
	got, err := numbers{1, 2.5, math.NaN(), math.Inf(1), -1e300, 1e15, 0}.MarshalJSON()
	if want := "[1,2.5,null,null,null,1000000000000000,0]"; err != nil || string(got) != want {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
}

func TestShellWordsAreOneWord(t *testing.T) {
	for word, want := range map[string]string{
		"linux":                   "linux",
		"40000-40099,40200":       "40000-40099,40200",
		"net.ipv4.tcp_tw_reuse=1": "net.ipv4.tcp_tw_reuse=1",
		"connections>=28232":      "'connections>=28232'",
		"":                        "''",
		"it's; rm -rf $HOME":      `'it'\''s; rm -rf $HOME'`,
		"[2001:2::1]:1000":        "'[2001:2::1]:1000'",
		"a\nb":                    `$'a\nb'`,
		"it's\u202e":              `$'it\'s\u202e'`,
	} {
		if got := shellWord(word); got != want {
			t.Errorf("%q: %s, want %s", word, got, want)
		}
	}
}

func TestCommandRepeatsTheRun(t *testing.T) {
	r := &result.Result{Run: result.Run{Scenario: "churn"}}
	r.Config = result.Config{
		Range: "40000-40399", Targets: []string{"198.18.0.1:1000"}, Proto: "tcp", Strategy: "connect", Close: "client-fin", Rate: "80",
		DurationNS: 12e9, TimeoutNS: 3e9, Workers: 1, Engine: "direct", Ends: "together", Place: "private",
		Sysctls: map[string]string{"net.ipv4.tcp_tw_reuse": "1"}, Expect: []string{"no_port==0"}, Seed: 7,
	}
	want := "lastport churn --range 40000-40399 --strategy connect --close client-fin --rate 80 --duration 12s --workers 1 --ends together" +
		" --sysctl net.ipv4.tcp_tw_reuse=1 --expect no_port==0 --seed 7"
	if got := commandOf(r); got != want {
		t.Errorf("%s, want\n%s", got, want)
	}
	r = &result.Result{Run: result.Run{Scenario: "fill"}, OnHost: &result.OnHost{KeepFree: 500}}
	r.Config = result.Config{
		Range: "40000-40399", Targets: []string{"192.0.2.1:7000"}, Proto: "tcp", Strategy: "connect", Close: "rst", TimeoutNS: 3e9,
		HoldNS: 3e9, Leave: 5, Command: []string{"sh", "-c", "date; my client"}, Engine: "direct", Place: "host",
	}
	want = "lastport fill --range 40000-40399 --target 192.0.2.1:7000 --strategy connect --close rst --hold 3s --place host --keep-free 500" +
		" --leave 5 -- sh -c 'date; my client'"
	if got := commandOf(r); got != want {
		t.Errorf("%s, want\n%s", got, want)
	}
	r = &result.Result{Run: result.Run{Scenario: "fill", Shard: &result.Shard{Index: 1, Count: 3}}}
	if got, want := commandOf(r), "lastport fill --shard 1/3"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	r.Merged = &result.Merged{}
	if got := commandOf(r); got != "" {
		t.Errorf("one command for all shards: %s", got)
	}
	r = &result.Result{Run: result.Run{Scenario: "rm"}}
	if got := commandOf(r); got != "" {
		t.Errorf("a command of no verb: %s", got)
	}
}

// The page of a comparison says at its head what it comes to, and once.
func TestPageOfAComparisonHasItsVerdictAtTheHead(t *testing.T) {
	c := &result.Comparison{
		Old: result.ComparedSide{From: "before"}, New: result.ComparedSide{From: "after"},
		Pairs: []result.ComparedRuns{{Enough: true, Changes: []result.Compared{{Field: "connect.p99", Claim: result.ClaimWorse}}}},
	}
	v, err := htmlView(c)
	if err != nil {
		t.Fatal(err)
	}
	if v.Title != "before and after, compared" || v.Verdict == nil || *v.Verdict != (badge{"bad", "Worse", "1 worse"}) {
		t.Errorf("%q, %+v", v.Title, v.Verdict)
	}
	for _, s := range v.Sections {
		for _, b := range s.Blocks {
			if b.Para != nil && b.Para.Label == "WORSE" {
				t.Error("the verdict is there twice")
			}
		}
	}
	c.Pairs[0].Changes[0].Claim, c.Expect = result.ClaimBetter, []result.ComparedExpect{{Expr: "connect.p50<=-50%"}}
	if v, err = htmlView(c); err != nil || v.Verdict.Word != "Better" || v.Verdict.Tone != "bad" {
		t.Errorf("an expectation that did not hold: %+v, %v", v.Verdict, err)
	}
}

// What comes next is about the run's own ports, in its own place.
func TestNextStepsKeepTheSpace(t *testing.T) {
	r := &result.Result{Run: result.Run{Scenario: "fill"}, NAT: &result.NAT{}}
	r.Config = result.Config{Range: "1024-65535", RangeName: "all", Exclude: "5000", Proto: "tcp", Strategy: "connect", Targets: []string{"198.18.0.1:1000"}, Place: "private"}
	r.Occupancy = []result.Band{{From: 0, To: 0.5, Count: 100, P50NS: 1000}, {From: 0.5, To: 1, Count: 100, P50NS: 90_000}}
	all := func() (commands []string) {
		for _, step := range nextSteps(r) {
			commands = append(commands, step.Commands...)
		}
		return commands
	}
	same := " --range all --exclude 5000"
	want := []string{
		"lastport fill" + same + " --strategy socket-range", "lastport plan" + same,
		"lastport churn" + same + " --rate auto", "lastport fill" + same + " --strategy all",
	}
	if got := all(); !slices.Equal(got, want) {
		t.Errorf("%q, want\n%q", got, want)
	}
	r.Config.Place, r.Config.NATRange, r.Config.NATAddresses = "nat", "2000-2999", []string{"198.19.255.1", "198.19.255.2"}
	nat := " --place nat --nat-range 2000-2999 --nat-addresses 2"
	want = []string{
		"lastport fill" + same + " --strategy socket-range" + nat, "lastport plan" + same + " --gateway 2000-2999 --sources 2",
		"lastport fill" + same + " --strategy all" + nat,
	}
	if got := all(); !slices.Equal(got, want) {
		t.Errorf("behind a gateway: %q, want\n%q", got, want)
	}
	r.Config.Place, r.OnHost, r.Config.Targets, r.Config.Sources = "host", &result.OnHost{KeepFree: 500}, []string{"[fd00::7]:7000"}, []string{"fd00::1"}
	for i, want := range []string{
		"lastport fill" + same + " --source fd00::1 --target '[fd00::7]:7000' --strategy socket-range --place host --keep-free 500", "lastport plan" + same,
		"lastport churn" + same + " -6 --rate auto", "lastport fill" + same + " -6 --strategy all",
	} {
		if got := all(); len(got) != 4 || got[i] != want {
			t.Errorf("on the host: %q, want %q", got, want)
		}
	}
	r.Config.Targets, r.Config.Sources, r.OnHost = []string{"198.18.0.1:1000"}, nil, nil
	r.Config.Place, r.Config.Proto = "private", "udp"
	for _, command := range all() {
		if !strings.Contains(command, same+" --proto udp") {
			t.Errorf("%q is not of UDP over the same ports", command)
		}
	}
}

func TestCommandsInHints(t *testing.T) {
	for hint, want := range map[string][]string{
		"look at the listener's log":                              nil,
		"see it by 'lastport fill --strategy socket-range'":       {"lastport fill --strategy socket-range"},
		"the listener's, by 'lastport plan' and 'lastport bench'": {"lastport plan", "lastport bench"},
		"lastport doctor":                 {"lastport doctor"},
		"see who holds it with 'ss -tan'": nil,
	} {
		if got := commandsIn(hint); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", hint, got, want)
		}
	}
}
