package main

import (
	"encoding/json"
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
	var format string
	c := &cobra.Command{
		Use:     "version",
		Short:   "print the version, the commit and the Go version",
		Long:    "version prints the version, the commit that was built, the version of Go that\nbuilt it, and the system that it was built for.",
		Example: "  lastport version\n  lastport version --format json",
		RunE: func(*cobra.Command, []string) error {
			switch format {
			case "text":
				_, err := fmt.Fprintln(a.stdout, thisBuild())
				return err
			case "json":
				enc := json.NewEncoder(a.stdout)
				enc.SetIndent("", "  ")
				return enc.Encode(thisBuild())
			}
			return usagef("--format text", "--format %q: not one of text, json", format)
		},
	}
	c.Flags().StringVar(&format, "format", "text", "`FORM` of the answer: text or json")
	return c
}

// build is which lastport this is, and for which system it was built.
type build struct {
	result.Tool
	OS   string `json:"os"`
	Arch string `json:"arch"`
}

func thisBuild() build { return build{tool(), runtime.GOOS, runtime.GOARCH} }

// String is the build on one line.
func (b build) String() string {
	commit := b.Commit
	if commit == "" {
		commit = "unknown"
	}
	return fmt.Sprintf("lastport %s, commit %s, %s, %s/%s", b.Version, commit, b.Go, b.OS, b.Arch)
}
