package loadgen

import (
	"strings"
	"testing"
	"time"

	"lastport/loadgen/capacity"
	"lastport/loadgen/outcome"
	"lastport/loadgen/record"
	"lastport/loadgen/scenario"
	"lastport/reports/result"
)

// A fill that the machine has ended keeps what it has, says why, and how many
// connections would have fitted.
func TestWhatTheMachineEnds(t *testing.T) {
	for _, c := range []struct {
		ends           ending
		verdict        string
		code, says, do string
	}{
		{ending{scenario.LowMemory, 0}, "stopped at 1,000 connections: 5 MB of memory were left", "low_memory", "because memory was", "--connections 900"},
		{ending{scenario.GaveUp, outcome.NoFD}, "gave up at 1,000 connections: attempt after attempt was no_fd", "gave_up", "no_fd", "--connections 900"},
		{ending{scenario.GaveUp, outcome.NoMemory}, "attempt after attempt was no_memory", "gave_up", "no_memory", "--connections 900"},
		{ending{scenario.GaveUp, outcome.Refused}, "attempt after attempt was refused", "gave_up", "refused", ""},
	} {
		counted, err := record.NewCollector(1, 0, time.Unix(0, 0))
		if err != nil {
			t.Fatal(err)
		}
		r := &run{
			cfg: &Config{Scenario: "fill"}, counted: counted, ends: c.ends, low: &lowMemory{left: 5 << 20},
			answer: capacity.Answer{Connections: capacity.Interval[int64]{Min: 2000, Max: 2000}},
		}
		if r.course, err = courseOf("fill"); err != nil {
			t.Fatal(err)
		}
		n := int64(1000)
		res := &result.Result{Measured: result.Measured{Connections: &n}, Predicted: result.Predicted{Connections: &result.Interval{Min: 2000, Max: 2000}}}
		r.judge(res)
		if res.Verdict.OK || !strings.Contains(res.Verdict.Text, c.verdict) || res.Residual.Connections != nil {
			t.Errorf("%v: verdict %+v, residual %v", c.ends, res.Verdict, res.Residual.Connections)
		}
		if !warned(res, c.code) {
			t.Errorf("%v: warnings %+v", c.ends, res.Warnings)
		}
		for _, w := range res.Warnings {
			if w.Code == c.code && (!strings.Contains(w.Message, c.says) || w.Hint != c.do) {
				t.Errorf("%v: %+v", c.ends, w)
			}
		}
	}
}
