package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/term"

	"lastport/cmd/lastport/live"
	"lastport/reports/result"
)

// ui says everything that is said to a person besides the report: one line a
// message, in lower case and without a full stop, and a hint where there is
// something to type. It writes to standard error.
type ui struct {
	w     io.Writer
	mu    sync.Mutex // guards what is below; a run is drawn at any time
	block live.Painter
	gone  bool // nobody reads any more
}

func newUI(w io.Writer) *ui {
	u := &ui{w: w}
	u.block.W = u
	return u
}

// Write writes to standard error until that fails: what nobody reads is no reason
// to end a run. Go would end a program that writes to a closed pipe there and has
// not asked for the signal.
func (u *ui) Write(p []byte) (int, error) {
	if u.gone {
		return len(p), nil
	}
	broken := make(chan os.Signal, 1)
	signal.Notify(broken, syscall.SIGPIPE)
	defer signal.Stop(broken)
	_, err := u.w.Write(p)
	u.gone = err != nil
	return len(p), nil
}

func (u *ui) line(format string, args ...any) {
	text := oneLine(fmt.Sprintf(format, args...)) + "\n"
	columns, _ := u.size()
	u.mu.Lock()
	defer u.mu.Unlock()
	_ = u.block.Print(text, columns) // Write does not fail
}

// show puts the drawing on the terminal, in the place of the last one.
func (u *ui) show(lines []string, columns int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	_ = u.block.Paint(lines, columns)
}

// clearScreen takes what was shown away, and leaveScreen leaves it where it is.
func (u *ui) clearScreen() {
	columns, _ := u.size()
	u.mu.Lock()
	defer u.mu.Unlock()
	_ = u.block.Clear(columns)
}

func (u *ui) leaveScreen() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.block.Forget()
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

// fail says an error, one that has several parts in a line for each, and, if it knows
// one, its hint.
func (u *ui) fail(err error) {
	lines := []string{err.Error()}
	if l, ok := errors.AsType[interface {
		error
		Lines() []string
	}](err); ok && len(l.Lines()) > 0 {
		lines = l.Lines()
	}
	u.line("lastport: %s", lines[0])
	for _, more := range lines[1:] {
		u.line("  %s", more)
	}
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
	columns, _ := sizeOf(f)
	return columns
}

// size is that of the terminal where messages go.
func (u *ui) size() (columns, rows int) {
	if f, ok := u.w.(*os.File); ok {
		return sizeOf(f)
	}
	return usualColumns, usualRows
}

// The size of a terminal that does not know its own.
const usualColumns, usualRows = 80, 24

func sizeOf(f *os.File) (columns, rows int) {
	columns, rows, err := term.GetSize(int(f.Fd()))
	if err != nil || columns <= 0 || rows <= 0 {
		return usualColumns, usualRows
	}
	return columns, rows
}

// mayColor says whether the environment allows colours (no-color.org).
func mayColor() bool {
	return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
