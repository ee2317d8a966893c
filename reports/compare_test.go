package reports_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lastport/reports"
	"lastport/reports/result"
)

// repeatsOf is a fill made several times, whose connects took so long each time.
func repeatsOf(strategy string, p99s ...int64) []*result.Result {
	var runs []*result.Result
	for i, ns := range p99s {
		r := filled(strategy)
		r.Run.ID, r.Run.Repeat = fmt.Sprintf("%s %d %d", strategy, i, ns), i+1
		r.Latency.Connect.P99NS = ns
		r.Host.Kernel = "6.18.3"
		runs = append(runs, r)
	}
	return runs
}

func expectations(t *testing.T, exprs ...string) (all []result.ChangeExpectation) {
	t.Helper()
	for _, expr := range exprs {
		e, err := result.ParseExpectChange(expr)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

func compared(t *testing.T, old, now []*result.Result, exprs ...string) *result.Comparison {
	t.Helper()
	c, err := reports.Compare(reports.Side{From: "old", Runs: old}, reports.Side{From: "new", Runs: now}, expectations(t, exprs...), 0.05)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// changeOf is what became of a field in the first pair.
func changeOf(t *testing.T, c *result.Comparison, field string) result.Compared {
	t.Helper()
	for _, change := range c.Pairs[0].Changes {
		if change.Field == field {
			return change
		}
	}
	t.Fatalf("%s is not compared", field)
	return result.Compared{}
}

func TestCompareClaimsWhatIsMoreThanChance(t *testing.T) {
	low, high := []int64{700, 710, 705, 708}, []int64{900, 905, 910, 895}
	tests := []struct {
		name     string
		old, now []int64
		claim    string
		p        *float64
	}{
		{"slower", low, high, result.ClaimWorse, ptr(2.0 / 70)},
		{"faster", high, low, result.ClaimBetter, ptr(2.0 / 70)},
		{"overlapping", []int64{700, 900, 800, 850}, []int64{710, 890, 790, 860}, result.ClaimNone, ptr(1.0)},
		{"the same", []int64{5, 5, 5, 5}, []int64{5, 5, 5, 5}, result.ClaimNone, ptr(1.0)},
		{"three each", low[:3], high[:3], result.ClaimTooFew, nil},
		{"one each", low[:1], high[:1], result.ClaimTooFew, nil},
		{"many and one", append(low, high...), []int64{5000}, result.ClaimTooFew, nil},
	}
	for _, test := range tests {
		got := changeOf(t, compared(t, repeatsOf("connect", test.old...), repeatsOf("connect", test.now...)), "connect.p99")
		if got.Claim != test.claim || (got.P == nil) != (test.p == nil) || got.P != nil && math.Abs(*got.P-*test.p) > 1e-9 {
			t.Errorf("%s: %s with p=%v, want %s with %v", test.name, got.Claim, got.P, test.claim, test.p)
		}
		if got.Old.N != len(test.old) || got.New.N != len(test.now) || got.Better != "less" || got.Unit != result.UnitNS {
			t.Errorf("%s: %+v", test.name, got)
		}
	}
	got := changeOf(t, compared(t, repeatsOf("connect", 700, 710, 720, 730), repeatsOf("connect", 1430)), "connect.p99")
	if got.Old.Median != 715 || got.Old.Low != 700 || got.Old.High != 730 || *got.Change != 1 || got.New.Level != 0 {
		t.Errorf("%+v, old %+v", got, got.Old)
	}
}

func TestCompareHoldsExpectations(t *testing.T) {
	slow := []int64{1000, 1010, 1020, 1030}
	fast := []int64{500, 505, 510, 515}
	noisy := []int64{400, 1200, 1300, 1350}
	tests := []struct {
		expr     string
		old, now []int64
		held     bool
		value    string
	}{
		{"connect.p99<=+10%", fast, slow, false, "+100 %"},
		{"connect.p99<=+100%", fast, slow, true, "+100 %"},
		{"connect.p99<=+10%", slow, fast, true, "-50.0 %"},
		{"connect.p99<=-20%", slow, fast, true, "-50.0 %"},
		{"connect.p99<=+10%", slow, noisy, true, "no change shown"},  // +23 %, p = 0.49
		{"connect.p99<=-10%", slow, noisy, false, "no change shown"}, // an improvement has to be shown
		{"connect.p99<=+10%", fast[:1], slow[:1], false, "+100 %"},   // of one run each by the numbers
		{"connect.p99<=+10%", slow[:1], fast[:1], true, "-50.0 %"},
		{"connect.p99<1us", slow, fast, true, "507ns"},
		{"connections>=28232", fast, slow, true, "28232"},
		{"connections>=-0%", fast, slow, true, "no change shown"},
		{"residual.connections==0", fast, slow, true, "0"},
		{"bind.p50<=+10%", fast, slow, false, "not measured"},
		{"refused<=+10%", fast, slow, true, "no change shown"}, // 0 and 0
	}
	refusing := repeatsOf("connect", 1, 1, 1, 1)
	for _, r := range refusing {
		r.Outcomes.Refused = 7
	}
	for expr, held := range map[string]bool{"refused<=+10%": false, "refused>=+10%": true} {
		c := compared(t, repeatsOf("connect", 1, 1, 1, 1), refusing, expr)
		if e := c.Expect[0]; e.Held != held || e.Value != "from 0 to 7" {
			t.Errorf("%s from 0 to 7: %+v", expr, e)
		}
	}
	for _, test := range tests {
		c := compared(t, repeatsOf("connect", test.old...), repeatsOf("connect", test.now...), test.expr)
		if len(c.Expect) != 1 || c.Expect[0].Held != test.held || c.Expect[0].Value != test.value {
			t.Errorf("%s of %v and %v: %+v, want held %v with %s", test.expr, test.old, test.now, c.Expect, test.held, test.value)
		}
	}
}

func TestCompareRefusesWhatIsUnlike(t *testing.T) {
	other := func(change func(*result.Result)) []*result.Result {
		r := filled("connect")
		change(r)
		return []*result.Result{r}
	}
	tests := []struct {
		name string
		now  []*result.Result
		says string
	}{
		{"scenario", []*result.Result{exhausted()}, "scenario is fill in OLD and churn in NEW"},
		{"range", other(func(r *result.Result) { r.Config.Range = "40000-40009" }), "range is linux in OLD and 40000-40009 in NEW"},
		{"targets", other(func(r *result.Result) { r.Space.Targets = 2 }), "targets is 1 in OLD and 2 in NEW"},
		{"proto", other(func(r *result.Result) { r.Config.Proto = "udp" }), "proto is tcp in OLD and udp in NEW"},
		{"merged in part", other(func(r *result.Result) { r.Merged = &result.Merged{Missing: []int{1}} }), "new: it is merged, and not of all shards"},
		{"shard", other(func(r *result.Result) { r.Run.Shard = &result.Shard{Count: 2} }), "new: it holds a shard"},
		{"interrupted", []*result.Result{interrupted()}, "new: none of its runs came to its own end"},
		{"nothing", nil, "new: it holds no run"},
		{"no kind in both", append(repeatsOf("window", 1), repeatsOf("bind", 1)...), "no kind is in both; of the first of each: strategy is connect in OLD and window in NEW"},
	}
	for _, test := range tests {
		_, err := reports.Compare(reports.Side{From: "old", Runs: repeatsOf("connect", 1)}, reports.Side{From: "new", Runs: test.now}, nil, 0.05)
		var refused *reports.IncomparableError
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), test.says) || !refused.Usage() || refused.Hint() == "" {
			t.Errorf("%s: %v, want %q and a hint", test.name, err, test.says)
		}
	}
}

func TestCompareSaysWhatElseDiffers(t *testing.T) {
	now := append(repeatsOf("socket-range", 1, 2, 3, 4), interrupted())
	now[4].Config.Strategy = "socket-range"
	for _, r := range now[:4] {
		r.Host.Kernel, r.Host.CPUs = "6.19.0", 8
	}
	c := compared(t, repeatsOf("connect", 1, 2, 3, 4), now)
	want := []result.Difference{
		{Field: "strategy", Old: "connect", New: "socket-range"},
		{Field: "kernel", Old: "6.18.3", New: "6.19.0"},
		{Field: "cpus", Old: "2", New: "8"},
	}
	if diff := cmp.Diff(want, c.Pairs[0].Differs); diff != "" {
		t.Error(diff)
	}
	var codes []string
	for _, w := range c.Warnings {
		codes = append(codes, w.Code)
	}
	if diff := cmp.Diff([]string{"other_kernel", "left_out", "other_machine"}, codes); diff != "" {
		t.Error(diff)
	}
	if c.New.LeftOut != 1 || c.New.Runs != 4 {
		t.Errorf("%+v", c.New)
	}
}

func TestCompareMatchesEachKindWithItsLike(t *testing.T) {
	old := append(repeatsOf("connect", 1, 2), repeatsOf("bind", 3, 4)...)
	now := append(repeatsOf("window", 5), append(repeatsOf("bind", 6), repeatsOf("connect", 7)...)...)
	for _, r := range now {
		r.Config.Workers = 1 // asked otherwise, and of the same name
	}
	c := compared(t, old, now, "connections>=-0%")
	var names []string
	for _, p := range c.Pairs {
		names = append(names, fmt.Sprintf("%s %d+%d", p.Name, p.Old, p.New))
	}
	if diff := cmp.Diff([]string{"fill bind linux client-rst 2+1", "fill connect linux client-rst 2+1"}, names); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"fill window linux client-rst"}, c.OnlyNew); diff != "" || len(c.OnlyOld) != 0 {
		t.Errorf("only in old %q, in new:\n%s", c.OnlyOld, diff)
	}
	if len(c.Expect) != 2 || c.Expect[1].Runs != c.Pairs[1].Name {
		t.Errorf("%+v", c.Expect)
	}
}

