package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/pflag"

	"lastport/reports"
	"lastport/reports/result"
)

// output is how a report is to come out.
type output struct {
	format  string
	file    string
	details bool // of a bench: its runs by scenario, too
}

// detailsFlag adds what the verbs have that render a bench.
func (o *output) detailsFlag(fs *pflag.FlagSet) {
	fs.BoolVar(&o.details, "details", false, "of a bench, show also its runs one by one, by scenario")
}

func (o *output) flags(fs *pflag.FlagSet) {
	fs.StringVar(&o.format, "format", "text", "`FORM` of the report: text or json")
	fs.StringVarP(&o.file, "output", "o", "", "write the report to this `FILE` instead of standard output")
}

// check finds what is wrong with the flags before anything is done.
func (o *output) check() error {
	switch o.format {
	case "text", "json":
		return o.tryFile()
	}
	return usagef("--format text", "--format %q: this version has text and json", o.format)
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
	f, err := os.Create(o.file)
	if err != nil {
		return &fileError{o.file, err}
	}
	err = o.write(f, d)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return &fileError{o.file, err}
	}
	return nil
}

func (o *output) write(w io.Writer, d result.Document) error {
	if o.format == "json" {
		return reports.JSON(w, d)
	}
	width := terminal(w)
	return reports.Text(w, d, reports.Style{Width: width, Color: width > 0 && mayColor(), Details: o.details})
}
