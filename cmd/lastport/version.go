package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"lastport/reports/result"
)

// version is the release, in the form of CHANGELOG.md.
const version = "0.1.0"

// tool says which lastport this is. The commit is the one that the go command
// stamps into a build from a checkout.
func tool() result.Tool {
	t := result.Tool{Version: version, Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return t
	}
	modified := false
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			t.Commit = s.Value
		case "vcs.modified":
			modified = s.Value == "true"
		}
	}
	if t.Commit != "" && modified {
		t.Commit += "+changes"
	}
	return t
}

func (a *app) versionVerb() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "print the version, the commit and the Go version",
		RunE: func(*cobra.Command, []string) error {
			t := tool()
			if t.Commit == "" {
				t.Commit = "unknown"
			}
			_, err := fmt.Fprintf(a.stdout, "lastport %s, commit %s, %s\n", t.Version, t.Commit, t.Go)
			return err
		},
	}
}
