package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"lastport/loadgen"
	"lastport/loadgen/kernel"
	"lastport/loadgen/ports"
	"lastport/loadgen/step"
	"lastport/reports/result"
	"lastport/server/consent"
)

// The two ends of the link between the namespaces of a test.
const (
	nearAddr = "10.9.0.1"
	farAddr  = "10.9.0.2"
)

// elsewhere runs a server in a namespace of its own, at the other end of a link
// from the test's, and returns it. The test must be in a namespace.
func elsewhere(t *testing.T, args ...string) *serving {
	t.Helper()
	var s serving
	err := onAnotherThread(func() error {
		if err := otherHost(); err != nil {
			return err
		}
		s.start(append([]string{"serve", "--listen", farAddr + ":7000"}, args...)...)
		return s.cmd.Start()
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cmd.Process.Kill() }) // fails where it has ended
	if err := furnishLink("near", nearAddr); err != nil {
		t.Fatal(err)
	}
	s.ready(t)
	return &s
}

// onAnotherThread calls f on a thread that ends with it, so that it may become
// another host. The main thread does not end, and its namespace is what
// /proc/self shows: it is none for that.
func onAnotherThread(f func() error) error {
	failed := make(chan error)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == os.Getpid() {
			failed <- onAnotherThread(f)
			runtime.UnlockOSThread()
			return
		}
		failed <- f()
	}()
	return <-failed
}

// otherHost makes the calling thread another host, with a link to the first one.
func otherHost() error {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return err
	}
	link := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "far"}, PeerName: "near"}
	if err := netlink.LinkAdd(link); err != nil {
		return fmt.Errorf("add a link: %w", err)
	}
	near, err := netlink.LinkByName("near")
	if err == nil {
		err = netlink.LinkSetNsPid(near, os.Getpid())
	}
	if err != nil {
		return err
	}
	return furnishLink("far", farAddr)
}

// furnishLink gives a link its address, and a link-local one that ends alike.
func furnishLink(name, addr string) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	for _, text := range []string{addr + "/24", "fe80::" + addr[strings.LastIndexByte(addr, '.')+1:] + "/64"} {
		a, err := netlink.ParseAddr(text)
		if err != nil {
			return err
		}
		if a.IP.To4() == nil {
			a.Flags = unix.IFA_F_NODAD // nobody else can have it: it is there at once
		}
		if err := netlink.AddrAdd(link, a); err != nil {
			return err
		}
	}
	return netlink.LinkSetUp(link)
}

// farConfig is a run of 200 ports against a server elsewhere.
func farConfig(scenario string, mode step.CloseMode, targets ...string) *loadgen.Config {
	c := &loadgen.Config{
		Scenario: scenario, Range: ports.Of(ports.Range{Low: 40000, High: 40199}), Strategy: "connect", Close: mode,
		Timeout: time.Second, Duration: 300 * time.Millisecond, Workers: 1, Ends: loadgen.EndsApart, Engine: loadgen.EngineDirect,
		Host: result.Host{Place: "host"}, Tool: tool(), Seed: 1,
	}
	if scenario == "churn" {
		c.Rate = 200
	}
	for _, t := range targets {
		c.Targets = append(c.Targets, netip.MustParseAddrPort(t))
	}
	return c
}

// last keeps the last result of a run.
type last struct{ res *result.Result }

func (l *last) Frame(f loadgen.Frame) error {
	if f.Result != nil {
		l.res = f.Result
	}
	return nil
}

// secretIn reads a token's file, as the parent of a run does.
func secretIn(t *testing.T, path string) string {
	t.Helper()
	token, err := readToken(path)
	if err != nil {
		t.Fatal(err)
	}
	return token.Secret()
}

