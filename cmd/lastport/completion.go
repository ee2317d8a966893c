package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"lastport/loadgen"
	"lastport/loadgen/place"
	"lastport/loadgen/ports"
	"lastport/loadgen/step"
	"lastport/loadgen/strategy"
	"lastport/reports"
)

// shells are those that lastport can write a completion script for.
func shells() []string { return []string{"bash", "zsh", "fish", "powershell"} }

// completionVerb writes the script that a shell completes lastport's words with.
func (a *app) completionVerb() *cobra.Command {
	return &cobra.Command{
		Use:   "completion " + strings.Join(shells(), "|"),
		Short: "write the script by which a shell completes verbs and flags",
		Long: "completion writes a script for a shell to standard output. With it, Tab\n" +
			"completes verbs, flags, and those values of flags that come from a list, such\n" +
			"as the named ranges. In bash it needs the package bash-completion.",
		Example:   "  source <(lastport completion bash)\n  lastport completion fish > ~/.config/fish/completions/lastport.fish",
		ValidArgs: shells(),
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) != 1:
				return usagef("lastport completion bash", "completion takes one shell, but got %d", len(args))
			case !slices.Contains(shells(), args[0]):
				return usagef("lastport completion bash", "completion: unknown shell %q: not one of %s", args[0], strings.Join(shells(), ", "))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			root := c.Root()
			write := map[string]func() error{
				"bash":       func() error { return root.GenBashCompletionV2(a.stdout, true) },
				"zsh":        func() error { return root.GenZshCompletion(a.stdout) },
				"fish":       func() error { return root.GenFishCompletion(a.stdout, true) },
				"powershell": func() error { return root.GenPowerShellCompletionWithDesc(a.stdout) },
			}[args[0]]
			if err := write(); err != nil {
				return fmt.Errorf("completion %s: %w", args[0], err)
			}
			return nil
		},
	}
}

// completeValues makes every flag of a verb complete what its value can be:
// words from a list, folders, or nothing where no list has it. Files come by
// themselves only where a file is meant.
func completeValues(c *cobra.Command) {
	if c.ValidArgs == nil && c.ValidArgsFunction == nil && !strings.Contains(c.Use, "FILE") {
		c.ValidArgsFunction = cobra.NoFileCompletions
	}
	c.Flags().VisitAll(func(f *pflag.Flag) {
		complete := cobra.NoFileCompletions
		if words := flagWords(c.Name(), f.Name); words != nil {
			complete = cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)
		}
		switch f.Name {
		case "output", "from", "matrix", "token-file": // a file
			return
		case "sysctl": // the value follows
			complete = cobra.FixedCompletions(flagWords(c.Name(), f.Name), cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveNoSpace)
		case "out":
			complete = cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs)
		}
		_ = c.RegisterFlagCompletionFunc(f.Name, complete) // it fails for a flag that is not there, or twice
	})
}

// flagWords are the words that a verb's flag takes, nil where they come from no
// list. What follows a tab says what a word is.
func flagWords(verb, flag string) []string {
	switch flag {
	case "range":
		return rangeWords()
	case "strategy":
		if verb == "plan" {
			return strategy.Names()
		}
		return append(strategy.Names(), "all")
	case "close":
		if verb == "reuse" {
			return append(step.CloseModes(), "all")
		}
		return step.CloseModes()
	case "mode":
		return loadgen.ReuseModes()
	case "engine":
		return loadgen.Engines()
	case "ends":
		return []string{"auto", "together", "apart"}
	case "place", "nat-range":
		return placeWords(flag)
	case "format":
		return formWords(verb)
	case "table":
		return reports.CSVTables()
	case "progress":
		return []string{"auto", "plain", "none"}
	case "proto":
		return []string{"tcp", "udp"}
	case "sysctl", "gateway":
		return planWords(verb, flag)
	}
	return nil
}

// formWords are the forms of what a verb writes.
func formWords(verb string) []string {
	switch verb {
	case "serve", "version", "watch":
		return []string{formText, formJSON}
	case "plan", "doctor", "compare":
		return forms(false)
	}
	return forms(true)
}

// placeWords are those of the flags of a place.
func placeWords(flag string) []string {
	if flag == "place" {
		return place.Kinds()
	}
	return rangeWords()[1:] // the host's is no gateway's
}

// planWords are those of flags that are completed for plan alone.
func planWords(verb, flag string) []string {
	switch {
	case verb != "plan":
		return nil
	case flag == "gateway":
		return gatewayNames()
	}
	return settingWords()
}

// settingWords are the keys that a plan understands, ready for their values.
func settingWords() (words []string) {
	for _, k := range planKeys() {
		words = append(words, settingsPrefix+k.name+"=")
	}
	return words
}

// rangeWords are the host's range and those with a name.
func rangeWords() []string {
	words := []string{"host\tthe range of this host"}
	for _, p := range ports.Profiles() {
		for _, name := range append([]string{p.Name}, p.Aliases...) {
			words = append(words, name+"\t"+p.Ranges.String())
		}
	}
	return words
}