// Copies of one run are one run, however many folders they are in.
func TestCompareMakesNoClaimOfCopies(t *testing.T) {
	copies := func(r *result.Result) []*result.Result { return []*result.Result{r, r, r, r, r, r} }
	old, now := repeatsOf("connect", 700)[0], repeatsOf("connect", 900)[0]
	c := compared(t, copies(old), copies(now))
	if got := changeOf(t, c, "connect.p99"); got.Claim != result.ClaimTooFew || got.Old.N != 1 || c.Pairs[0].Enough {
		t.Errorf("of copies: %+v", got)
	}
	if c.Old.Runs != 1 || c.Old.Copies != 5 || len(c.Warnings) != 2 || c.Warnings[1].Code != "copies" {
		t.Errorf("%+v, warnings %+v", c.Old, c.Warnings)
	}
	c = compared(t, []*result.Result{old, now}, []*result.Result{now})
	if len(c.Warnings) != 1 || c.Warnings[0].Code != "shared_runs" || !strings.HasPrefix(c.Warnings[0].Message, "1 run is in old and in new") {
		t.Errorf("%+v", c.Warnings)
	}
}

// A time that is 0 was measured, and is among those of which the median is taken.
func TestCompareCountsWhatIsZero(t *testing.T) {
	old, now := repeatsOf("connect", 1, 2, 3, 4), repeatsOf("connect", 5, 6, 7, 8)
	for _, r := range old[:3] {
		r.Cost.UserCPUNSPerConn = ptr(int64(0))
	}
	if got := changeOf(t, compared(t, old, now), "cost.user_cpu_per_conn"); got.Old.N != 4 || got.Old.Median != 0 || got.New.Median != 2_900 {
		t.Errorf("%+v of old, %+v of new", got.Old, got.New)
	}
}