// setRange makes the kernel pick the ports of the runs.
func setRange(t *testing.T) {
	t.Helper()
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_local_port_range", []byte("40000 40199"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// opened counts the connections that this host has tried to open.
func opened(t *testing.T) int64 {
	t.Helper()
	c, err := kernel.ReadCounters()
	if err != nil {
		t.Fatal(err)
	}
	return c["ActiveOpens"]
}

// Two hosts that have the same token churn and fill over a link, whoever closes
// first, and the server's numbers are in the generator's result.
func TestTwoHosts(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	setRange(t)
	s := elsewhere(t, "--listen", farAddr+":7001")
	for _, test := range []struct {
		scenario string
		targets  []string
	}{
		{"churn", []string{farAddr + ":7000"}},
		{"churn", []string{farAddr + ":7000", farAddr + ":7001"}},
		{"fill", []string{farAddr + ":7001"}},
	} {
		cfg := farConfig(test.scenario, step.ClientRST, test.targets...)
		var got last
		ctx, cancel := context.WithCancel(t.Context())
		if test.scenario == "fill" {
			cfg.Duration = 0
		}
		before := opened(t)
		if err := runFar(ctx, cancel, cfg, secretIn(t, s.token), &got); err != nil {
			t.Fatalf("%s: %v\n%s", test.scenario, err, s.stderr)
		}
		cancel()
		res := got.res
		// Whether a busy machine keeps a schedule is not what is asked here.
		if res.Outcomes.OK == 0 || test.scenario == "fill" && !res.Verdict.OK {
			t.Errorf("%s: %+v, %+v", test.scenario, res.Verdict, res.Warnings)
		}
		if text, err := json.Marshal(res); err != nil || strings.Contains(string(text), secretIn(t, s.token)) {
			t.Errorf("%s: the token is in the result, %v", test.scenario, err)
		}
		recovered := int64(0)
		if res.Recovery != nil {
			recovered = res.Recovery.Attempts
		}
		if s := res.Server; s.Accepted != res.Outcomes.OK+recovered && s.Accepted != res.Outcomes.OK || *s.Closed != s.Accepted || s.Version != version || *s.Strangers != 0 || s.Overflows == nil || s.States == nil {
			t.Errorf("%s: %d connected, and the server says %+v", test.scenario, res.Outcomes.OK, s)
		}
		if n := opened(t) - before; n < res.Outcomes.OK+1 {
			t.Errorf("%s: %d connections opened in all, of which %d are the run's", test.scenario, n, res.Outcomes.OK)
		}
	}
	serverEnds(t, s)
}

// serverEnds ends a server and looks for its token where it must not be.
func serverEnds(t *testing.T, s *serving) {
	t.Helper()
	secret := secretIn(t, s.token)
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if status := exitOf(t, s.cmd); status != exitOK {
		t.Errorf("the server ends with status %d\n%s", status, s.stderr)
	}
	if strings.Contains(s.stderr.String()+s.stdout.String(), secret) {
		t.Error("the server says its token")
	}
}

// TIME_WAIT that gathers at the server is in the generator's result.
func TestTimeWaitAtTheServer(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	setRange(t)
	s := elsewhere(t, "--close", "server-fin")
	cfg := farConfig("churn", step.ServerFIN, farAddr+":7000")
	var got last
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := runFar(ctx, cancel, cfg, secretIn(t, s.token), &got); err != nil {
		t.Fatalf("%v\n%s", err, s.stderr)
	}
	if n := got.res.Outcomes.OK; n == 0 || got.res.TimeWait.Listener == 0 || got.res.TimeWait.Listener > n || got.res.TimeWait.Generator != 0 {
		t.Errorf("%d connections, in TIME_WAIT: %+v", n, got.res.TimeWait)
	}
}

// Link-local addresses, which each side names by its own link.
func TestScopedAddresses(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	setRange(t)
	s := elsewhere(t, "--listen", "[fe80::2%far]:7000-7001")
	cfg := farConfig("churn", step.ClientRST, "[fe80::2%near]:7000", "[fe80::2%near]:7001")
	var got last
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := runFar(ctx, cancel, cfg, secretIn(t, s.token), &got); err != nil {
		t.Fatalf("%v\n%s", err, s.stderr)
	}
	if n := got.res.Outcomes.OK; n == 0 || got.res.Server.Accepted != n {
		t.Errorf("%d connected, and the server says %+v", n, got.res.Server)
	}
}

// Without the token, or with a wish that the server does not grant, there is one
// connection and no more.
func TestRefusedAfterOneConnection(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	setRange(t)
	s := elsewhere(t, "--allow", nearAddr, "--max-per-peer", "150")
	right := secretIn(t, s.token)
	other := consent.NewToken(time.Now().Add(-time.Hour))
	for name, test := range map[string]struct {
		secret string
		mode   step.CloseMode
		want   string
	}{
		"old":     {other.Secret(), step.ClientRST, "the token is old"},
		"foreign": {strings.Repeat("k", 40), step.ClientRST, "the token is wrong: the server has another one"},
		"mode":    {right, step.ServerFIN, "the run is --close server-fin and the server --close client-fin"},
		"number":  {right, step.ClientRST, "the run may hold 200 connections, and the server keeps at most 150 of one generator"},
	} {
		before := opened(t)
		ctx, cancel := context.WithCancel(t.Context())
		err := runFar(ctx, cancel, farConfig("churn", test.mode, farAddr+":7000"), test.secret, &last{})
		cancel()
		var refused *consent.RefusedError
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
		if n := opened(t) - before; n != 1 {
			t.Errorf("%s: %d connections, want 1", name, n)
		}
	}
}

// What is no lastport gets one connection, and is named.
func TestForeignServersGetOneConnection(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	var accepted atomic.Int64
	counting := func(serve func(net.Listener)) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		go serve(&countingListener{l, &accepted})
		return l.Addr().String()
	}
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
	for name, test := range map[string]struct {
		at   string
		want string
	}{
		"HTTP":   {counting(func(l net.Listener) { _ = http.Serve(l, http.NotFoundHandler()) }), `it answers "HTTP/1.1 400 Bad Request`},
		"echo":   {counting(each(func(c net.Conn) { _, _ = io.Copy(c, c) })), "it echoes what it is sent"},
		"silent": {counting(each(func(net.Conn) {})), "nothing there has proven the token within 5s"},
		"closes": {counting(each(func(c net.Conn) { _ = c.Close() })), "it has closed the connection without a proof"},
		"nobody": {"127.0.0.1:1", "connect: connection refused"},
	} {
		accepted.Store(0)
		want := int64(1)
		if name == "nobody" {
			want = 0
		}
		before := opened(t)
		ctx, cancel := context.WithCancel(t.Context())
		err := runFar(ctx, cancel, farConfig("churn", step.ClientRST, test.at), consent.NewToken(time.Now()).Secret(), &last{})
		cancel()
		var refused *consent.RefusedError
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), test.want) || refused.Hint() == "" {
			t.Errorf("%s: %v, want %q and a hint", name, err, test.want)
		}
		if n := opened(t) - before; n != 1 || accepted.Load() != want {
			t.Errorf("%s: %d connections, %d accepted, want 1", name, n, accepted.Load())
		}
	}
}

