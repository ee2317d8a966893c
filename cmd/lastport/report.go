package main

import (
	"github.com/spf13/cobra"

	"lastport/reports/result"
)

// reportVerb renders a saved run.
func (a *app) reportVerb() *cobra.Command {
	var out output
	verb := &cobra.Command{
		Use:   "report [DIR|FILE|-]",
		Short: "render a saved run, the newest when none is named",
		Long: "report renders the result of a run, or of a set of runs, that was saved\n" +
			"before, and what plan and doctor write as JSON; - is standard input. A run\n" +
			"that was killed is rendered as far as it came, marked as interrupted.",
		Example: "  lastport report\n  lastport report lastport-20260102-150405-fill\n  lastport report --format json results/result.json",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("lastport report DIR", "report takes one folder or file, but got %d", len(args))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if err := out.check(); err != nil {
				return err
			}
			d, err := chosen(c, args)
			if err != nil {
				return err
			}
			return out.render(a.stdout, d)
		},
	}
	out.flags(verb.Flags())
	out.detailsFlag(verb.Flags())
	return verb
}

// chosen reads what the argument names.
func chosen(c *cobra.Command, args []string) (result.Document, error) {
	if len(args) == 0 {
		path, err := result.Newest(".")
		if err != nil {
			return nil, err
		}
		return result.ReadAny(path)
	}
	if args[0] != "-" {
		return result.ReadAny(args[0])
	}
	d, err := result.Decode(c.InOrStdin())
	if err != nil {
		return nil, &result.FileError{Op: "read", Path: "standard input", Err: err}
	}
	return d, nil
}
