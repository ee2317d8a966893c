package main

import (
	"github.com/spf13/cobra"

	"lastport/reports"
	"lastport/reports/result"
)

// reportVerb renders a saved run.
func (a *app) reportVerb() *cobra.Command {
	var out output
	verb := &cobra.Command{
		Use:   "report [DIR|FILE|-]...",
		Short: "render a saved run, the newest when none is named",
		Long: "report renders the result of a run, or of a set of runs, that was saved\n" +
			"before, and what compare, plan and doctor write as JSON; - is standard input.\n" +
			"A run that was killed is rendered as far as it came, marked as interrupted.\n" +
			"Several are rendered side by side, as the runs of one set.",
		Example: "  lastport report\n  lastport report lastport-20260102-150405-fill\n  lastport report --format json results/result.json\n" +
			"  lastport report --format html -o page.html before after",
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if err := out.check(); err != nil {
				return err
			}
			args, err := orNewest(args)
			if err != nil {
				return err
			}
			if err := out.notOver(args...); err != nil {
				return err
			}
			d, err := chosen(c, args)
			if err != nil {
				return err
			}
			if len(args) > 1 {
				if err := out.checkSet(); err != nil {
					return err
				}
			}
			return out.render(a.stdout, d)
		},
	}
	out.runFlags(verb.Flags())
	out.detailsFlag(verb.Flags())
	return verb
}

// orNewest names the newest run here where nothing is named.
func orNewest(args []string) ([]string, error) {
	if len(args) > 0 {
		return args, nil
	}
	newest, err := result.Newest(".")
	return []string{newest}, err
}

// chosen reads what the arguments name: several become one set.
func chosen(c *cobra.Command, args []string) (result.Document, error) {
	if len(args) == 1 {
		return saved(c, args[0])
	}
	sides := make([]reports.Side, len(args))
	for i, arg := range args {
		d, err := saved(c, arg)
		if err != nil {
			return nil, err
		}
		if sides[i].From = arg; arg == "-" {
			sides[i].From = "standard input"
		}
		switch d := d.(type) {
		case *result.Result:
			sides[i].Runs = []*result.Result{d}
		case *result.Set:
			sides[i].Runs = d.Runs
		default:
			return nil, usagef("lastport report with it alone", "report %s: runs alone are rendered side by side, and it holds none", arg)
		}
	}
	return reports.Join(sides...), nil
}

// saved reads what one argument names.
func saved(c *cobra.Command, arg string) (result.Document, error) {
	if arg != "-" {
		return result.ReadAny(arg)
	}
	d, err := result.Decode(c.InOrStdin())
	if err != nil {
		return nil, &result.FileError{Op: "read", Path: "standard input", Err: err}
	}
	return d, nil
}
