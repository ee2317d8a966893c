package main

import (
	"fmt"
	"slices"
	"testing"

	"lastport/reports/result"
)

// However many runs tell how they are, so many are shown as are allowed, with what
// each told last; those that are over make room, and those under way keep it.
func TestRunMetricsAreBounded(t *testing.T) {
	said := 0
	m := &runMetrics{say: func() { said++ }}
	put := func(id, attempts int, ended bool) {
		m.put(&result.Result{Run: result.Run{ID: fmt.Sprint(id), Interrupted: !ended}, Attempts: int64(attempts)})
	}
	shown := func() (ids []string) {
		for _, r := range m.shown() {
			ids = append(ids, r.Run.ID)
		}
		return ids
	}
	var first []string
	for id := range mostRuns {
		put(id, 1, false)
		first = append(first, fmt.Sprint(id))
	}
	put(mostRuns, 1, false) // no room
	if got := shown(); !slices.Equal(got, first) {
		t.Errorf("%v, want %v", got, first)
	}
	put(3, 7, true)
	if got := m.shown()[3]; got.Attempts != 7 {
		t.Errorf("%d attempts, want what was told last", got.Attempts)
	}
	put(mostRuns, 2, false)
	if got, want := shown(), append(slices.Delete(slices.Clone(first), 3, 4), fmt.Sprint(mostRuns)); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if said != 1 {
		t.Errorf("said %d times where they are", said)
	}
	(*runMetrics)(nil).put(&result.Result{}) // nobody asked
}

func TestMetricsAddr(t *testing.T) {
	for text, want := range map[string]string{
		"19187": "127.0.0.1:19187", ":19187": "127.0.0.1:19187", "0": "127.0.0.1:0", "0.0.0.0:19187": "0.0.0.0:19187",
		"[::1]:80": "[::1]:80", "localhost:19187": "127.0.0.1:19187",
		"": "", ":": "", "65536": "", "-1": "", "127.0.0.1": "", "::1:80": "", "host:80": "", "127.0.0.1:http": "", " 80": "",
	} {
		got, err := metricsAddr(text)
		if (err == nil) != (want != "") || err == nil && got.String() != want {
			t.Errorf("%q: %v, %v, want %q", text, got, err, want)
		}
	}
}
