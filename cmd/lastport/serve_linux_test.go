package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink"
	"pgregory.net/rapid"

	"lastport/loadgen"
	"lastport/loadgen/ports"
	"lastport/loadgen/step"
	"lastport/reports/result"
)

// noRaceSleep spares each process a second at its end under the race detector.
const noRaceSleep = "GORACE=atexit_sleep_ms=0"

// inNamespace runs the calling test again in a private network namespace with a
// loopback link, and says whether this is there.
func inNamespace(t *testing.T) bool {
	t.Helper()
	const env = "LASTPORT_TEST_IN_NAMESPACE"
	if os.Getenv(env) == t.Name() {
		lo, err := netlink.LinkByName("lo")
		if err == nil {
			err = netlink.LinkSetUp(lo)
		}
		if err != nil {
			t.Fatal(err)
		}
		return true
	}
	requireNamespaces(t)
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), env+"="+t.Name(), noRaceSleep)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}},
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("in a namespace: %v\n%s", err, out)
	}
	return false
}

// prepare makes this test binary ready to run as lastport.
func prepare(args ...string) (*exec.Cmd, *lockedBuffer) {
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Args[0] = "lastport" // as testscript.Main looks for it
	cmd.Env = append(os.Environ(), noRaceSleep)
	var stderr lockedBuffer
	cmd.Stderr = &stderr
	return cmd, &stderr
}

// serving is a lastport serve that runs.
type serving struct {
	cmd    *exec.Cmd
	stdout bytes.Buffer
	stderr *lockedBuffer
	addr   string
	token  string // its file
}

// serve starts lastport serve on a port that the kernel chooses.
func serve(t *testing.T, args ...string) *serving {
	t.Helper()
	var s serving
	s.start(append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cmd.Process.Kill() }) // fails where it has ended
	s.ready(t)
	return &s
}

// start prepares the server.
func (s *serving) start(args ...string) {
	s.cmd, s.stderr = prepare(args...)
	s.cmd.Stdout = &s.stdout
}

// ready waits until the server has said where it is, and where its token is.
func (s *serving) ready(t *testing.T) {
	t.Helper()
	token := regexp.MustCompile(`(?m)^token: (\S+)$`)
	waitFor(t, "a token", func() bool { return token.MatchString(s.stderr.String()) })
	s.token = token.FindStringSubmatch(s.stderr.String())[1]
	s.addr = regexp.MustCompile(`(?m)^listening on (.+)$`).FindStringSubmatch(s.stderr.String())[1]
}

// consented has the server consent to a run that uses every port, and ends it with
// the test.
func (s *serving) consented(t *testing.T, closeMode step.CloseMode) *farEnd {
	t.Helper()
	token, err := readToken(s.token)
	if err != nil {
		t.Fatal(err)
	}
	cfg := loadgen.Config{Range: ports.Of(ports.Range{Low: 1024, High: ports.Max}), Targets: []netip.AddrPort{netip.MustParseAddrPort(s.addr)}, Close: closeMode, Connections: 10, Scenario: "fill"}
	far, err := agree(t.Context(), &cfg, token, func() {})
	if err != nil {
		t.Fatalf("%v\n%s", err, s.stderr)
	}
	t.Cleanup(func() { _ = far.Close() })
	return far
}

// end sends the signal and returns the statistics.
func (s *serving) end(t *testing.T, sig syscall.Signal) (stats result.Server) {
	t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	if status := exitOf(t, s.cmd); status != exitOK {
		t.Errorf("%v: status %d, want %d\n%s", sig, status, exitOK, s.stderr)
	}
	if err := json.Unmarshal(s.stdout.Bytes(), &stats); err != nil {
		t.Fatalf("statistics %q: %v", s.stdout.String(), err)
	}
	return stats
}

