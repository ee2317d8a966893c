package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"lastport/cmd/lastport/live/termtest"
	"lastport/loadgen"
	"lastport/reports/result"
)

// held is a fill that is soon full, and then holds until it is told to end.
func held(more ...string) []string {
	return append([]string{"fill", "--range", "40000-40099", "--hold", "60s", "--workers", "1"}, more...)
}

func TestLiveGivesWayToTheReport(t *testing.T) {
	requireNamespaces(t)
	t.Parallel()
	w := open(t, 80, 24, nil, "fill", "--range", "40000-40099", "--hold", "1s", "--workers", "1")
	if status := w.end(); status != exitOK {
		t.Errorf("status %d", status)
	}
	w.shows(80, 24, "saved: "+w.dir)
}

func TestLiveShowsTheRun(t *testing.T) {
	requireNamespaces(t)
	t.Parallel()
	w := open(t, 80, 24, nil, held()...)
	w.await("hold ")
	w.await(" 100.0 % of 100 ports")
	w.await("100 of 100 open   no_port ")
	w.await("established 100   time_wait 0")
	w.await("even    40000 " + strings.Repeat("█", 50) + " ")
	w.await("odd     40001 " + strings.Repeat("█", 50) + " ")
	w.hit(ctrlC)
	if status := w.end(); status != exitInterrupted {
		t.Errorf("status %d", status)
	}
	w.shows(80, 24, draining, "saved: "+w.dir)
}

// Runs side by side have a line each.
func TestLiveShowsRunsSideBySide(t *testing.T) {
	requireNamespaces(t)
	t.Parallel()
	w := open(t, 80, 24, nil, "reuse", "--close", "all", "--range", "40000-40499", "--connections", "50", "--sysctl", "net.ipv4.tcp_tw_reuse=0")
	w.await("client-fin  wait    █▏░░░░░░░░░░ 10.0 % ")
	w.await("client-rst  over\nserver-fin  over\nserver-rst  over")
	w.hit(ctrlC)
	if status := w.end(); status != exitInterrupted {
		t.Errorf("status %d", status)
	}
	said, report, _ := strings.Cut(w.String(), "\n4 runs by close\n")
	if !strings.HasPrefix(said, "4 runs side by side, each in a place of its own\n"+draining+"\nsaved: ") || strings.Contains(said, "over") {
		t.Errorf("before the report the terminal shows\n%s", said)
	}
	if report == "" || strings.Contains(report, "over") {
		t.Errorf("of the report the terminal shows\n%s", report)
	}
}

// draining is what is said after the first Ctrl-C.
const draining = "interrupted: releasing and writing what there is; once more to leave at once"

// A terminal that changes its size shows the report whole, at its last size.
func TestLiveResized(t *testing.T) {
	requireNamespaces(t)
	t.Parallel()
	w := open(t, 80, 24, nil, held()...)
	w.await("100.0 % of 100 ports")
	for _, columns := range []int{120, 35, 60, 80} {
		w.resize(columns, 24)
		w.await("hold ")
	}
	w.resize(30, 24)
	w.await("100 of 100 open\nno_port ") // the form for few columns
	w.resize(80, 24)
	w.await("100 of 100 open   no_port ")
	w.hit(ctrlC)
	w.end()
	_, report, _ := strings.Cut(w.String(), draining+"\n")
	w.Terminal = termtest.New(80, 24)
	_, _ = w.Write([]byte(strings.ReplaceAll(report, "\n", "\r\n") + "\r\n"))
	w.shows(80, 24, "saved: "+w.dir)
}

// The second Ctrl-C leaves nothing of the drawing either.
func TestLiveLeftAtOnce(t *testing.T) {
	requireNamespaces(t)
	t.Parallel()
	w := open(t, 80, 24, nil, held()...)
	w.await("hold ")
	if err := signalChildren(t, w.cmd.Process.Pid, unix.SIGSTOP); err != nil { // so that it cannot obey
		t.Fatal(err)
	}
	w.hit(ctrlC)
	w.await(draining)
	w.hit(ctrlC)
	if status := w.end(); status != exitInterrupted {
		t.Errorf("status %d", status)
	}
	if want := draining + "\nlastport: interrupted; what was written is in "; !strings.HasPrefix(w.String(), want) || strings.Count(w.String(), "\n") > 2 {
		t.Errorf("the terminal shows\n%s", w)
	}
}

