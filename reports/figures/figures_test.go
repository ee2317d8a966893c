package figures_test

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"lastport/reports/figures"
)

func Example() {
	fmt.Println(figures.Grouped(28232), figures.Counted(1, "port"), figures.Counted(64512, "port"), figures.Counted(0, "port"))
	// Output: 28,232 1 port 64,512 ports 0 ports
}

func TestGrouped(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 999: "999", 1000: "1,000", -1: "-1", -100: "-100", -999: "-999", -1000: "-1,000", -123456: "-123,456", 1234567: "1,234,567",
		math.MaxInt64: "9,223,372,036,854,775,807", math.MinInt64: "-9,223,372,036,854,775,808",
	} {
		if got := figures.Grouped(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

// Without its commas it is the number, and each comma has three digits after it.
func TestGroupedIsTheNumber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64().Draw(t, "n")
		text := figures.Grouped(n)
		if strings.ReplaceAll(text, ",", "") != strconv.FormatInt(n, 10) {
			t.Fatalf("%d: %q", n, text)
		}
		for i, group := range strings.Split(strings.TrimPrefix(text, "-"), ",") {
			if i > 0 && len(group) != 3 || group == "" || len(group) > 3 {
				t.Fatalf("%d: %q", n, text)
			}
		}
	})
}