func connect(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// exchange sends a request and reads its answer.
func exchange(t *testing.T, conn net.Conn) {
	t.Helper()
	answer := []byte{0}
	_, err := conn.Write([]byte{1})
	if err == nil {
		_, err = io.ReadFull(conn, answer)
	}
	if err != nil || answer[0] != 1 {
		t.Errorf("answer %v, %v, want 1", answer, err)
	}
}

// The first signal closes what is open and prints what was seen.
func TestServeEnds(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	ends := []syscall.Signal{syscall.SIGINT, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as the server's would be, too
		ends = append(ends, syscall.SIGHUP)
	}
	for _, sig := range ends {
		s := serve(t, "--format", "json")
		s.consented(t, step.ClientFIN)
		conn := connect(t, s.addr)
		for range 3 {
			exchange(t, conn)
		}
		const line = `{"accepted":1,"closed":0,"distinct_peers":1,"distinct_tuples":1,"requests":3,"over_limit":0,"idle_closed":0,"no_fd":0,"strangers":0}`
		waitFor(t, "statistics on standard error", func() bool {
			// An answer may be here a moment before it is counted there.
			if err := s.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
				t.Fatal(err)
			}
			return strings.Contains(s.stderr.String(), line+"\n")
		})
		one := int64(1)
		want := result.Server{Accepted: 1, Closed: &one, DistinctPeers: &one, DistinctTuples: &one, Requests: 3, Strangers: new(int64)}
		if got := s.end(t, sig); !reflect.DeepEqual(got, want) {
			t.Errorf("%v: %+v, want %+v", sig, got, want)
		}
		// Its consent is over, and so is what it consented to.
		if n, err := conn.Read(make([]byte, 1)); n != 0 || !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%v: the client reads %d, %v, want a reset", sig, n, err)
		}
		if _, err := os.Stat(s.token); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%v: the token's file is left: %v", sig, err)
		}
	}
}

// Every flag that bounds a connection reaches the listener.
func TestServeLimits(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	for _, test := range []struct {
		flags string
		mode  step.CloseMode
		say   string // by the client
		end   error  // how the client sees the close
		want  result.Server
	}{
		{flags: "--close server-rst", mode: step.ServerRST, say: "\x00", end: syscall.ECONNRESET},
		{flags: "--close server-fin", mode: step.ServerFIN, say: "\x00", end: io.EOF},
		{flags: "--max-bytes 3", mode: step.ClientFIN, say: "abcd", end: syscall.ECONNRESET},
		{flags: "--idle 20ms", mode: step.ClientFIN, end: io.EOF, want: result.Server{IdleClosed: 1}},
	} {
		s := serve(t, append(strings.Fields(test.flags), "--format", "json")...)
		s.consented(t, test.mode)
		conn := connect(t, s.addr)
		if _, err := io.WriteString(conn, test.say); err != nil {
			t.Error(err)
		}
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, test.end) {
			t.Errorf("%s: the client reads %v, want %v", test.flags, err, test.end)
		}
		one := int64(1)
		test.want.Accepted, test.want.Closed, test.want.DistinctPeers, test.want.DistinctTuples = 1, &one, &one, &one
		test.want.Strangers = new(int64)
		if diff := cmp.Diff(test.want, s.end(t, syscall.SIGINT)); diff != "" {
			t.Errorf("%s: %s\n%s", test.flags, diff, s.stderr)
		}
	}
}

func TestServeMaxConnections(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	for _, flag := range []string{"--max-connections", "--max-per-peer"} {
		s := serve(t, flag, "10", "--format", "json")
		s.consented(t, step.ClientFIN)
		for range 10 {
			exchange(t, connect(t, s.addr))
		}
		conn, err := net.Dial("tcp", s.addr)
		if err == nil { // the reset may come before it is asked for
			_, err = conn.Read(make([]byte, 1))
			_ = conn.Close()
		}
		if !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%s: the eleventh ends by %v, want a reset", flag, err)
		}
		if got := s.end(t, syscall.SIGINT); got.OverLimit != 1 || got.Accepted != 11 || *got.Closed != 11 {
			t.Errorf("%s: %+v, want one of 11 over the limit", flag, got)
		}
	}
}