// A run that fails says so below nothing else.
func TestLiveFails(t *testing.T) {
	requireNamespaces(t)
	t.Parallel()
	w := open(t, 80, 24, nil, held()...)
	w.await("hold ")
	if err := signalChildren(t, w.cmd.Process.Pid, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if status := w.end(); status != exitFailed {
		t.Errorf("status %d", status)
	}
	if !strings.HasPrefix(w.String(), "saved: "+w.dir+"\n") || !strings.Contains(w.String(), "lastport: the run ended before its time") {
		t.Errorf("the terminal shows\n%s", w)
	}
}

// signalChildren sends a signal to the children of a process.
func signalChildren(t *testing.T, pid int, s unix.Signal) error {
	var all error
	for _, child := range children(t, pid) {
		all = errors.Join(all, unix.Kill(child, s))
	}
	return all
}

// Where a terminal cannot move its cursor there are lines, and where it shows no
// colours there are none.
func TestLiveBySettings(t *testing.T) {
	requireNamespaces(t)
	for _, c := range []struct {
		name  string
		env   []string
		args  []string
		moves bool
		color bool
	}{
		{"an ordinary terminal", []string{"NO_COLOR="}, nil, true, true},
		{"NO_COLOR", nil, nil, true, false},
		{"a dumb terminal", []string{"TERM=dumb"}, nil, false, false},
		{"no known terminal", []string{"TERM="}, nil, false, false},
		{"plain", nil, []string{"--progress", "plain"}, false, false},
		{"none", nil, []string{"--progress", "none", "--hold", "1s"}, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := open(t, 80, 24, c.env, held(c.args...)...)
			switch {
			case c.moves:
				w.await("100.0 % of 100 ports")
			case c.name != "none":
				w.await("hold     100 of 100 open (100 % of the ports)")
			}
			if c.name != "none" {
				w.hit(ctrlC)
			}
			w.end()
			for sequence, want := range map[string]bool{"\x1b[K": c.moves, "\x1b[J": c.moves, "\x1b[32m": c.color} {
				if got := bytes.Contains(w.all.Bytes(), []byte(sequence)); got != want {
					t.Errorf("%q is written: %v", sequence, got)
				}
			}
		})
	}
}

// What is said to nobody does not end a run, and its report comes.
func TestNobodyReadsMessages(t *testing.T) {
	requireNamespaces(t)
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_ = read.Close()
	dir := t.TempDir()
	link := filepath.Join(dir, "lastport")
	if err := os.Symlink(self, link); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(link, "fill", "--range", "40000-40099", "--out", filepath.Join(dir, "run"), "--format", "json")
	cmd.Stderr = write
	out, err := cmd.Output()
	_ = write.Close()
	if err != nil {
		t.Fatal(err)
	}
	saved, err := os.ReadFile(filepath.Join(dir, "run", result.FileName))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out, saved) {
		t.Errorf("standard output has %d bytes, the file %d", len(out), len(saved))
	}
}

// BenchmarkLive is what a second of a run costs the parent on a terminal, as a
// share of one processor: ten frames of progress, two results with the longest
// timeline and all ports, five drawings.
func BenchmarkLive(b *testing.B) {
	p := newProgress(newUI(io.Discard), "none")
	p.how = showLive
	defer p.end()
	r := p.run("")
	res := longResult()
	var before, after unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &before)
	for b.Loop() {
		for range 10 {
			r.frame(&loadgen.Frame{Progress: &loadgen.Progress{Phase: "churn", TNS: int64(r.known.At) + 1e8, Open: 100, Usable: 64512}})
		}
		for range 2 {
			r.frame(&loadgen.Frame{Result: res})
		}
		for range 5 {
			p.ui.show(p.drawing().lines, 80)
		}
	}
	_ = unix.Getrusage(unix.RUSAGE_SELF, &after)
	spent := after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano()
	b.ReportMetric(100*float64(spent)/float64(b.N)/1e9, "%cpu")
}

// longResult is a result that is as large to a screen as it can be.
func longResult() *result.Result {
	res := &result.Result{Config: result.Config{Range: "1024-65535", Close: "client-fin"}}
	taken := new(result.StateMap)
	for i := range int64(result.MaxRows) {
		p99 := 1000 * i
		res.Timeline = append(res.Timeline, result.Row{
			TNS: i * 1e8, Opened: i % 7, Closed: 1, P99NS: &p99, States: &result.States{Established: &p99, TimeWait: &p99},
		})
	}
	for port := range uint16(64511) {
		taken.Put(1024+port, result.PortState(port*port%12))
	}
	res.PortStates = &result.PortStates{Moments: []result.PortMoment{{Client: taken.Ports()}}}
	return res
}
