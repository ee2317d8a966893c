package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"lastport/loadgen/ports"
)

// usageError is a command line that cannot be understood.
type usageError struct{ text, hint string }

func (e *usageError) Error() string { return e.text }
func (e *usageError) Hint() string  { return e.hint }
func (e *usageError) Usage() bool   { return true }

func usagef(hint, format string, args ...any) error {
	return &usageError{text: fmt.Sprintf(format, args...), hint: hint}
}

// flagError turns what pflag says into one line and a hint: the nearest flag,
// or the flag's form.
func flagError(c *cobra.Command, err error) error {
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		name := strings.TrimLeft(unknown.GetSpecifiedName(), "-")
		hint := c.CommandPath() + " --help"
		if near, ok := ports.Nearest(name, flagNames(c)); ok {
			hint = "--" + near
		}
		return usagef(hint, "unknown flag %s", strings.Repeat("-", min(2, len(name)))+name)
	}
	if bad, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		f := bad.GetFlag()
		return usagef(example(f), "--%s %q: want %s", f.Name, bad.GetValue(), form(f))
	}
	if missing, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		f := missing.GetFlag()
		return usagef(example(f), "--%s needs a value: %s", f.Name, form(f))
	}
	return usagef(c.CommandPath()+" --help", "%v", err)
}

func flagNames(c *cobra.Command) []string {
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return names
}

// form says what values of the flag's type look like.
func form(f *pflag.Flag) string {
	switch f.Value.Type() {
	case "duration":
		return "a time with its unit, such as 500ms, 10s or 2m"
	case "int", "int64", "uint64":
		return "a whole number"
	case "bool":
		return "true or false"
	}
	return f.Usage
}

// example is the flag with a value that it takes.
func example(f *pflag.Flag) string {
	value := f.DefValue
	switch f.Value.Type() {
	case "duration":
		value = "10s"
	case "int", "int64", "uint64":
		value = "1"
	}
	if value == "" || value == "[]" {
		name, _ := pflag.UnquoteUsage(f)
		value = name
	}
	return fmt.Sprintf("--%s %s", f.Name, value)
}

// named puts a flag's name in front of an error that has none, and keeps its
// hint and kind.
func named(flag string, err error) error { return &flagErr{flag, err} }

type flagErr struct {
	flag string
	err  error
}

func (e *flagErr) Error() string { return e.flag + ": " + e.err.Error() }
func (e *flagErr) Unwrap() error { return e.err }
func (e *flagErr) Usage() bool   { return true }

// Hint is the error's own, with the flag in front of a value alone, so that it
// can be typed.
func (e *flagErr) Hint() string {
	h, ok := errors.AsType[interface {
		error
		Hint() string
	}](e.err)
	if !ok {
		return ""
	}
	if hint := h.Hint(); hint == "" || strings.ContainsAny(hint, " ") || strings.HasPrefix(hint, "-") {
		return hint
	}
	return e.flag + " " + h.Hint()
}
