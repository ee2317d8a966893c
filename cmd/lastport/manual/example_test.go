package manual_test

import (
	"fmt"
	"testing/fstest"

	"github.com/spf13/cobra"

	"lastport/cmd/lastport/manual"
)

// program is a command line of one verb.
func program() *cobra.Command {
	root := &cobra.Command{Use: "brew", Short: "makes tea", Long: "brew makes tea.\nIt needs water."}
	steep := &cobra.Command{
		Use: "steep", Short: "put the leaves in",
		Long:    "steep waits for --time.",
		Example: "  brew steep --time 3m",
		Run:     func(*cobra.Command, []string) {},
	}
	steep.Flags().Duration("time", 0, "how `LONG` the leaves stay in (default: until they sink)")
	root.AddCommand(steep)
	return root
}

func ExamplePages() {
	notes := fstest.MapFS{
		"steep.md": {Data: []byte("Green tea is *not* boiled.\n\n## Leaves\n\nWhole ones.\n")},
		"flags.md": {Data: []byte("## Patience\n\n- `--time`: Black tea takes `4m`.\n")},
	}
	pages, err := manual.Pages(program(), notes)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range pages {
		fmt.Println(p.File())
	}
	fmt.Println(pages[1].Man("brew 1.0"))
	// Output:
	// manual.md
	// manual/brew-steep.md
	// .TH "BREW\-STEEP" 1 "" "brew 1.0" "User Commands"
	// .nh
	// .ad l
	// .SH NAME
	// brew\-steep \- put the leaves in
	// .SH SYNOPSIS
	// \fBbrew steep\fR [flags]
	// .SH "DESCRIPTION"
	// .PP
	// steep waits for \fB\-\-time\fR.
	// .PP
	// Green tea is *not* boiled.
	// .SH OPTIONS
	// .TP
	// \fB\-\-time\fR \fILONG\fR
	// How LONG the leaves stay in. Black tea takes \fB4m\fR.
	// Default: until they sink.
	// .SH "LEAVES"
	// .PP
	// Whole ones.
	// .SH "EXAMPLES"
	// .PP
	// .RS 4
	// .nf
	// $ brew steep \-\-time 3m
	// .fi
	// .RE
	// .SH "SEE ALSO"
	// \fBbrew\fR(1)
}
