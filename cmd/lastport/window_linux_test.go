package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"lastport/cmd/lastport/live/termtest"
	"lastport/reports/result"
)

// window is a terminal with lastport on it.
type window struct {
	t      *testing.T
	cmd    *exec.Cmd
	dir    string // where it saves
	master *os.File
	closed chan struct{} // everything was read

	mu  sync.Mutex
	all bytes.Buffer
	*termtest.Terminal
}

// open runs lastport on a terminal of a size, in a session of its own.
func open(t *testing.T, columns, rows int, env []string, args ...string) *window {
	t.Helper()
	master, slave := pseudoTerminal(t)
	w := &window{t: t, master: master, dir: filepath.Join(t.TempDir(), "run"), closed: make(chan struct{}), Terminal: termtest.New(columns, rows)}
	w.size(columns, rows)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "lastport")
	if err := os.Symlink(self, link); err != nil {
		t.Fatal(err)
	}
	w.cmd = exec.Command(link, append(args, "--out", w.dir)...)
	w.cmd.Env = append(os.Environ(), append([]string{"TERM=xterm", "NO_COLOR=1", "GORACE=atexit_sleep_ms=0"}, env...)...)
	w.cmd.Stdin, w.cmd.Stdout, w.cmd.Stderr = slave, slave, slave
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.cmd.Process.Kill() }) // of a test that failed; otherwise it has ended
	_ = slave.Close()                              // the process's own is the only one now, so that its end is seen
	go w.read()
	return w
}

// pseudoTerminal returns both ends of a new one: pts(4), ioctl_tty(2).
func pseudoTerminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetUint32(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(fd), "master"), slave
}

// read shows what the program writes until it has ended.
func (w *window) read() {
	defer close(w.closed)
	buf := make([]byte, 4096)
	for {
		n, err := w.master.Read(buf)
		w.mu.Lock()
		w.all.Write(buf[:n])
		_, _ = w.Write(buf[:n])
		w.mu.Unlock()
		if err != nil {
			return // EIO: nobody has the other end any more
		}
	}
}

// size makes the terminal as large as that.
func (w *window) size(columns, rows int) {
	w.t.Helper()
	size := unix.Winsize{Col: uint16(columns), Row: uint16(rows)}
	if err := unix.IoctlSetWinsize(int(w.master.Fd()), unix.TIOCSWINSZ, &size); err != nil {
		w.t.Fatal(err)
	}
}

// resize makes the terminal another size while the program runs.
func (w *window) resize(columns, rows int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.Resize(columns, rows)
	w.size(columns, rows)
}

// await waits until the screen shows something.
func (w *window) await(text string) {
	w.t.Helper()
	defer func() {
		if w.t.Failed() {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.t.Logf("the screen shows\n%s", w.Screen())
		}
	}()
	waitFor(w.t, "the screen to show "+text, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return strings.Contains(w.Screen(), text)
	})
}

// hit types a key.
func (w *window) hit(key byte) {
	w.t.Helper()
	if _, err := w.master.Write([]byte{key}); err != nil {
		w.t.Fatal(err)
	}
}

const ctrlC = 3

// end waits for the program and returns its status.
func (w *window) end() int {
	w.t.Helper()
	err := w.cmd.Wait()
	<-w.closed
	_ = w.master.Close()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return 0
}

// shows fails the test unless the terminal shows these messages and the whole
// report of what was saved, and nothing else.
func (w *window) shows(columns, rows int, messages ...string) {
	w.t.Helper()
	want := termtest.New(columns, rows)
	report := "" // of a run that left nothing
	if _, err := os.Stat(filepath.Join(w.dir, result.FileName)); err == nil {
		var out, said bytes.Buffer
		if status := run([]string{"report", w.dir}, &out, &said); status != exitOK {
			w.t.Fatalf("report: status %d: %s", status, &said)
		}
		report = out.String()
	}
	text := strings.Join(append(messages, report), "\n")
	_, _ = want.Write([]byte(strings.ReplaceAll(text, "\n", "\r\n")))
	if got := w.String(); got != want.String() {
		w.t.Errorf("the terminal shows\n%s\nwant\n%s", got, want)
	}
	if w.Column() != 0 || len(w.Faults()) > 0 {
		w.t.Errorf("the cursor is in column %d, faults %v", w.Column(), w.Faults())
	}
}
