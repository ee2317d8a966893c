package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"lastport/loadgen/kernel"
	"lastport/reports/result"
	"lastport/server/consent"
)

// lastport runs the command line as a process of its own, in the test's namespace,
// and returns its status and what it says.
func lastportHere(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	cmd, messages := prepare(append(args, "--progress", "none", "--out", filepath.Join(t.TempDir(), "r"))...)
	out, err := cmd.Output()
	if _, ok := err.(interface{ ExitCode() int }); err != nil && !ok {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out), messages.String()
}

// resultOf reads a result from standard output.
func resultOf(t *testing.T, text string) *result.Result {
	t.Helper()
	var res result.Result
	if err := json.Unmarshal([]byte(text), &res); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	return &res
}

// Two processes on two hosts: with the token one loads the other, and its numbers
// are in the result.
func TestHostToServerElsewhere(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	setRange(t)
	s := elsewhere(t)
	for _, verb := range []string{"churn --rate 200 --duration 300ms --close client-rst", "fill"} {
		args := append(strings.Fields(verb), "--place", "host", "--strategy", "socket-range",
			"--target", farAddr+":7000", "--token-file", s.token, "--format", "json")
		status, stdout, stderr := lastportHere(t, args...)
		if status != exitOK {
			t.Fatalf("%s: status %d\n%s%s", verb, status, stderr, s.stderr)
		}
		res := resultOf(t, stdout)
		if res.Outcomes.OK == 0 || res.Server.Version != version || res.Server.Accepted < res.Outcomes.OK || res.Host.Place != "host" || len(res.Host.Changed) > 0 {
			t.Errorf("%s: %+v, %+v, %+v", verb, res.Outcomes, res.Server, res.Host)
		}
		if verb == "fill" && (*res.Measured.Connections != 100 || !res.Witness.Agree || *res.Witness.SockDiag != 100 || res.Outcomes.NoPort == 0) {
			t.Errorf("fill: %+v, %+v; 100 of 200 ports are to be kept free", res.Witness, res.Outcomes)
		}
		if secret := secretIn(t, s.token); strings.Contains(stdout+stderr, secret) {
			t.Errorf("%s: the token is told", verb)
		}
	}
	serverEnds(t, s)
}

// Without the right token there is one connection, and exit status 1; without any
// there is none, and it is wrong usage.
func TestHostRefusedAfterOneConnection(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	setRange(t)
	elsewhere(t)
	wrong := filepath.Join(t.TempDir(), "token")
	if _, err := writeToken(wrong, consent.NewToken(time.Now())); err != nil {
		t.Fatal(err)
	}
	plain, accepted := countedServers(t)
	targets := map[string]string{"serve": farAddr + ":7000"}
	for name, at := range plain {
		targets[name] = at
	}
	for name, target := range targets {
		accepted.Store(0)
		before := opened(t)
		status, stdout, stderr := lastportHere(t, "fill", "--place", "host", "--target", target, "--token-file", wrong)
		if status != exitFailed || stdout != "" || !strings.Contains(stderr, "no consent to load at "+target) || !strings.Contains(stderr, "\nhint: ") {
			t.Errorf("%s: status %d, %q\n%s", name, status, stdout, stderr)
		}
		if n := opened(t) - before; n != 1 || name != "serve" && accepted.Load() != 1 {
			t.Errorf("%s: %d connections, %d accepted, want 1", name, n, accepted.Load())
		}
		before = opened(t)
		status, _, stderr = lastportHere(t, "fill", "--place", "host", "--target", target)
		if n := opened(t) - before; status != exitUsage || n != 0 || !strings.Contains(stderr, "must prove its consent") {
			t.Errorf("%s without a token: status %d after %d connections\n%s", name, status, n, stderr)
		}
	}
}

// countedServers are servers that are no lastport, and count who comes.
func countedServers(t *testing.T) (at map[string]string, accepted *atomic.Int64) {
	t.Helper()
	accepted = new(atomic.Int64)
	each := func(f func(net.Conn)) func(net.Listener) {
		return func(l net.Listener) {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				go f(conn)
			}
		}
	}
	at = make(map[string]string)
	for name, serve := range map[string]func(net.Listener){
		"plain": each(func(net.Conn) {}),
		"HTTP":  func(l net.Listener) { _ = http.Serve(l, http.NotFoundHandler()) },
		"echo":  each(func(c net.Conn) { _, _ = io.Copy(c, c) }),
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		go serve(&countingListener{l, accepted})
		at[name] = l.Addr().String()
	}
	return at, accepted
}

