package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"lastport/loadgen/curve"
	"lastport/reports/result"
)

// errNoRuns is a folder without a whole fill.
var errNoRuns = errors.New("no fill that came to its end")

// condense takes the quickest fill of each kind from a folder of runs.
func condense(dir string) (*curve.Own, error) {
	folders, err := filepath.Glob(filepath.Join(dir, "*", result.FileName))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	quickest := map[string]*result.Result{}
	own := &curve.Own{CPU: processor()}
	for _, path := range folders {
		d, err := result.ReadAny(path)
		if err != nil {
			return nil, err
		}
		r, ok := d.(*result.Result)
		if !ok || r.Run.Interrupted || r.Measured.FillNS == nil {
			continue
		}
		kind := fmt.Sprint(r.Config.Proto, r.Config.Strategy, r.Space.PortsUsable)
		if best := quickest[kind]; best == nil || *r.Measured.FillNS < *best.Measured.FillNS {
			quickest[kind] = r
		}
		own.Measured = max(own.Measured, r.Run.Started.UTC().Format("2006-01-02"))
		own.Kernel, own.Tool = version(r.Host.Kernel), r.Tool.Version
	}
	if len(quickest) == 0 {
		return nil, fmt.Errorf("%s: %w", dir, errNoRuns)
	}
	for _, r := range quickest {
		c, err := curve.Of(r)
		if err != nil {
			return nil, fmt.Errorf("the fill of %s by %s: %w", r.Config.Range, r.Config.Strategy, err)
		}
		own.Curves = append(own.Curves, c)
	}
	slices.SortFunc(own.Curves, func(a, b curve.Curve) int {
		return cmp.Or(cmp.Compare(a.Proto, b.Proto), cmp.Compare(a.Strategy, b.Strategy), cmp.Compare(a.Ports, b.Ports))
	})
	return own, nil
}

// version is the kernel's, without what its builder has added.
func version(kernel string) string {
	number, _, _ := strings.Cut(kernel, "-")
	return number
}

// processor names what the fills were made by.
func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return fmt.Sprintf("%d processors", runtime.NumCPU())
	}
	_, name, _ := strings.Cut(string(text), "model name")
	name, _, _ = strings.Cut(name, "\n")
	return fmt.Sprintf("%s, %d processors", strings.Trim(name, " \t:"), runtime.NumCPU())
}
