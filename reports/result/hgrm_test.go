package result

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// spreadOut is a histogram of values that are far apart and of some that are often.
func spreadOut() *Histogram {
	h := NewHistogram()
	for i := range int64(5000) {
		h.Record(12_000 + i*i/7)
	}
	for range 40 {
		h.Record(4_882_000)
	}
	h.Record(3_600_000_000_000)
	return h
}

// TestPercentilesAreThoseOfJava compares with what Java's HistogramLogProcessor
// 2.1.11 wrote for the same histogram (-outputValueUnitRatio 1000). 'make
// test-readers' compares runs with the tool itself.
func TestPercentilesAreThoseOfJava(t *testing.T) {
	want, err := os.ReadFile("testdata/percentiles.hgrm")
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if err := spreadOut().WritePercentiles(&got, 1e3); err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}

func TestPercentilesOfFewValues(t *testing.T) {
	var none bytes.Buffer
	if err := NewHistogram().WritePercentiles(&none, 1); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(none.String(), "\n")
	if len(lines) != 6 || !strings.HasPrefix(lines[2], "#[Mean    =        0.000,") || !strings.Contains(lines[3], "Total count    =            0]") {
		t.Errorf("of nothing:\n%s", none.String())
	}
	h := NewHistogram()
	h.Record(1000)
	var one bytes.Buffer
	if err := h.WritePercentiles(&one, 1); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(one.String(), "\n"); lines[2] != "    1000.000 0.000000000000          1           1.00" || lines[3] != "    1000.000 1.000000000000          1" {
		t.Errorf("of one value:\n%s", one.String())
	}
}

func TestPercentilesReportWriteErrors(t *testing.T) {
	full := errors.New("no space")
	if err := spreadOut().WritePercentiles(failing{full}, 1); !errors.Is(err, full) {
		t.Errorf("error %v, want %v", err, full)
	}
}

// TestPercentilesRise checks what every reader of the form relies on.
func TestPercentilesRise(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := NewHistogram()
		for _, v := range rapid.SliceOfN(rapid.Int64Range(LowestNS, HighestNS), 1, 300).Draw(t, "values") {
			h.Record(v)
		}
		var text bytes.Buffer
		if err := h.WritePercentiles(&text, 1); err != nil {
			t.Fatal(err)
		}
		var before [3]float64
		last := ""
		for _, line := range strings.Split(text.String(), "\n")[2:] {
			if strings.HasPrefix(line, "#") {
				break
			}
			for i, cell := range strings.Fields(line)[:3] {
				v, err := strconv.ParseFloat(cell, 64)
				if err != nil || v < before[i] {
					t.Fatalf("column %d: %v after %v (%v)", i, v, before[i], err)
				}
				before[i] = v
			}
			last = line
		}
		if before[1] != 1 || int64(before[2]) != h.Count() || len(strings.Fields(last)) != 3 {
			t.Fatalf("the last line is %q", last)
		}
	})
}
