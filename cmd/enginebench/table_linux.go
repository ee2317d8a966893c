package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"golang.org/x/sys/unix"
)

// bound is what a row should reach. Zero is no bound on that side.
//
// With around it is the 95 % interval of the mean that must lie within the bound,
// and hold the value around: no difference can be told, and a large one can be
// ruled out.
type bound struct{ least, most, around float64 }

func (b bound) String() string {
	switch {
	case b == bound{}:
		return "–"
	case b.most == 0:
		return "≥ " + short(b.least)
	case b.least == 0:
		return "≤ " + short(b.most)
	}
	return short(b.least) + " to " + short(b.most)
}

// met says whether v is within the bound: yes, no, or nothing if there is none.
func (b bound) met(v float64) string {
	switch {
	case b == bound{}:
		return ""
	case v >= b.least && (b.most == 0 || v <= b.most):
		return "yes"
	}
	return "no"
}

// holds says whether an interval is within the bound and holds what it is around.
func (b bound) holds(low, high float64) string {
	if b.least <= low && low <= b.around && b.around <= high && high <= b.most {
		return "yes"
	}
	return "no"
}

// digits prints an end of a spread: of an interval that is compared with percents
// one digit more.
func (b bound) digits(v float64) string {
	if b.around != 0 {
		return strconv.FormatFloat(v, 'f', 3, 64)
	}
	return short(v)
}

// interval is the 95 % interval of the list's mean, by Student's t. The quantile is
// by its series in 1/(n-1), right to a hundredth from five values on.
func interval(list []float64) (low, high float64) {
	n := float64(len(list))
	sum, squares := 0.0, 0.0
	for _, v := range list {
		sum += v
	}
	for _, v := range list {
		squares += (v - sum/n) * (v - sum/n)
	}
	free := max(1, n-1)
	half := (1.96 + 2.37/free + 2.82/free/free) * math.Sqrt(squares/free/n)
	return sum/n - half, sum/n + half
}

// leastJudged is how many rounds it takes to judge a row: a single one has no
// spread.
const leastJudged = 2

// row is one row of the table.
type row struct {
	name         string
	ours, theirs string    // medians, in words; theirs with the name of what was compared with
	judged       []float64 // each round's ratio, or value where there is nothing to compare with
	want         bound
	absent       string // why there is nothing else
}

// report is the table.
type report struct {
	rounds int
	rows   []row
}

// measured says whether any row has a figure.
func (r *report) measured() bool {
	return slices.ContainsFunc(r.rows, func(r row) bool { return r.absent == "" })
}

func (r *report) print(w io.Writer) error {
	var kernel unix.Utsname
	if err := unix.Uname(&kernel); err != nil {
		return fmt.Errorf("uname: %w", err)
	}
	fmt.Fprintf(w, "Linux %s, medians of %s run in turn\n\n", unix.ByteSliceToString(kernel.Release[:]), plural(r.rounds, "pair"))
	if err := r.printMeasured(w); err != nil {
		return err
	}
	for _, row := range r.rows {
		if row.absent != "" {
			fmt.Fprintf(w, "%s is absent: %s\n", row.name, row.absent)
		}
	}
	return nil
}

// printMeasured prints the rows that have figures.
func (r *report) printMeasured(w io.Writer) error {
	if !r.measured() {
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "row\tlastport\tbeside\tratio\tleast … most\trequired\tmet")
	for _, row := range r.rows {
		if row.absent != "" {
			continue
		}
		m, beside := median(row.judged), row.theirs
		low, high := slices.Min(row.judged), slices.Max(row.judged)
		met := row.want.met(m)
		if row.want.around != 0 {
			low, high = interval(row.judged)
			met = row.want.holds(low, high)
		}
		if len(row.judged) < leastJudged {
			met = ""
		}
		if beside == "" {
			beside = "–"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s … %s\t%v\t%s\n", row.name, row.ours, beside, short(m),
			row.want.digits(low), row.want.digits(high), row.want, met)
	}
	return t.Flush()
}

// median is that of a list that is not empty.
func median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// ratios divides round by round.
func ratios(ours, theirs []float64) []float64 {
	list := make([]float64, len(ours))
	for i := range ours {
		list[i] = ours[i] / theirs[i]
	}
	return list
}

// short prints three significant digits, and no fewer than the whole part has.
func short(v float64) string {
	decimals := 2
	for size := 10.0; math.Abs(v) >= size && decimals > 0; size *= 10 {
		decimals--
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
}

// count prints a whole number with its thousands apart.
func count(v float64) string {
	s := strconv.FormatFloat(v, 'f', 0, 64)
	var parts []string
	for ; len(s) > 3; s = s[:len(s)-3] {
		parts = append([]string{s[len(s)-3:]}, parts...)
	}
	return strings.Join(append([]string{s}, parts...), ",")
}

func perSecond(v float64) string { return count(v) + "/s" }
func seconds(v float64) string   { return short(v) + " s" }
func micros(v float64) string    { return short(v/1e3) + " µs" }
func bytesOf(v float64) string   { return count(v) + " B" }

func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return strconv.Itoa(n) + " " + thing + "s"
}