// Over UDP an opening and a request are answered, and no close is told of. Whoever
// has not proven anything is not answered.
func TestServeUDP(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	s := serve(t, "--proto", "udp", "--format", "json")
	conn, err := net.Dial("udp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // nothing is lost
	if _, err := conn.Write([]byte{2}); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "a stranger", func() bool {
		if err := s.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
			t.Fatal(err)
		}
		return strings.Contains(s.stderr.String(), `"strangers":1}`)
	})
	token, err := readToken(s.token)
	if err != nil {
		t.Fatal(err)
	}
	cfg := loadgen.Config{UDP: true, Range: ports.Of(ports.Range{Low: 1024, High: ports.Max}), Targets: []netip.AddrPort{netip.MustParseAddrPort(s.addr)}}
	far, err := agree(t.Context(), &cfg, token, func() {})
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close() //nolint:errcheck // nothing is lost
	for _, said := range []byte{2, 1, 1} {
		answer := []byte{0}
		if _, err := conn.Write([]byte{said}); err != nil {
			t.Fatal(err)
		}
		if n, err := conn.Read(answer); n != 1 || err != nil || answer[0] != said|0x80 {
			t.Fatalf("%d is answered by %d of %d bytes, %v", said, answer[0], n, err)
		}
	}
	if told := far.Stats(); told.Accepted != 1 || told.Requests != 2 || told.Closed != nil || told.States != nil {
		t.Errorf("the generator is told %+v", told)
	}
	one := int64(1)
	want := result.Server{Accepted: 1, DistinctPeers: &one, DistinctTuples: &one, Requests: 2, Strangers: &one}
	if got := s.end(t, syscall.SIGTERM); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// A port that is taken fails a server that cannot start; it is no wrong usage.
func TestServePortInUse(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	s := serve(t)
	cmd, stderr := prepare("serve", "--listen", s.addr)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if status := exitOf(t, cmd); status != exitFailed {
		t.Errorf("status %d, want %d", status, exitFailed)
	}
	if !regexp.MustCompile(`^lastport: listen on \S+: bind: the port is taken, .*\nhint: see what has it with .*\n$`).MatchString(stderr.String()) {
		t.Errorf("standard error: %s", stderr)
	}
}

// What addressList writes, --listen understands.
func TestAddressListIsUnderstood(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		addr := rapid.SampledFrom([]string{"127.0.0.1", "127.1.2.3", "::1"})
		var addrs []netip.AddrPort
		for range rapid.IntRange(1, 4).Draw(t, "pieces") {
			first := rapid.Uint16Range(1, 65530).Draw(t, "first")
			at := netip.MustParseAddr(addr.Draw(t, "address"))
			for i := range rapid.Uint16Range(1, 5).Draw(t, "ports") {
				if one := netip.AddrPortFrom(at, first+i); !slices.Contains(addrs, one) {
					addrs = append(addrs, one)
				}
			}
		}
		text := addressList(addrs)
		got, err := parseListens(strings.Split(text, ", "))
		if err != nil || !slices.Equal(got, addrs) {
			t.Fatalf("%v is written as %q and read as %v, %v", addrs, text, got, err)
		}
	})
}

func FuzzParseListen(f *testing.F) {
	for _, seed := range []string{"127.0.0.1:7000-7009", "[::1]:0", "127.0.0.1:0-9", "10.0.0.1:1", "[::ffff:127.0.0.1]:1-65535", "-", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		addrs, err := parseAddress("listen", text)
		if (err == nil) != (len(addrs) > 0) {
			t.Fatalf("%q: %d addresses, %v", text, len(addrs), err)
		}
		if err != nil && statusOf(err) != exitUsage {
			t.Fatalf("%q: %v is no wrong usage", text, err)
		}
		for i, addr := range addrs {
			if addr.Addr().Is4In6() || i > 0 && addr.Port() != addrs[i-1].Port()+1 {
				t.Fatalf("%q: %v", text, addrs)
			}
		}
	})
}