// countingListener counts what it accepts.
type countingListener struct {
	net.Listener
	accepted *atomic.Int64
}

func (l *countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.accepted.Add(1)
	}
	return conn, err
}

// A run whose server dies drains, keeps what it has measured, and says so.
func TestServerDiesAfterTheProof(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	setRange(t)
	s := elsewhere(t)
	cfg := farConfig("churn", step.ClientRST, farAddr+":7000")
	cfg.Duration = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got last
	ended := make(chan error, 1)
	go func() { ended <- runFar(ctx, cancel, cfg, secretIn(t, s.token), &got) }()
	waitFor(t, "a consent", func() bool { return strings.Contains(s.stderr.String(), "may connect") })
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "the server at 10.9.0.2:7000 has ended its consent") {
		t.Errorf("the run ends by %v", err)
	}
	res := got.res
	if !res.Run.Interrupted || res.Verdict.OK || len(res.Warnings) == 0 || res.Warnings[0].Code != "server_gone" {
		t.Errorf("interrupted %v, %+v, %+v", res.Run.Interrupted, res.Verdict, res.Warnings)
	}
}

// A proxy in front of a server is loaded where the server says so, and nowhere
// else.
func TestThroughAProxy(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	setRange(t)
	front, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer front.Close() //nolint:errcheck // nothing is lost
	go proxy(front, farAddr+":7000")
	for _, behind := range []bool{false, true} {
		var s *serving
		t.Run(fmt.Sprint(behind), func(t *testing.T) {
			args := []string{}
			if behind {
				args = []string{"--behind", front.Addr().String()}
			}
			s = elsewhere(t, args...)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var got last
			cfg := farConfig("churn", step.ClientFIN, front.Addr().String())
			cfg.Rate = 50
			err := runFar(ctx, cancel, cfg, secretIn(t, s.token), &got)
			switch {
			case !behind && (err == nil || !strings.Contains(err.Error(), "has not consented for what is in between")):
				t.Errorf("%v, want a refusal", err)
			case behind && (err != nil || got.res.Outcomes.OK == 0 || got.res.Server.Accepted == 0):
				t.Errorf("%v\n%s", err, s.stderr)
			}
			serverEnds(t, s)
			if link, err := netlink.LinkByName("near"); err == nil {
				_ = netlink.LinkDel(link)
			}
		})
	}
}

