package main

import (
	"io"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// continued tells when the process goes on after it was stopped (Ctrl-Z), until
// ignore is called.
func continued() (back <-chan os.Signal, ignore func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGCONT)
	return signals, func() { signal.Stop(signals) }
}

// inForeground says whether the terminal that w is is this job's to draw on. One
// that does not control the process has no jobs.
func inForeground(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return true
	}
	group, err := unix.IoctlGetInt(int(f.Fd()), unix.TIOCGPGRP)
	return err != nil || group == unix.Getpgrp()
}
