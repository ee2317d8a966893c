package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"lastport/reports/result"
)

// ui says everything that is said to a person besides the report: one line a
// message, in lower case and without a full stop, and a hint where there is
// something to type. It writes to standard error.
type ui struct {
	mu   sync.Mutex
	w    io.Writer
	live bool // a progress line stands on the terminal and must be cleared first
}

func newUI(w io.Writer) *ui { return &ui{w: w} }

func (u *ui) line(format string, args ...any) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.clear()
	fmt.Fprintf(u.w, "%s\n", oneLine(fmt.Sprintf(format, args...)))
}

// clear removes the progress line. The caller holds mu.
func (u *ui) clear() {
	if u.live {
		fmt.Fprint(u.w, "\r\x1b[K")
		u.live = false
	}
}

// oneLine keeps what comes from outside from breaking the line or the terminal.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

// fail says an error and, if it knows one, its hint.
func (u *ui) fail(err error) {
	u.line("lastport: %v", err)
	if h, ok := errors.AsType[interface {
		error
		Hint() string
	}](err); ok && h.Hint() != "" {
		u.line("hint: %s", h.Hint())
	}
}

func (u *ui) saved(dir string) { u.line("saved: %s", dir) }
func (u *ui) page(path string) { u.line("page: %s", path) }
func (u *ui) draining() {
	u.line("interrupted: releasing and writing what there is; once more to leave at once")
}

func (u *ui) unsaved(err error) { u.line("%v; the run goes on and is reported at its end", err) }
func (u *ui) notMet(e result.Expected) {
	u.line("lastport: expectation not met: %s, measured %s", e.Expr, e.Value)
}

// together says that runs go on side by side, and so say nothing themselves.
func (u *ui) together(n int) { u.line("%d runs side by side, each in a place of its own", n) }

// waiting is together for runs of which it is known how long they wait.
func (u *ui) waiting(n int, lasts time.Duration) {
	u.line("%d runs side by side, each in a place of its own, for about %v: ports in TIME_WAIT", n, lasts)
}

func (u *ui) member(i, n int, name string) {
	u.line("run %d of %d: %s", i, n, name)
}

// terminal returns the width of the terminal that w is, or 0 if it is none.
func terminal(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 {
		return 80
	}
	return width
}

// mayColor says whether the environment allows colours (no-color.org).
func mayColor() bool {
	return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
