package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"lastport/loadgen"
	"lastport/loadgen/place"
	"lastport/loadgen/step"
	"lastport/reports/result"
)

// runVerbs are the verbs that make runs.
func (a *app) runVerbs() []*cobra.Command {
	runs := []*cobra.Command{a.fillVerb(), a.churnVerb(), a.reuseVerb(), a.surveyVerb(), a.reachVerb(), a.benchVerb()}
	for _, c := range runs {
		a.addMetrics(c)
	}
	return append(runs,
		a.serveVerb(), a.watchVerb(), a.doctorVerb(), a.childCommand(), mindCommand(), a.doctorChild(), a.docsVerb())
}

func (a *app) fillVerb() *cobra.Command {
	var f runFlags
	var edge edgeFlags
	c := &cobra.Command{
		Use:   "fill [flags] [-- COMMAND ARG...]",
		Args:  commandWords,
		Short: "open connections until no port is left",
		Long: "fill opens connections from a range of source ports to a bundled listener\n" +
			"until no port is left, makes 100 further attempts on the full range, releases\n" +
			"all, and proves with one more connection that ports come back. It needs no\n" +
			"root and changes nothing on the host: it happens in a network namespace of its\n" +
			"own.\n\n" +
			"Connections are released by RST unless --close is given: after FIN a port\n" +
			"comes back only when its TIME_WAIT is over, and the run waits for that.\n\n" +
			"A command after -- runs in the same place while all ports but --leave of them\n" +
			"are held, with the target in LASTPORT_TARGET. What it writes goes to standard\n" +
			"error; the report says how it ended and how its connections fared.",
		Example: "  lastport fill\n" +
			"  lastport fill --range 40000-40999 --format json\n" +
			"  lastport fill --range aws-nat --strategy socket-range\n" +
			"  lastport fill --range 40000-40099,41000-41049 --exclude 40010\n" +
			"  lastport fill --range 40000-40999 --strategy all\n" +
			"  lastport fill --source 198.18.1.1-198.18.1.3 --target 198.18.0.1:1000-1001\n" +
			"  lastport fill --place nat --nat-range 2000-2009 --nat-addresses 3\n" +
			"  lastport fill --connections 5000 --expect 'connect.p99<1ms' --expect connections==5000\n" +
			"  lastport fill --range 40000-40999 --leave 20 --hold 5m -- ./my-client\n" +
			"  lastport fill --place host --target 10.0.0.7:7000 --token-file token",
		RunE: func(c *cobra.Command, words []string) error {
			f.workersGiven = c.Flags().Changed("workers")
			edge.command = words
			f.keeps = edge.keepsEnough
			return a.single("fill", step.ClientRST, &f, func(c *loadgen.Config) error { return edge.edge(&f, c) })
		},
	}
	f.add(c.Flags())
	f.addGateway(c.Flags())
	f.addRepeat(c.Flags())
	f.addShard(c.Flags())
	c.Flags().Int64Var(&f.connections, "connections", 0, "open no more than this `NUMBER`, over several targets if one has too few ports for it (default: as many as there are ports)")
	c.Flags().Int64Var(&edge.leave, "leave", 0, "give this `NUMBER` of ports back, once all are taken, for the time of --hold or of the command")
	return c
}

// sysctlKeys names the keys of --sysctl that can be read as such.
func sysctlKeys(sysctls []string) []string {
	var keys []string
	for _, text := range sysctls {
		if s, err := place.ParseSetting(text); err == nil {
			keys = append(keys, s.Key)
		}
	}
	return keys
}

// conclude reports what a run came to, whatever that is: a result that could
// not be saved is still shown.
func (a *app) conclude(res *result.Result, err error, dir *folder, out *output) error {
	saveErr := dir.close()
	if res == nil {
		if _, ok := errors.AsType[interrupted](err); !ok {
			dir.abandon()
		}
		return err
	}
	if saveErr == nil {
		a.ui.saved(dir.path)
	}
	if renderErr := out.render(a.stdout, res); renderErr != nil && err == nil {
		err = renderErr
	}
	switch {
	case err != nil:
		return err
	case saveErr != nil:
		return saveErr
	}
	a.status = statusOfResult(res)
	for _, e := range res.Expect {
		if !e.Held {
			a.ui.notMet(e)
		}
	}
	if res.Command != nil && res.Command.Error != "" {
		return fmt.Errorf("%s", res.Verdict.Text)
	}
	if a.status == exitFailed {
		return fmt.Errorf("no connection could be made: %s", res.Verdict.Text)
	}
	return nil
}

// found says whether a reach has found something out, be it that nothing gets
// through: it has if there was somebody to get through to.
func found(r *result.Reach) bool { return r != nil && r.Listening != nil && *r.Listening }

// statusOfResult is the exit status of a run that came to a result.
func statusOfResult(r *result.Result) int {
	if r.Run.Interrupted {
		return exitInterrupted
	}
	for _, e := range r.Expect {
		if !e.Held {
			return exitExpectation
		}
	}
	if r.Command != nil && r.Command.Error != "" {
		return exitFailed
	}
	if r.Outcomes.OK+r.Outcomes.NoPort+r.Outcomes.NATNoPort == 0 && r.Reuse == nil && !found(r.Reach) {
		return exitFailed
	}
	return exitOK
}
