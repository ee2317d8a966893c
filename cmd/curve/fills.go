package main

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"

	"lastport/loadgen/strategy"
	"lastport/reports/result"
)

// fill is one to be made.
type fill struct {
	proto, strategy, ports string
	size, rounds           int
}

// fills lists them: every strategy over TCP, and those of the kernel over UDP. A
// bind that finds its port among 64,512 searches for hours.
func fills() []fill {
	const often, once = 3, 1
	var all []fill
	for _, r := range []struct {
		ports  string
		size   int
		rounds int
	}{
		{"40000-41023", 1024, often},
		{"40000-44095", 4096, often},
		{"49152-65535", 16384, often},
		{"32768-60999", 28232, often},
		{"1024-65535", 64512, once},
	} {
		for _, name := range strategy.Names() {
			if name != "bind" || r.rounds == often {
				all = append(all, fill{"tcp", name, r.ports, r.size, r.rounds})
			}
		}
		for _, name := range []string{"connect", "bind", "late-bind", "socket-range", "window"} {
			if r.rounds == often {
				all = append(all, fill{"udp", name, r.ports, r.size, r.rounds})
			}
		}
	}
	return all
}

// make runs the fill, unless it is there.
func (f fill) make(ctx context.Context, o options, round int, stderr io.Writer) error {
	dir := filepath.Join(o.runs, fmt.Sprintf("%s-%s-%d-%d", f.proto, f.strategy, f.size, round))
	if _, err := result.ReadAny(dir); err == nil {
		return nil
	}
	cmd := exec.CommandContext(ctx, o.lastport, "fill", "--proto", f.proto, "--strategy", f.strategy,
		"--range", f.ports, "--progress", "none", "--out", dir)
	cmd.Stderr = stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("fill %s by %s over %s: %w", f.ports, f.strategy, f.proto, err)
	}
	return nil
}
