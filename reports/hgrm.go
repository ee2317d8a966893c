package reports

import (
	"fmt"
	"io"
	"strings"

	"lastport/reports/result"
)

// kept is a histogram of a run under its name.
type kept struct{ name, hdr string }

// histogramsOf are the histograms that a run kept.
func histogramsOf(r *result.Result) (all []kept) {
	for _, t := range r.Latency.All() {
		if t.Summary != nil {
			all = append(all, kept{t.Name, t.Summary.HDR})
		}
	}
	if r.Reuse != nil && r.Reuse.Count > 0 {
		all = append(all, kept{"reuse", r.Reuse.HDR})
	}
	for _, b := range r.Occupancy {
		name := "full"
		if b.From != b.To {
			name = fmt.Sprintf("%.0f-%.0f", 100*b.From, 100*b.To)
		}
		if b.Count > 0 {
			all = append(all, kept{"occupancy." + name, b.HDR})
		}
	}
	return all
}

// Percentiles writes one histogram of a run as the HdrHistogram tools write a
// distribution of percentiles (.hgrm), in microseconds. Its name is "connect", or
// another of what was timed, "reuse", or a band such as "occupancy.90-100".
// Errors are of type *FormError, where there is no such histogram, those of the
// file's, or those of w.
func Percentiles(w io.Writer, d result.Document, histogram string) error {
	r, ok := d.(*result.Result)
	if !ok {
		return &FormError{"hgrm", "a distribution is one run's, and this is none", "name the folder of one run, such as one inside the set's"}
	}
	var names []string
	for _, h := range histogramsOf(r) {
		if h.name != histogram {
			names = append(names, h.name)
			continue
		}
		decoded, err := result.DecodeHistogram(h.hdr)
		if err != nil {
			return fmt.Errorf("--histogram %s: %w", histogram, err)
		}
		return decoded.WritePercentiles(w, 1e3)
	}
	if len(names) == 0 {
		return &FormError{"hgrm", "the run has no histogram", "--format text"}
	}
	return &FormError{"hgrm", fmt.Sprintf("--histogram %q: the run has %s", histogram, strings.Join(names, ", ")), "--histogram " + names[0]}
}