// Each run of a set on the host is one there: it says what it takes, keeps the others'
// ports free and has the server's consent. A search for a rate can do none of that.
func TestHostSets(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	setRange(t)
	s := elsewhere(t)
	host := []string{"--place", "host", "--target", farAddr + ":7000", "--token-file", s.token, "--format", "json"}
	for _, verb := range []string{"churn --rate 100 --attempts 20 --strategy socket-range,sequential", "reuse --connections 10 --strategy sequential,random"} {
		status, stdout, stderr := lastportHere(t, append(strings.Fields(verb), host...)...)
		if status != exitOK {
			t.Fatalf("%s: status %d\n%s%s", verb, status, stderr, s.stderr)
		}
		var set result.Set
		if err := json.Unmarshal([]byte(stdout), &set); err != nil {
			t.Fatal(err)
		}
		for _, r := range set.Runs {
			if r.OnHost == nil || r.OnHost.KeepFree != 100 || r.Server.Version != version {
				t.Errorf("%s: %s: on the host %+v, the server %+v", verb, r.Config.Strategy, r.OnHost, r.Server)
			}
		}
		if n := strings.Count(stderr, "stay free for others (--keep-free)"); len(set.Runs) != 2 || n != 2 {
			t.Errorf("%s: %d runs, %d of which say what stays free\n%s", verb, len(set.Runs), n, stderr)
		}
	}
	before := opened(t)
	for hint, args := range map[string][]string{"--rate 100": host, "--place private, or --rate 100": {"--place", "host"}} {
		status, _, stderr := lastportHere(t, append([]string{"churn", "--rate", "auto"}, args...)...)
		if n := opened(t) - before; status != exitUsage || n != 0 || !strings.Contains(stderr, "--rate auto with --place host") || !strings.Contains(stderr, "\nhint: "+hint+"\n") {
			t.Errorf("--rate auto: status %d after %d connections\n%s", status, n, stderr)
		}
	}
	status, _, stderr := lastportHere(t, append([]string{"reuse", "--close", "all"}, host...)...)
	if n := opened(t) - before; status != exitUsage || n != 0 || !strings.Contains(stderr, "--close all with --target") || !strings.Contains(stderr, "\nhint: --close client-fin") {
		t.Errorf("--close all: status %d after %d connections\n%s", status, n, stderr)
	}
	serverEnds(t, s)
}

// While a fill has taken all that it takes, other programs connect and bind as
// before. No setting of the host is written and nobody's socket is closed; who has
// ports is named.
func TestHostStaysUsable(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	setRange(t)
	servers, _ := countedServers(t)
	echo := connect(t, servers["echo"]) // a stranger's
	settings := hostSettings(t)
	for _, strategy := range []string{"connect", "bind", "socket-range", "sequential"} {
		cmd, stderr := prepare("fill", "--place", "host", "--strategy", strategy, "--hold", "1h", "--keep-free", "40",
			"--progress", "plain", "--format", "json", "--out", filepath.Join(t.TempDir(), "r"))
		var out lockedBuffer
		cmd.Stdout = &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		waitFor(t, "the hold", func() bool { return strings.Contains(stderr.String(), "hold") })
		var held []net.Listener
		for len(held) < 40 { // each takes a port that nobody has
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Errorf("%s: bind %d: %v", strategy, len(held), err)
				break
			}
			held = append(held, l)
		}
		for _, l := range held {
			_ = l.Close()
		}
		_ = connect(t, servers["plain"]).Close()
		exchange(t, echo)
		if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		if status := exitOf(t, cmd); status != exitInterrupted {
			t.Errorf("%s: status %d\n%s", strategy, status, stderr)
		}
		me := "[" + strconv.Itoa(os.Getpid()) + "]"
		if !strings.Contains(stderr.String(), me) || !strings.Contains(out.String(), me) {
			t.Errorf("%s: who has port %v is not named\n%s", strategy, echo.LocalAddr(), stderr)
		}
	}
	for key, value := range hostSettings(t) {
		if settings[key] != value {
			t.Errorf("%s was %q and is %q", key, settings[key], value)
		}
	}
}

// hostSettings are the settings that a private place would change.
func hostSettings(t *testing.T) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for _, tree := range []string{"net.ipv4", "net.ipv6", "net.core"} {
		list, err := kernel.ListSysctls(tree, func(string) bool { return true })
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range list {
			if value, err := kernel.ReadSysctl(s.Key); err == nil {
				all[s.Key] = value
			}
		}
	}
	return all
}

