package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"lastport/loadgen"
	"lastport/loadgen/step"
)

// surveyFlags are the flags of survey besides those of every run.
type surveyFlags struct {
	runFlags
	attempts int64
}

func (a *app) surveyVerb() *cobra.Command {
	var f surveyFlags
	c := &cobra.Command{
		Use:   "survey",
		Short: "which ports are picked, and in what order",
		Long: "survey opens connections one after the other and looks at their source ports:\n" +
			"first with each closed before the next, then with all of them kept until the\n" +
			"range is full. It says which parity comes first, how far one pick is from the\n" +
			"next, whether picks are uniform, when a port comes again, and how often the next\n" +
			"pick is guessed right; with several targets, whether the ports toward one tell\n" +
			"those toward another.",
		Example: "  lastport survey --range 40000-40999\n" +
			"  lastport survey --range 40000-40999 --strategy socket-range\n" +
			"  lastport survey --range 40000-40999 --strategy all\n" +
			"  lastport survey --range 40000-40999 --target 198.18.0.1:1000-1001\n" +
			"  lastport survey --range 40000-40999 --proto udp --attempts 500",
		RunE: func(c *cobra.Command, _ []string) error {
			if c.Flags().Changed("close") {
				return usagef("leave --close out", "--close %s: a survey closes by RST, so that a port is free at once", f.close)
			}
			return a.single("survey", step.ClientRST, &f.runFlags, f.surveyConfig)
		},
	}
	fs := c.Flags()
	f.add(fs)
	fs.Int64Var(&f.attempts, "attempts", 0, fmt.Sprintf("a `NUMBER` of picks in each part (default: as many as there are ports, %d at most)", loadgen.MostPicks))
	for _, name := range []string{"close", "hold", "linger", "workers"} {
		_ = fs.MarkHidden(name) // they mean nothing here; the flags exist, so this cannot fail
	}
	return c
}

// maxAttempts bounds the picks that are kept in memory and sorted.
const maxAttempts = 1_000_000

// surveyConfig adds what the flags of survey say.
func (f *surveyFlags) surveyConfig(c *loadgen.Config) error {
	switch {
	case f.attempts < 0 || f.attempts > maxAttempts:
		return usagef("--attempts 1000", "--attempts %d: want 1 to %d, or 0 for as many as there are ports", f.attempts, maxAttempts)
	case f.workers != 1:
		return usagef("--workers 1", "--workers %d: a survey is one worker's, so that picks have an order", f.workers)
	case f.hold != 0:
		return usagef("leave --hold out", "--hold %v: a survey keeps connections until the range is full", f.hold)
	}
	c.Attempts = f.attempts
	return nil
}