// proxy passes connections on.
func proxy(l net.Listener, to string) {
	for {
		near, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer near.Close() //nolint:errcheck // a test's
			far, err := net.Dial("tcp", to)
			if err != nil {
				return
			}
			defer far.Close() //nolint:errcheck // a test's
			go func() {
				_, _ = io.Copy(far, near)
				_ = far.(*net.TCPConn).CloseWrite()
			}()
			_, _ = io.Copy(near, far)
		}()
	}
}

func TestTokenFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	token := consent.NewToken(time.Now())
	for _, test := range []struct{ path, want string }{
		{write("good", token.Secret()+"\n", 0o400), ""},
		{write("group", token.Secret(), 0o640), "others than its owner can use it (mode 0640)"},
		{write("others", token.Secret(), 0o604), "(mode 0604)"},
		{write("empty", "", 0o600), "it is empty"},
		{write("cut", token.Secret()[:50], 0o600), "it is cut off: 50 of 87 characters"},
		{write("short", "secret", 0o600), "want at least 32"},
		{dir, "it is a folder"},
		{filepath.Join(dir, "none"), "no such file"},
	} {
		got, err := readToken(test.path)
		switch {
		case test.want == "" && (err != nil || got.Secret() != token.Secret()):
			t.Errorf("%s: %v", test.path, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), token.Secret()[:50])):
			t.Errorf("%s: %v, want %q", test.path, err, test.want)
		}
	}
	path := filepath.Join(dir, "new")
	first, made, temporary, err := serverToken(path)
	if err != nil || made != path || temporary {
		t.Fatalf("a new token: in %q, %v", made, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("its file: %v, %v", info.Mode(), err)
	}
	if again, made, _, err := serverToken(path); err != nil || made != "" || again != first {
		t.Errorf("the same file again: made %q, %v", made, err)
	}
}

func TestResolveTargets(t *testing.T) {
	find := func(_ context.Context, network, name string) ([]netip.Addr, error) {
		known := map[string]string{"one": "192.0.2.1", "two": "192.0.2.9 192.0.2.2 ::ffff:192.0.2.2", "none": ""}
		text, ok := known[name]
		if !ok {
			return nil, errors.New("no such host")
		}
		var list []netip.Addr
		for _, word := range strings.Fields(text) {
			list = append(list, netip.MustParseAddr(word))
		}
		if network == "ip6" {
			return nil, nil
		}
		return list, nil
	}
	for _, test := range []struct {
		target, resolve string
		v6              bool
		want, err       string
	}{
		{target: "192.0.2.7:1-3", want: "192.0.2.7:1-3"},
		{target: "[fe80::1%eth0]:1", want: "[fe80::1%eth0]:1"},
		{target: "one:1-3", want: "192.0.2.1:1-3"},
		{target: "two:1", err: "it has 2 addresses, 192.0.2.2, 192.0.2.9, and a run is against one of them"},
		{target: "two:1", resolve: "192.0.2.9", want: "192.0.2.9:1"},
		{target: "two:1", resolve: "192.0.2.3", err: "--resolve 192.0.2.3: two is 192.0.2.2, 192.0.2.9"},
		{target: "two:1", resolve: "two", err: `--resolve "two": want an address in numbers`},
		{target: "one:1", v6: true, err: "it has no address"},
		{target: "nil:1", err: "no such host"},
	} {
		f := runFlags{targets: []string{test.target}, resolve: test.resolve, v6: test.v6}
		got, err := f.resolveTargets(find)
		switch {
		case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
			t.Errorf("%+v: %v, want %q", test, err, test.err)
		case test.err == "" && (err != nil || got[0] != test.want):
			t.Errorf("%+v: %v, %v", test, got, err)
		}
	}
}