// samplesOfComparisons are one with claims, and one of too few runs.
func samplesOfComparisons(t *testing.T) (claims, few *result.Comparison) {
	t.Helper()
	now := repeatsOf("socket-range", 18_300, 18_000, 18_900, 18_500, 18_100, 18_200)
	for _, r := range now {
		r.Host.Kernel, r.Latency.Bind, r.Outcomes.Refused = "6.19.0", nil, 7
	}
	claims = compared(t, repeatsOf("connect", 712_000, 709_000, 731_000, 706_000, 715_000, 711_000), now,
		"connect.p99<=+10%", "connections>=28233", "failure.p50<=-5%")
	return claims, compared(t, repeatsOf("connect", 712_000), repeatsOf("connect", 731_000))
}

func TestComparisonGolden(t *testing.T) {
	claims, few := samplesOfComparisons(t)
	repeats := &result.Set{Schema: result.SetSchema, Axis: "repeat", Planned: 3, Runs: repeatsOf("connect", 712_000, 709_000, 731_000)}
	for _, test := range []struct {
		name  string
		doc   result.Document
		style reports.Style
	}{
		{"compare", claims, reports.Style{}},
		{"compare-narrow", claims, reports.Style{Width: 40}},
		{"compare-few", few, reports.Style{}},
		{"compare-empty", &result.Comparison{Schema: result.ComparisonSchema}, reports.Style{}},
		{"set-repeat", repeats, reports.Style{}},
	} {
		var out bytes.Buffer
		if err := reports.Text(&out, test.doc, test.style); err != nil {
			t.Fatal(err)
		}
		golden(t, test.name+".txt", out.Bytes())
		checkText(t, test.doc, test.style)
	}
}

