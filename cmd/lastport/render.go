package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/pflag"

	"lastport/reports"
	"lastport/reports/result"
)

// output is how a report is to come out.
type output struct {
	format string
	file   string
}

func (o *output) flags(fs *pflag.FlagSet) {
	fs.StringVar(&o.format, "format", "text", "form of the report: text or json")
	fs.StringVarP(&o.file, "output", "o", "", "write the report to this file instead of standard output")
}

// check finds what is wrong with the flags before anything is done.
func (o *output) check() error {
	switch o.format {
	case "text", "json":
		return nil
	}
	return usagef("--format text", "--format %q: this version has text and json", o.format)
}

// render writes the report. Standard output gets the report and nothing else.
func (o *output) render(stdout io.Writer, d result.Document) error {
	if o.file == "" {
		return o.write(stdout, d)
	}
	f, err := os.Create(o.file)
	if err != nil {
		return fmt.Errorf("-o: %w", err)
	}
	err = o.write(f, d)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("-o %s: %w", o.file, err)
	}
	return nil
}

func (o *output) write(w io.Writer, d result.Document) error {
	if o.format == "json" {
		return reports.JSON(w, d)
	}
	width := terminal(w)
	return reports.Text(w, d, reports.Style{Width: width, Color: width > 0 && mayColor()})
}
