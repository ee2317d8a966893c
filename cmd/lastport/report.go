package main

import (
	"github.com/spf13/cobra"

	"lastport/reports/result"
)

// reportVerb renders a saved run.
func (a *app) reportVerb() *cobra.Command {
	var out output
	c := &cobra.Command{
		Use:   "report [DIR|FILE]",
		Short: "render a saved run, the newest when none is named",
		Long: "report renders the result of a run, or of a set of runs, that was saved\n" +
			"before. A run that was killed is rendered as far as it came, marked as\n" +
			"interrupted.",
		Example: "  lastport report\n  lastport report lastport-20260102-150405-fill\n  lastport report --format json results/result.json",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("lastport report DIR", "report takes one folder or file, but got %d", len(args))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if err := out.check(); err != nil {
				return err
			}
			path, err := chosen(args)
			if err != nil {
				return err
			}
			d, err := result.ReadAny(path)
			if err != nil {
				return err
			}
			return out.render(a.stdout, d)
		},
	}
	out.flags(c.Flags())
	out.detailsFlag(c.Flags())
	return c
}

func chosen(args []string) (string, error) {
	if len(args) == 1 {
		return args[0], nil
	}
	return result.Newest(".")
}