func TestComparisonIsKeptWhole(t *testing.T) {
	claims, few := samplesOfComparisons(t)
	for _, c := range []*result.Comparison{claims, few} {
		var text bytes.Buffer
		if err := result.Encode(&text, c); err != nil {
			t.Fatal(err)
		}
		got, err := result.Decode(&text)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(result.Document(c), got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestHostileRunsCompare(t *testing.T) {
	c := compared(t, []*result.Result{hostile(), hostile()}, []*result.Result{hostile(), hostile()}, "connect.p99<=+10%", "rate>=-5%")
	c.Warnings = append(c.Warnings, result.Warning{Code: nasty, Message: nasty, Hint: nasty})
	c.OnlyOld, c.Old.From, c.Pairs[0].Name = []string{nasty}, nasty, nasty
	c.Pairs[0].Changes = append(c.Pairs[0].Changes, result.Compared{
		Field: nasty, Unit: nasty, Claim: nasty, P: ptr(math.NaN()), Change: ptr(math.Inf(1)),
		Old: &result.Typed{N: math.MinInt, Median: math.NaN(), High: math.MaxFloat64, Level: math.NaN()},
		New: &result.Typed{N: 5, Median: -math.MaxFloat64, Low: math.Inf(-1), High: math.MaxFloat64},
	})
	vast := func(rate float64) *result.Result {
		return &result.Result{Run: result.Run{Scenario: "churn"}, Measured: result.Measured{RatePerS: &rate}}
	}
	if change := changeOf(t, compared(t, []*result.Result{vast(1e-300)}, []*result.Result{vast(1e300)}), "rate").Change; change != nil {
		t.Errorf("a change by %v, which JSON cannot hold", *change)
	}
	for _, width := range []int{1, 40, 80} {
		checkText(t, c, reports.Style{Width: width})
	}
	repeats := &result.Set{Axis: "repeat", Runs: []*result.Result{hostile(), hostile()}}
	checkText(t, repeats, reports.Style{Width: 80})
}
