package live_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"lastport/cmd/lastport/live"
	"lastport/reports/result"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func number(n int64) *int64 { return &n }

// fill is a fill of 2,000 ports that is three quarters done: all even ports and
// half of the odd ones are taken, at ever slower a rate.
func fill() live.Run {
	r := live.Run{
		Phase: "open", At: 3400 * time.Millisecond, Open: 1500, Expected: 2000, Usable: 2000, Opened: 1500, PerS: 103,
		Ports: &live.Ports{Low: 40000, High: 41999, States: new(result.StateMap)},
	}
	for i := range int64(30) {
		row := result.Row{TNS: (i + 1) * 1e8, Opened: 1000 / (i + 1), P99NS: number(10_000 << (i / 3))}
		if i%10 == 9 {
			row.States = &result.States{SynSent: number(i % 2), Established: number(50 * i), TimeWait: number(0)}
		}
		r.Timeline = append(r.Timeline, row)
	}
	for p := uint16(40000); p < 42000; p++ {
		if p%2 == 0 || p < 41000 {
			r.Ports.States.Put(p, result.PortEstablished)
		}
	}
	return r
}

// churn is a churn that has found no port any more.
func churn() live.Run {
	return live.Run{
		Name: "connect churn", Phase: "churn", At: 83 * time.Second, Left: 37 * time.Second, Open: 2, Expected: 28232, Usable: 100,
		Tuples: true, Opened: 1_234_567, NoPort: 42, Failed: 3, PerS: 12_345.6, Lingers: true,
		Timeline: []result.Row{
			{TNS: 1e8, Opened: 1234, States: &result.States{Established: number(2), TimeWait: number(90)}},
			{TNS: 2e8, States: &result.States{TimeWait: number(96)}},
		},
		Ports: &live.Ports{Low: 40000, High: 40099, States: waiting()},
	}
}

func waiting() *result.StateMap {
	m := new(result.StateMap)
	for p := uint16(40002); p < 40098; p++ {
		m.Put(p, result.PortTimeWait)
	}
	m.Put(40098, result.PortEstablished)
	return m
}

func TestOne(t *testing.T) {
	for name, r := range map[string]live.Run{"fill": fill(), "churn": churn(), "start": {Phase: "start"}} {
		var b strings.Builder
		for _, columns := range []int{120, 80, 60, 41, 40, 20, 8} {
			fmt.Fprintf(&b, "-- %d --\n", columns)
			for _, l := range live.One(&r, live.Style{Columns: columns, Rows: 23}) {
				b.WriteString(l + "\n")
			}
		}
		b.WriteString("-- 60, in colours, 6 rows --\n")
		for _, l := range live.One(&r, live.Style{Columns: 60, Rows: 6, Color: true}) {
			b.WriteString(strings.ReplaceAll(l, "\x1b", "^") + "\n")
		}
		golden(t, name+".golden", b.String())
	}
}

func TestSeveral(t *testing.T) {
	runs := []live.Run{
		{Name: "client-fin", Phase: "wait", Left: 59 * time.Second, Open: 0, Usable: 500, Lingers: true, Timeline: []result.Row{{States: &result.States{TimeWait: number(500)}}}},
		{Name: "client-rst", Over: true},
		{Name: "server-fin", Over: true},
		{Name: "a name that is far too long to be shown whole on any terminal that people have", Phase: "open", Open: 10, Expected: 100, Usable: 500, PerS: 10},
		{Name: "\x1b[2J\n東京\u202e", Phase: "start"},
	}
	var b strings.Builder
	for _, s := range []live.Style{{Columns: 80, Rows: 23}, {Columns: 41, Rows: 23}, {Columns: 40, Rows: 23}, {Columns: 20, Rows: 23}, {Columns: 80, Rows: 4}, {Columns: 80, Rows: 3}, {Columns: 80, Rows: 1}} {
		fmt.Fprintf(&b, "-- %d columns, %d rows --\n", s.Columns, s.Rows)
		for _, l := range live.Several(runs, s) {
			b.WriteString(l + "\n")
		}
	}
	golden(t, "several.golden", b.String())
}

// Whatever is known of a run: what is drawn fits, and holds nothing that a
// terminal would obey.
func TestFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole := rapid.Int64()
		r := live.Run{
			Name: rapid.String().Draw(t, "name"), Phase: rapid.SampledFrom([]string{"open", "churn", "wait"}).Draw(t, "phase"),
			At: time.Duration(whole.Draw(t, "at")), Left: time.Duration(whole.Draw(t, "left")), Open: whole.Draw(t, "open"),
			Expected: whole.Draw(t, "expected"), Usable: whole.Draw(t, "usable"), Opened: whole.Draw(t, "opened"),
			NoPort: whole.Draw(t, "no_port"), Failed: whole.Draw(t, "failed"), PerS: rapid.Float64().Draw(t, "rate"),
			Ports: &live.Ports{Low: rapid.Uint16().Draw(t, "low"), High: rapid.Uint16().Draw(t, "high"), States: waiting()},
		}
		for range rapid.IntRange(0, 100).Draw(t, "rows") {
			r.Timeline = append(r.Timeline, result.Row{
				TNS: whole.Draw(t, "t"), Opened: whole.Draw(t, "n"), P99NS: rapid.Ptr(whole, true).Draw(t, "p99"),
				States: &result.States{Established: rapid.Ptr(whole, true).Draw(t, "established"), TimeWait: rapid.Ptr(whole, true).Draw(t, "time_wait")},
			})
		}
		s := live.Style{Columns: rapid.IntRange(0, 200).Draw(t, "columns"), Rows: rapid.IntRange(0, 20).Draw(t, "rows of the terminal")}
		several := make([]live.Run, rapid.IntRange(0, 30).Draw(t, "runs"))
		for i := range several {
			several[i] = r
			several[i].Over = rapid.Bool().Draw(t, "over")
		}
		for _, lines := range [][]string{live.One(&r, s), live.Several(several, s)} {
			if len(lines) > s.Rows {
				t.Fatalf("%d lines in %d rows", len(lines), s.Rows)
			}
			for _, l := range lines {
				if n := utf8.RuneCountInString(l); n > max(0, s.Columns-1) {
					t.Fatalf("%d columns of %d: %q", n, s.Columns, l)
				}
				if strings.ContainsFunc(l, func(c rune) bool { return c < ' ' || c >= 0x7f && c < 0xa0 }) {
					t.Fatalf("steers the terminal: %q", l)
				}
			}
		}
	})
}

// BenchmarkOne is what a drawing costs, with the longest timeline and all ports.
func BenchmarkOne(b *testing.B) {
	r := fill()
	r.Ports = &live.Ports{Low: 1, High: 65535, States: waiting()}
	for len(r.Timeline) < result.MaxRows {
		r.Timeline = append(r.Timeline, r.Timeline[len(r.Timeline)-1])
	}
	b.ReportAllocs()
	for b.Loop() {
		live.One(&r, live.Style{Columns: 80, Rows: 23, Color: true})
	}
}
