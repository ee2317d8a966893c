package main

import (
	"errors"
	"strings"
	"testing"
)

// What ended a run is one line, and names each thing that went wrong.
func TestEndedEarly(t *testing.T) {
	reading, waiting := errors.New("frame: unexpected EOF"), errors.New("child 7: signal: killed")
	for _, c := range []struct {
		reading, waiting error
		final            bool
		want             string
	}{
		{nil, waiting, false, "the run ended before its time: child 7: signal: killed; its last result is missing"},
		{reading, waiting, true, "the run ended before its time: frame: unexpected EOF: child 7: signal: killed"},
		{nil, nil, false, "the run ended before its time; its last result is missing"},
	} {
		err := endedEarly(c.reading, c.waiting, c.final)
		if err.Error() != c.want || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q, want %q", err, c.want)
		}
		if c.waiting != nil && !errors.Is(err, c.waiting) {
			t.Errorf("%v does not wrap %v", err, c.waiting)
		}
	}
}
