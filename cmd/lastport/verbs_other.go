//go:build !linux

package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

// runVerbs are the verbs that make runs. Here each says that it cannot: the
// ports, namespaces and counters that a run needs are Linux's.
func (a *app) runVerbs() []*cobra.Command {
	return []*cobra.Command{
		linuxOnly("fill", "open connections until no port is left (Linux only)"),
		linuxOnly("survey", "which ports are picked, and in what order (Linux only)"),
		linuxOnly("reach", "which source ports a path lets through (Linux only)"),
		linuxOnly("bench", "the standard suite (Linux only)"),
		linuxOnly("serve", "the bundled listener alone (Linux only)"),
		linuxOnly("watch", "this host's ports, live, by source and target (Linux only)"),
		linuxOnly("doctor", "what this machine allows, and what would block a run (Linux only)"),
	}
}

func linuxOnly(verb, short string) *cobra.Command {
	return &cobra.Command{
		Use:   verb,
		Short: short,
		// Whatever flags it is given, the answer is about the system.
		FParseErrWhitelist: cobra.FParseErrWhitelist{UnknownFlags: true},
		Args:               cobra.ArbitraryArgs,
		RunE:               func(*cobra.Command, []string) error { return &linuxOnlyError{verb} },
	}
}

// linuxOnlyError says that a verb does not run on this system.
type linuxOnlyError struct{ verb string }

func (e *linuxOnlyError) Error() string {
	return fmt.Sprintf("%s: Linux only, and this is %s", e.verb, runtime.GOOS)
}

// Hint says what does work here.
func (e *linuxOnlyError) Hint() string {
	return "'lastport report DIR' renders here what was measured there"
}

// interrupted is how a run ends that a signal ends. Here none begins.
type interrupted struct{ error }

// prove has no kernel to ask here.
func (a *app) prove(*planFlags) error { return &linuxOnlyError{"plan --prove"} }
