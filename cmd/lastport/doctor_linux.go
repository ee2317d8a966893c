package main

import (
	"time"

	"github.com/spf13/cobra"

	"lastport/loadgen/doctor"
	"lastport/reports/result"
)

// doctorVerb looks at the host.
func (a *app) doctorVerb() *cobra.Command {
	var out output
	c := &cobra.Command{
		Use:   "doctor",
		Short: "what this machine allows, what would block a run, and the command that fixes it",
		Long: "doctor says what this host can have toward one target as it is set up, who has\n" +
			"ports of its range now, by target and by process, and which limit comes next. It\n" +
			"looks at limits, namespaces, ports, TIME_WAIT settings, queues, kernel features,\n" +
			"control groups and signs of a container. For each it says what that allows here,\n" +
			"what it would block, the commands that change it, also for good, and those that\n" +
			"undo them. It changes nothing itself, opens no connection, and needs no root: as\n" +
			"root it sees other users' processes, too.\n\n" +
			"The exit status is 3 when something is wrong: a check \"blocks\" a verb or a\n" +
			"flag, or \"warn\" says that something silently falsifies numbers.",
		Example: "  lastport doctor\n  lastport doctor --all\n  lastport doctor --format json -o doctor.json",
		RunE: func(*cobra.Command, []string) error {
			if err := out.check(); err != nil {
				return err
			}
			checkup := doctor.Examine(doctor.Collect(doctorChildVerb))
			checkup.Tool, checkup.Checked = tool(), time.Now().UTC()
			return a.concludeCheckup(checkup, &out)
		},
	}
	c.Flags().BoolVar(&out.details, "all", false, "show the details of what is fine, too")
	out.flags(c.Flags())
	return c
}

// concludeCheckup reports a checkup and sets the exit status for it.
func (a *app) concludeCheckup(c *result.Checkup, out *output) error {
	if err := out.render(a.stdout, c); err != nil {
		return err
	}
	if c.Wrong() > 0 {
		a.status = exitExpectation
	}
	return nil
}

// doctorChildVerb is the verb that the doctor starts lastport with, in a private
// place, to see whether one can be made.
const doctorChildVerb = "doctor-in-place"

// doctorChild is the doctor's side in that place.
func (a *app) doctorChild() *cobra.Command {
	return &cobra.Command{
		Use:    doctorChildVerb,
		Short:  "set up the place that the parent made, and say what came of it",
		Hidden: true,
		RunE:   func(*cobra.Command, []string) error { return doctor.InPlace() },
	}
}
