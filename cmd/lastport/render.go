package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"lastport/reports"
	"lastport/reports/result"
)

// output is how a report is to come out.
type output struct {
	format    string
	file      string
	details   bool                   // of a bench: its runs by scenario, too
	table     string                 // of csv; "": there is no such form
	histogram string                 // of hgrm
	changed   func(flag string) bool // by the user; nil: nobody can
}

// The forms of a report.
const (
	formText     = "text"
	formJSON     = "json"
	formMarkdown = "markdown"
	formCSV      = "csv"
	formHGRM     = "hgrm"
	formHTML     = "html"
)

// forms are those of every report; tables says whether it can be of a run, which
// has those of its numbers too.
func forms(tables bool) []string {
	all := []string{formText, formJSON, formMarkdown, formHTML}
	if tables {
		all = append(all, formCSV, formHGRM)
	}
	return all
}

// detailsFlag adds what the verbs have that render a bench.
func (o *output) detailsFlag(fs *pflag.FlagSet) {
	fs.BoolVar(&o.details, "details", false, "of a bench, show also its runs one by one, by scenario")
}

func (o *output) flags(fs *pflag.FlagSet) {
	fs.StringVar(&o.format, "format", formText, "the report's `FORM` of "+strings.Join(forms(false), ", "))
	fs.StringVarP(&o.file, "output", "o", "", "write the report to this `FILE` instead of standard output")
}

// runFlags are those of a verb whose report can be that of a run.
func (o *output) runFlags(fs *pflag.FlagSet) {
	o.flags(fs)
	o.changed = fs.Changed
	fs.Lookup("format").Usage = "the report's `FORM` of " + strings.Join(forms(true), ", ")
	fs.StringVar(&o.table, "table", reports.CSVTables()[0], "with --format csv, a `NAME` of "+strings.Join(reports.CSVTables(), ", "))
	fs.StringVar(&o.histogram, "histogram", "connect", "with --format hgrm, a `NAME` such as connect, failure, reuse or occupancy.90-100")
}

// check finds what is wrong with the flags before anything is done.
func (o *output) check() error {
	known := forms(o.table != "")
	switch {
	case !slices.Contains(known, o.format):
		return usagef("--format text", "--format %q: not one of %s", o.format, strings.Join(known, ", "))
	case o.format == formCSV && !slices.Contains(reports.CSVTables(), o.table):
		return usagef("--table "+reports.CSVTables()[0], "--table %q: not one of %s", o.table, strings.Join(reports.CSVTables(), ", "))
	case o.format == formHGRM && !isHistogram(o.histogram):
		return usagef("--histogram connect", "--histogram %q: no run has one of this name", o.histogram)
	}
	if err := o.checkParts(); err != nil {
		return err
	}
	return o.tryFile()
}

// checkParts refuses the flags that choose a part of a form with another form,
// which would not show it.
func (o *output) checkParts() error {
	for _, part := range []struct{ flag, form, value string }{{"table", formCSV, o.table}, {"histogram", formHGRM, o.histogram}} {
		if o.changed != nil && o.changed(part.flag) && o.format != part.form {
			return usagef("--format "+part.form+" --"+part.flag+" "+part.value, "--%s %s: it is for --format %s, and this is --format %s",
				part.flag, part.value, part.form, o.format)
		}
	}
	return nil
}

// isHistogram says whether a run can have a histogram of the name.
func isHistogram(name string) bool {
	_, ok := result.LookupQuantity(name + ".p50")
	return ok
}

// checkSet refuses the form that several runs do not have.
func (o *output) checkSet() error {
	if o.format == formHGRM {
		return usagef("--format csv", "--format %s: a distribution is one run's, and these are several", formHGRM)
	}
	return nil
}

// tryFile finds out now, and not after a run, whether the file can be written. A
// file that was not there before is not left behind.
func (o *output) tryFile() error {
	if o.file == "" {
		return nil
	}
	_, err := os.Stat(o.file)
	isNew := errors.Is(err, fs.ErrNotExist)
	f, err := os.OpenFile(o.file, os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return &fileError{o.file, err}
	}
	if isNew {
		_ = os.Remove(o.file) // ours, and empty
	}
	return f.Close()
}

// fileError says that the file of -o cannot be written.
type fileError struct {
	path string
	err  error
}

func (e *fileError) Error() string {
	return fmt.Sprintf("-o %s: cannot be written: %v", e.path, cause(e.err))
}
func (e *fileError) Unwrap() error { return e.err }
func (e *fileError) Hint() string  { return "-o with a file in a folder that you may write to" }

// cause is what the system said, without the path that it said it of.
func cause(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

// render writes the report. Standard output gets the report and nothing else.
func (o *output) render(stdout io.Writer, d result.Document) error {
	if o.file == "" {
		return o.write(stdout, d)
	}
	if err := writeOut(o.file, func(w io.Writer) error { return o.write(w, d) }); err != nil {
		return &fileError{o.file, err}
	}
	return nil
}

func (o *output) write(w io.Writer, d result.Document) error {
	switch o.format {
	case formJSON:
		return reports.JSON(w, d)
	case formMarkdown:
		return reports.Markdown(w, d, reports.Style{Details: o.details})
	case formCSV:
		return reports.CSV(w, d, o.table)
	case formHGRM:
		return reports.Percentiles(w, d, o.histogram)
	case formHTML:
		return reports.HTML(w, d)
	}
	width := terminal(w)
	return reports.Text(w, d, reports.Style{Width: width, Color: width > 0 && mayColor(), Details: o.details})
}
