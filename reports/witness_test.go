package reports_test

import (
	"strings"
	"testing"

	"lastport/reports"
	"lastport/reports/result"
)

// What the listener saw is told as far as it is known: what is not known is no 0.
func TestWitnessOfTheListener(t *testing.T) {
	for _, test := range []struct {
		open, peers, tuples *int64
		want                string
	}{
		{ptr(int64(20)), ptr(int64(20)), ptr(int64(20)), "listener 20, from 20 distinct peers sock_diag"},
		{ptr(int64(20)), ptr(int64(10)), ptr(int64(20)), "listener 20, from 10 distinct peers on 20 distinct tuples sock_diag"},
		{ptr(int64(20)), nil, ptr(int64(20)), "listener 20, on 20 distinct tuples sock_diag"},
		{ptr(int64(20)), nil, nil, "listener 20 sock_diag"},
		{nil, ptr(int64(20)), ptr(int64(20)), "listener 20 distinct peers sock_diag"},
		{nil, nil, ptr(int64(20)), "listener 20 distinct tuples sock_diag"},
	} {
		r := filled("connect")
		r.Witness = &result.Witness{Generator: 20, ServerOpen: test.open, DistinctPeers: test.peers, DistinctTuples: test.tuples, SockDiag: ptr(int64(20)), Agree: true}
		var text strings.Builder
		if err := reports.Text(&text, r, reports.Style{}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(strings.Fields(text.String()), " "); !strings.Contains(got, test.want) {
			t.Errorf("no %q in\n%s", test.want, &text)
		}
	}
}
