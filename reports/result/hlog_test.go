package result

import (
	"errors"
	"strings"
	"testing"
	"time"

	hdrhistogram "github.com/HdrHistogram/hdrhistogram-go"
)

func TestLogIsReadBackByTheLibrary(t *testing.T) {
	var log strings.Builder
	start := time.UnixMilli(1_795_404_013_250)
	w, err := NewLogWriter(&log, start)
	if err != nil {
		t.Fatal(err)
	}
	h := NewHistogram()
	h.Record(12_600)
	h.Record(4_882_000)
	for i, tag := range []string{"connect", "failure"} {
		if err := w.Append(tag, int64(i)*1_500_000_000, 1_000_000_000, h); err != nil {
			t.Fatal(err)
		}
	}
	if head := "#[StartTime: 1795404013.250 (seconds since epoch), "; !strings.Contains(log.String(), head) {
		t.Errorf("no %q in\n%s", head, log.String())
	}
	if line := "\nTag=failure,1.500,1.000,4.882"; !strings.Contains(log.String(), line) {
		t.Errorf("no %q in\n%s", line, log.String())
	}
	r := hdrhistogram.NewHistogramLogReader(strings.NewReader(log.String()))
	for _, want := range []struct {
		tag   string
		start int64
	}{{"connect", 1_795_404_013_250}, {"failure", 1_795_404_014_750}} {
		got, err := r.NextIntervalHistogram()
		if err != nil || got == nil {
			t.Fatalf("read back: %v, %v", got, err)
		}
		if got.Tag() != want.tag || got.StartTimeMs() != want.start || got.EndTimeMs() != want.start+1000 {
			t.Errorf("read back %s from %d to %d, want %s from %d", got.Tag(), got.StartTimeMs(), got.EndTimeMs(), want.tag, want.start)
		}
		if got.TotalCount() != 2 || got.Max() != h.Max() {
			t.Errorf("read back %d values up to %d, want 2 up to %d", got.TotalCount(), got.Max(), h.Max())
		}
	}
	if got, err := r.NextIntervalHistogram(); got != nil || err != nil {
		t.Errorf("after the last interval: %v, %v", got, err)
	}
}

func TestLogRefusesTagsThatBreakItsLines(t *testing.T) {
	var log strings.Builder
	w, err := NewLogWriter(&log, time.UnixMilli(0))
	if err != nil {
		t.Fatal(err)
	}
	head := log.String()
	for _, tag := range []string{"", "a,b", "a b", "a\nb", "a\rb"} {
		if err := w.Append(tag, 0, 1, NewHistogram()); err == nil {
			t.Errorf("tag %q: no error", tag)
		}
	}
	if log.String() != head {
		t.Errorf("something was written:\n%s", log.String())
	}
}

func TestLogReportsWriteErrors(t *testing.T) {
	full := errors.New("no space")
	if _, err := NewLogWriter(failing{full}, time.Now()); !errors.Is(err, full) {
		t.Errorf("head: error %v, want %v", err, full)
	}
	if err := (&LogWriter{failing{full}}).Append("connect", 0, 1, NewHistogram()); !errors.Is(err, full) {
		t.Errorf("line: error %v, want %v", err, full)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
