package main

import (
	"errors"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"lastport/loadgen/ports"
)

// Exit statuses.
const (
	exitOK          = 0
	exitFailed      = 1   // the run could not be made, or a file not be read or understood
	exitUsage       = 2   // wrong usage
	exitExpectation = 3   // an expectation did not hold
	exitInterrupted = 130 // interrupted, and the partial result was written
)

// app is what every verb needs.
type app struct {
	stdout  io.Writer
	ui      *ui
	status  int         // of a verb that ended without an error
	metrics *runMetrics // of runs; nil: nobody asked for them
}

// run does what the arguments say and returns the exit status.
func run(args []string, stdout, stderr io.Writer) int {
	a := &app{stdout: stdout, ui: newUI(stderr)}
	root := a.root()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.Execute()
	if err == nil {
		return a.status
	}
	a.ui.fail(err)
	return statusOf(err)
}

// helpWidth is how wide a help text is, in columns.
const helpWidth = 80

// usageTemplate is cobra's, less what lastport does not have, at 80 columns.
const usageTemplate = `Usage:
  {{.UseLine}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}{{if .HasAvailableSubCommands}}

Verbs:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{flags .LocalFlags}}{{end}}
`

func statusOf(err error) int {
	if i, ok := errors.AsType[interface {
		error
		Interrupted() bool
	}](err); ok && i.Interrupted() {
		return exitInterrupted
	}
	if u, ok := errors.AsType[interface {
		error
		Usage() bool
	}](err); ok && u.Usage() {
		return exitUsage
	}
	return exitFailed
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "lastport",
		Short: "an ephemeral port exhaustion load tester",
		Long: "lastport opens connections from a chosen range of source ports to a bundled\n" +
			"listener until no port is left. It measures how ports are allocated, how soon\n" +
			"a closed port can be used again, and what happens to latency and errors on the\n" +
			"way, and compares all of it with what arithmetic predicts.",
		Example:           "  lastport fill\n  lastport fill --range 40000-40999 --strategy socket-range\n  lastport report",
		Version:           thisBuild().String(),
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownVerb(args[0], verbNames(c))
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetFlagErrorFunc(flagError)
	root.SetUsageTemplate(usageTemplate)
	root.SetVersionTemplate("{{.Version}}\n")
	cobra.AddTemplateFunc("flags", func(fs *pflag.FlagSet) string { return strings.TrimRight(fs.FlagUsagesWrapped(helpWidth), "\n") })
	root.AddCommand(a.runVerbs()...)
	root.AddCommand(a.planVerb(), a.reportVerb(), a.compareVerb(), a.mergeVerb(), a.completionVerb(), a.versionVerb())
	for _, c := range root.Commands() {
		takesNoWords(c)
		completeValues(c)
	}
	return root
}

// takesNoWords makes a verb that has no arguments of its own say so.
func takesNoWords(c *cobra.Command) {
	if c.Args != nil {
		return
	}
	c.Args = func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			return usagef("lastport "+c.Name()+" --help", "%s takes no argument, but got %q", c.Name(), args[0])
		}
		return nil
	}
}

func verbNames(root *cobra.Command) []string {
	var names []string
	for _, c := range root.Commands() {
		if !c.Hidden {
			names = append(names, c.Name())
		}
	}
	return names
}

func unknownVerb(word string, verbs []string) error {
	hint := "lastport --help"
	if near, ok := ports.Nearest(word, verbs); ok {
		hint = "lastport " + near
	}
	return usagef(hint, "unknown verb %q", word)
}
