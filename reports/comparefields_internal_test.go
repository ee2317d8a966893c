package reports

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"lastport/reports/result"
)

// TestEveryFlagMakesAKind walks the configuration: runs that differ in any flag are
// no repeats of each other, but for the flags that are named here with the reason.
func TestEveryFlagMakesAKind(t *testing.T) {
	same := []string{
		"Seed",         // another one each time
		"Expect",       // is held against what was measured
		"RangeName",    // of Range
		"NATRangeName", // of NATRange
	}
	plain := &result.Result{Run: result.Run{Scenario: "fill"}}
	for i := range reflect.TypeFor[result.Config]().NumField() {
		r := &result.Result{Run: result.Run{Scenario: "fill"}}
		name := reflect.TypeFor[result.Config]().Field(i).Name
		put(t, name, reflect.ValueOf(&r.Config).Elem().Field(i))
		if differs := kindKey(r) != kindKey(plain); differs == slices.Contains(same, name) {
			t.Errorf("a run with another %s is of another kind: %v", name, differs)
		}
	}
}

// put gives a flag a value that is not its zero.
func put(t *testing.T, name string, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		v.SetString("other")
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint64:
		v.SetUint(7)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Slice:
		v.Set(reflect.ValueOf([]string{"other"}))
	case reflect.Map:
		m := reflect.MakeMap(v.Type())
		value := reflect.New(v.Type().Elem()).Elem()
		put(t, name, value)
		m.SetMapIndex(reflect.ValueOf("other"), value)
		v.Set(m)
	case reflect.Pointer: // to 0, which is not the same as none
		v.Set(reflect.New(v.Type().Elem()))
	default:
		t.Fatalf("%s is a %s: say here what another one is", name, v.Kind())
	}
}

// Another number of outside addresses is another space, not a repeat.
func TestGatewaysOfUnlikeSizeAreUnlikeSpaces(t *testing.T) {
	of := func(addresses ...string) *result.Result {
		r := &result.Result{Run: result.Run{Scenario: "fill"}}
		r.Config.NATRange, r.Config.NATAddresses = "1024-65535", addresses
		return r
	}
	one, two := of("198.19.255.1"), of("198.19.255.1", "198.19.255.2")
	_, err := Compare(Side{From: "a", Runs: []*result.Result{one}}, Side{From: "b", Runs: []*result.Result{two}}, nil, 0.05)
	if want := "compare: old and new are not runs of one scenario over one space: nat_addresses is 1 in OLD and 2 in NEW"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestCopiesCountOnce(t *testing.T) {
	began := time.Date(2026, 11, 23, 3, 20, 13, 0, time.UTC)
	run := func(id string, started time.Time) *result.Result {
		return &result.Result{Run: result.Run{ID: id, Started: started}}
	}
	runs := []*result.Result{
		run("a", began), run("b", began), run("a", began.In(time.FixedZone("", 3600))), // a copy
		run("a", began.Add(1)), run("", began), run("", began), // who these are is not known
	}
	kept, copies := withoutCopies(runs)
	if want := append(slices.Clone(runs[:2]), runs[3:]...); copies != 1 || !slices.Equal(kept, want) {
		t.Errorf("%d copies, kept %d of %d", copies, len(kept), len(runs))
	}
}

// A hint is typed as it stands: what a file says in it is quoted, or not there.
func TestHintsOfComparisonsAreSafe(t *testing.T) {
	r := &result.Result{Run: result.Run{Scenario: "fill"}, Space: result.Space{Sources: 2, Targets: 2}}
	r.Config = result.Config{
		Range: "x</script>|`a`", Exclude: "$(b)", Proto: "udp", Mode: "c;d", NATRange: "e f", NATAddresses: []string{"1", "2"},
		Sources: []string{"g'h"}, Targets: []string{"i&j"},
	}
	want := "lastport fill --range 'x</script>|`a`' --exclude '$(b)' --proto udp --mode 'c;d' --place nat --nat-range 'e f' --nat-addresses 2" +
		` --source 'g'\''h' --target 'i&j'`
	if got := asOld(r); got != want {
		t.Errorf("%s, want\n%s", got, want)
	}
	r.Run.Scenario = "fill; rm"
	if got := asOld(r); got != "name two results of one verb over one range" {
		t.Errorf("a scenario that is no verb: %s", got)
	}
	r.Run = result.Run{Scenario: "fill", Interrupted: true}
	_, err := Compare(Side{From: "o/a b", Runs: []*result.Result{r}}, Side{From: "x"}, nil, 0.05)
	if hint, ok := err.(interface{ Hint() string }); !ok || hint.Hint() != "lastport report 'o/a b'" {
		t.Errorf("%v: %v", err, hint)
	}
}
