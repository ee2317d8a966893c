package place

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestWords(t *testing.T) {
	requireNamespaces(t)
	v := enter(t, spec(t))
	if v.Kept {
		t.Error("programs that the child starts would hold the frames' pipe")
	}
	if err := v.child.Tell("drain"); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(v.frames)
	if err != nil || string(rest) != "drain heard <nil>\n" {
		t.Errorf("the child says %q, %v", rest, err)
	}
	if err := v.child.Wait(); err != nil {
		t.Error(err)
	}
	if got := v.stderr.String(); got != "this goes to standard error\n" {
		t.Errorf("the child's standard output came as %q", got)
	}
	v.child.Kill() // does nothing, and is allowed
}

func TestWaitTellsOfDeath(t *testing.T) {
	requireNamespaces(t)
	v := enter(t, spec(t))
	v.child.Kill()
	err := v.child.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || !strings.Contains(err.Error(), "signal: killed") {
		t.Errorf("Wait says %v", err)
	}
	if err := v.child.Tell("drain"); err == nil {
		t.Error("a dead child can be told to drain")
	}
}

func TestNoLeaks(t *testing.T) {
	requireNamespaces(t) // opens what the runtime opens once
	before := countDir(t, "/proc/self/fd")
	ignore := goleak.IgnoreCurrent()
	for range 3 {
		v := enter(t, spec(t))
		v.child.Kill()
		_ = v.child.Wait() // it was killed
	}
	if after := countDir(t, "/proc/self/fd"); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
	goleak.VerifyNone(t, ignore)
}

func countDir(t *testing.T, name string) int {
	t.Helper()
	entries, err := os.ReadDir(name)
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// The child ends when the thread that made it does, so that thread must not be
// one that others can end. Here every thread that the runtime can give away is
// soon ended.
func TestChildOutlivesThreads(t *testing.T) {
	requireNamespaces(t)
	stop := make(chan struct{})
	var enders sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		enders.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				var one sync.WaitGroup
				one.Go(runtime.LockOSThread) // never unlocked: its thread ends with it
				one.Wait()
			}
		})
	}
	var children []*Child
	for range 4 {
		if _, err := rootIsEnough(); err != nil {
			t.Error(err)
		}
		child, err := start(childOptions(spec(t), nil), asRootInside(unix.CLONE_NEWUSER|unix.CLONE_NEWNET))
		if err != nil {
			t.Fatal(err)
		}
		children = append(children, child)
	}
	close(stop)
	enders.Wait()
	for _, child := range children {
		if err := child.Tell("drain"); err != nil {
			t.Error(err)
		}
		if rest, err := io.ReadAll(child.Frames); err != nil || !strings.HasSuffix(string(rest), "drain heard <nil>\n") {
			t.Errorf("the child ended with a thread: %q, %v", rest, err)
		}
		if err := child.Wait(); err != nil {
			t.Error(err)
		}
	}
}

// A signal to the process group is the parent's alone; one to the child by its
// id changes nothing either. The word ends it.
func TestSignals(t *testing.T) {
	requireNamespaces(t)
	o := startOuter(t, job{}, &syscall.SysProcAttr{Setpgid: true})
	r := o.reply(t)
	if group, err := unix.Getpgid(r.Pid); err != nil || group != r.Pid {
		t.Errorf("child %d is in the process group %d, %v", r.Pid, group, err)
	}
	for _, s := range []syscall.Signal{unix.SIGINT, unix.SIGTERM, unix.SIGHUP} {
		if err := unix.Kill(r.Pid, s); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Kill(-o.cmd.Process.Pid, unix.SIGINT); err != nil {
		t.Fatal(err)
	}
	line, err := o.out.ReadString('\n')
	if err != nil || line != "drain heard <nil>\n" {
		t.Errorf("the child says %q, %v", line, err)
	}
	if err := o.cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, o.errors)
	}
	wantGone(t, r)
}

func TestNothingStays(t *testing.T) {
	requireNamespaces(t)
	for name, attr := range users() {
		for what, table := range map[string]int{"": 0, ", child executed twice": 4096} {
			t.Run(name+", parent killed"+what, func(t *testing.T) {
				o := startOuter(t, job{Table: table}, attr)
				r := o.reply(t)
				if err := o.cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
				_ = o.cmd.Wait() // it was killed
				wantGone(t, r)
			})
		}
		t.Run(name+", child killed", func(t *testing.T) {
			o := startOuter(t, job{}, attr)
			r := o.reply(t)
			if err := unix.Kill(r.Pid, unix.SIGKILL); err != nil {
				t.Fatal(err)
			}
			wantGone(t, r)
		})
	}
}

// A parent that is killed at any moment of the start leaves nothing either.
func TestParentKilledWhileStarting(t *testing.T) {
	requireNamespaces(t)
	for i := range 16 {
		mark := "LASTPORT_PLACE_TEST_MARK=" + strconv.Itoa(os.Getpid()) + "-" + strconv.Itoa(i)
		name, value, _ := strings.Cut(mark, "=")
		t.Setenv(name, value) // the parent's, and so the child's
		o := startOuter(t, job{}, nil)
		time.Sleep(time.Duration(i) * 6 * time.Millisecond)
		_ = o.cmd.Process.Kill() // it is there until it is waited for
		_ = o.cmd.Wait()         // it was killed
		wantNone(t, func() []string { return marked(t, mark) })
	}
}

// marked lists the processes with that variable in their environment.
func marked(t *testing.T, mark string) []string {
	t.Helper()
	var found []string
	for _, pid := range processes(t) {
		environ, err := os.ReadFile(filepath.Join("/proc", pid, "environ"))
		if err == nil && bytes.Contains(environ, []byte(mark+"\x00")) {
			found = append(found, "process "+pid)
		}
	}
	return found
}

// wantGone waits until the child and its namespace are gone.
func wantGone(t *testing.T, r reply) {
	t.Helper()
	wantNone(t, func() []string { return remains(t, r) })
}

// wantNone asks again and again for a while: the kernel takes processes away in
// its own time.
func wantNone(t *testing.T, left func() []string) {
	t.Helper()
	for range 500 {
		if len(left()) == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("still there: %v", left())
}

// remains lists what is left of a child: its process, but for a zombie that
// nobody has waited for yet, and processes in its namespace.
func remains(t *testing.T, r reply) []string {
	t.Helper()
	var left []string
	if stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(r.Pid), "stat")); err == nil {
		state := stat[bytes.LastIndexByte(stat, ')')+2]
		if state != 'Z' && state != 'X' {
			left = append(left, "process "+string(stat))
		}
	}
	for _, pid := range processes(t) {
		if ns, err := os.Readlink(filepath.Join("/proc", pid, "ns/net")); err == nil && ns == r.NetNS {
			left = append(left, "process "+pid+" in "+ns)
		}
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(mounts), r.NetNS) {
		left = append(left, "a mount of "+r.NetNS)
	}
	return left
}

func processes(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	var pids []string
	for _, e := range entries {
		if strings.Trim(e.Name(), "0123456789") == "" {
			pids = append(pids, e.Name())
		}
	}
	return pids
}

// holders lists the descriptors of any process that hold one of the namespaces.
func holders(t *testing.T, spaces []string) (left []string) {
	t.Helper()
	for _, pid := range processes(t) {
		links, err := filepath.Glob(filepath.Join("/proc", pid, "task/*/fd/*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range links {
			if to, err := os.Readlink(link); err == nil && slices.Contains(spaces, to) {
				left = append(left, link+" is "+to)
			}
		}
	}
	return left
}