// What is in TIME_WAIT toward the target is waited for, until it is gone, and then what
// is free counts and not what was; a signal ends the wait before anything is begun.
func TestWaitClean(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	setRange(t)
	const target, port = "127.0.0.1:9000", 40007
	server := leaveTimeWait(t, target, port)
	_ = server.Close()
	var out *lockedBuffer
	start := func(args ...string) (end func(syscall.Signal) int, stderr *lockedBuffer, folder string) {
		out = &lockedBuffer{}
		folder = filepath.Join(t.TempDir(), "r")
		args = append(args, "--wait-clean", "--target", target, "--place", "host", "--progress", "none", "--format", "json", "--out", folder)
		cmd, stderr := prepare(append([]string{"fill"}, args...)...)
		cmd.Stdout = out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		waitFor(t, "what is in TIME_WAIT", func() bool {
			return strings.Contains(stderr.String(), "in TIME_WAIT toward "+target+": 1, the last for") && strings.Contains(stderr.String(), "waits until none is")
		})
		return func(sig syscall.Signal) int {
			if sig != 0 {
				_ = cmd.Process.Signal(sig)
			}
			return exitOf(t, cmd)
		}, stderr, folder
	}
	end, stderr, folder := start("--strategy", "socket-range", "--keep-free", "0")
	if status := end(syscall.SIGINT); status != exitInterrupted || !strings.Contains(stderr.String(), "nothing was begun") {
		t.Errorf("interrupted: status %d\n%s", status, stderr)
	}
	if _, err := os.Stat(folder); err == nil {
		t.Error("interrupted: a folder is left")
	}
	if status, _, stderr := lastportHere(t, "fill", "--place", "host", "--target", target, "--keep-free", "199"); status != exitUsage || !strings.Contains(stderr, "\nhint: --wait-clean") {
		t.Errorf("a port in TIME_WAIT is the one that is wanting: status %d\n%s", status, stderr)
	}
	for _, test := range []struct {
		args []string
		want int64
	}{
		{[]string{"--strategy", "socket-range", "--keep-free", "0"}, 200},
		{[]string{"--keep-free", "199"}, 1}, // before the wait there is none to spare
		{[]string{"--keep-free", "150"}, 50},
	} {
		_ = leaveTimeWait(t, target, port).Close()
		end, stderr, _ := start(test.args...)
		endTimeWait(t, target, port)
		if status := end(0); status != exitOK {
			t.Fatalf("%q: status %d\n%s", test.args, status, stderr)
		}
		res := resultOf(t, out.String())
		if h := res.OnHost; *res.Measured.Connections != test.want || h.FreeBefore != 200 || h.TimeWaitBefore != 0 || h.WaitedNS == 0 || len(h.Holders) > 0 {
			t.Errorf("%q: %d connections, %+v\n%s", test.args, *res.Measured.Connections, h, stderr)
		}
	}
}

// A proxy on this host is somebody else's server: what is behind it must consent,
// for the proxy too.
func TestHostThroughAProxy(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	setRange(t)
	front := inFront(t, proxy)
	s := elsewhere(t, "--behind", front.Addr().String())
	status, stdout, stderr := lastportHere(t, "churn", "--rate", "50", "--duration", "300ms", "--place", "host", "--strategy", "socket-range",
		"--target", front.Addr().String(), "--token-file", s.token, "--format", "json")
	if status != exitOK {
		t.Fatalf("status %d\n%s%s", status, stderr, s.stderr)
	}
	if res := resultOf(t, stdout); res.Outcomes.OK == 0 || res.Server.Accepted == 0 || res.Server.Version != version {
		t.Errorf("%+v, and the server says %+v", res.Outcomes, res.Server)
	}
	serverEnds(t, s)
}

// Ports that an earlier run has left in TIME_WAIT toward the same target are this run's
// once it has them: every witness counts them.
func TestPortsFromTimeWaitAreCounted(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	setRange(t)
	const attempts = 60
	where := []string{"--place", "host", "--target", "127.0.0.1:1234", "--strategy", "sequential", "--keep-free", "20", "--format", "json"}
	churn := append([]string{"churn", "--attempts", strconv.Itoa(attempts), "--rate", "200", "--close", "client-fin"}, where...)
	for _, args := range [][]string{churn, churn, append([]string{"fill"}, where...)} {
		status, stdout, stderr := lastportHere(t, args...)
		if status != exitOK {
			t.Fatalf("%s: status %d\n%s", args[0], status, stderr)
		}
		res := resultOf(t, stdout)
		if args[0] == "churn" {
			if res.Outcomes.OK != attempts || res.TimeWait.Generator != attempts {
				t.Errorf("churn: %+v, %+v in TIME_WAIT", res.Outcomes, res.TimeWait)
			}
			continue
		}
		if w := res.Witness; res.OnHost.TimeWaitBefore != attempts || *res.Measured.Connections < 200-20-attempts+1 || !w.Agree || *w.SockDiag != *res.Measured.Connections {
			t.Errorf("fill: %d in TIME_WAIT before, %d connections, %d by sock_diag\n%s", res.OnHost.TimeWaitBefore, *res.Measured.Connections, *w.SockDiag, stderr)
		}
	}
}
