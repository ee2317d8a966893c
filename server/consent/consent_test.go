package consent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lastport/reports/result"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	target = netip.MustParseAddrPort("198.51.100.7:7000")
	peer   = netip.MustParseAddrPort("198.51.100.9:40000")
	noon   = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
)

// meeting is a proof between two ends.
type meeting struct {
	generator Generator
	server    Server
	grant     func(Claim) (Terms, error)
	between   func(generator, server net.Conn) (net.Conn, net.Conn) // puts something in between
}

// newMeeting is one that comes to a consent.
func newMeeting() *meeting {
	token := NewToken(noon)
	return &meeting{
		generator: Generator{Token: token, Version: "1.2.3", Target: target, Patience: time.Hour},
		server:    Server{Token: token, Version: "1.2.3", Patience: time.Hour},
		grant: func(c Claim) (Terms, error) {
			return Terms{Server: "s", Version: "1.2.3", Peer: peer}, nil
		},
		between: func(g, s net.Conn) (net.Conn, net.Conn) { return g, s },
	}
}

// hold has both sides prove, and returns what each came to.
func (m *meeting) hold(t *testing.T, wish Wish) (*Lease, *Granted, error, error) {
	t.Helper()
	g, s := m.between(net.Pipe())
	type half struct {
		granted *Granted
		err     error
	}
	server := make(chan half, 1)
	go func() {
		granted, err := m.server.Check(s, m.grant)
		server <- half{granted, err}
	}()
	lease, err := m.generator.Prove(t.Context(), g, wish)
	other := <-server
	t.Cleanup(func() { _, _ = g.Close(), s.Close() }) // again, where the proof has failed
	return lease, other.granted, err, other.err
}

func TestBothSidesConsent(t *testing.T) {
	m := newMeeting()
	wish := Wish{Close: "client-fin", Connections: 100, Local: peer.String(), Sources: []netip.Addr{peer.Addr()}, Ports: []PortRange{{40000, 40099}}}
	var claimed Claim
	grant := m.grant
	m.grant = func(c Claim) (Terms, error) {
		claimed = c
		return grant(c)
	}
	lease, granted, err, serverErr := m.hold(t, wish)
	if err != nil || serverErr != nil {
		t.Fatalf("generator: %v, server: %v", err, serverErr)
	}
	if got, want := fmt.Sprint(claimed), fmt.Sprint(Claim{target, "1.2.3", wish}); got != want {
		t.Errorf("the server heard %s, want %s", got, want)
	}
	served := make(chan error, 1)
	asked := []Ask{}
	go func() {
		served <- granted.Serve(func(a Ask) (result.Server, error) {
			asked = append(asked, a)
			if a == AskDrain {
				return result.Server{}, errors.New("not now")
			}
			return result.Server{Accepted: int64(len(asked))}, nil
		})
	}()
	for i, ask := range []Ask{AskStatistics, AskDrain, AskTotal} {
		numbers, err := lease.Ask(ask, time.Minute)
		if ask == AskDrain {
			if err == nil || !strings.Contains(err.Error(), "not now") {
				t.Errorf("%s: %v, want what the server says", ask, err)
			}
		} else if err != nil || numbers.Accepted != int64(i+1) {
			t.Errorf("%s: %+v, %v", ask, numbers, err)
		}
	}
	if err := lease.Close(); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Errorf("the server says that it ended by %v", err)
	}
	if _, err := lease.Ask(AskTotal, time.Minute); !errors.Is(err, ErrEnded) {
		t.Errorf("after the end: %v, want %v", err, ErrEnded)
	}
}

// kept is a connection that counts how often it is closed.
type kept struct {
	net.Conn
	closed atomic.Int32
}

func (k *kept) Close() error {
	k.closed.Add(1)
	return k.Conn.Close()
}

// The server's end stays open when a lease is over, until nothing is left of it: by
// its close the generator knows that the same run would be taken again.
func TestServerClosesLast(t *testing.T) {
	m := newMeeting()
	far := &kept{}
	m.between = func(g, s net.Conn) (net.Conn, net.Conn) {
		far.Conn = s
		return g, far
	}
	lease, granted, err, _ := m.hold(t, Wish{})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- granted.Serve(func(Ask) (result.Server, error) { return result.Server{}, nil }) }()
	if err := lease.Close(); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil || far.closed.Load() != 0 {
		t.Errorf("the server says that it ended by %v, and has closed %d times", err, far.closed.Load())
	}
	if err := granted.Close(); err != nil || far.closed.Load() != 1 {
		t.Errorf("%v, closed %d times", err, far.closed.Load())
	}
}

// A lease is over when the server has gone, though nobody asks.
func TestLeaseEndsWithItsServer(t *testing.T) {
	m := newMeeting()
	lease, granted, err, _ := m.hold(t, Wish{})
	if err != nil {
		t.Fatal(err)
	}
	_ = granted.w.conn.Close()
	<-lease.Ended()
	if _, err := lease.Ask(AskStatistics, time.Minute); !errors.Is(err, ErrEnded) {
		t.Errorf("%v, want %v", err, ErrEnded)
	}
	_ = lease.Close()
}

func TestRefusals(t *testing.T) {
	old, young := NewToken(noon.Add(-time.Hour)), NewToken(noon)
	own, err := ParseToken(strings.Repeat("k", LeastToken))
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(*meeting)
		want   string // in the generator's error
	}{
		"an old token":         {func(m *meeting) { m.generator.Token, m.server.Token = old, young }, "the token is old: it was made at 20261123T110000Z, and the server's at"},
		"a young token":        {func(m *meeting) { m.generator.Token, m.server.Token = young, old }, "the token is wrong: it was made at 20261123T120000Z"},
		"of the same second":   {func(m *meeting) { m.generator.Token = NewToken(noon) }, "the token is wrong: the server has another one"},
		"a token of their own": {func(m *meeting) { m.generator.Token = own }, "the token is wrong: the server has another one"},
		"a wish refused": {func(m *meeting) {
			m.grant = func(Claim) (Terms, error) { return Terms{}, &TokenError{"too many connections"} }
		}, "no consent to load at 198.51.100.7:7000: too many connections"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMeeting()
			test.change(m)
			_, _, err, serverErr := m.hold(t, Wish{})
			var refused *RefusedError
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), test.want) || refused.Hint() == "" {
				t.Errorf("the generator: %v, want %q", err, test.want)
			}
			if serverErr == nil {
				t.Error("the server consents")
			}
		})
	}
}

// pipe copies lines from one end to another, each changed by change.
func pipe(change func(n int, line []byte) []byte) func(g, s net.Conn) (net.Conn, net.Conn) {
	return func(g, s net.Conn) (net.Conn, net.Conn) {
		gFar, sFar := net.Pipe()
		_, _ = g, s
		near, far := net.Pipe()
		n := 0
		go func() { // strictly by turns, as the proof is
			defer gFar.Close() //nolint:errcheck // a test's
			defer far.Close()  //nolint:errcheck // a test's
			from, to := far, gFar
			for {
				line := []byte{}
				for b := make([]byte, 1); ; {
					if _, err := from.Read(b); err != nil {
						return
					}
					if line = append(line, b[0]); b[0] == '\n' {
						break
					}
				}
				if _, err := to.Write(change(n, line)); err != nil {
					return
				}
				n++
				from, to = to, from
			}
		}()
		return near, sFar
	}
}

// Whatever is changed on the way, no side takes it for a proof: the hello with its
// version, nonce and target, the challenge, the wish, the terms.
func TestNothingCanBeChangedOnTheWay(t *testing.T) {
	honest := newMeeting()
	honest.between = pipe(func(_ int, line []byte) []byte { return line })
	if lease, _, err, serverErr := honest.hold(t, Wish{Close: "client-fin"}); err != nil || serverErr != nil {
		t.Fatalf("with nothing changed: %v, %v", err, serverErr)
	} else {
		_ = lease.Close()
	}
	for name, change := range map[string]struct {
		line int
		from string
		to   string
	}{
		"the target":              {0, "198.51.100.7", "203.0.113.1"},
		"the generator's version": {0, "1.2.3", "9.9.9"},
		"the server's version":    {1, "1.2.3", "9.9.9"},
		"when it was made":        {1, "T120000Z", "T130000Z"},
		"the wish":                {2, "client-fin", "client-rst"},
		"the terms":               {3, "198.51.100.9", "203.0.113.1"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMeeting()
			m.between = pipe(func(n int, line []byte) []byte {
				if n == change.line {
					if !bytes.Contains(line, []byte(change.from)) {
						t.Errorf("line %d, %q, has no %q", n, line, change.from)
					}
					return bytes.Replace(line, []byte(change.from), []byte(change.to), 1)
				}
				return line
			})
			lease, _, err, serverErr := m.hold(t, Wish{Close: "client-fin"})
			if lease != nil || err == nil {
				t.Error("the generator takes it for a consent")
			}
			if change.line < 3 && serverErr == nil {
				t.Error("the server takes it for a proof")
			}
		})
	}
}

// stranger answers a generator by f, and returns what the generator says.
func stranger(t *testing.T, f func(net.Conn)) error {
	t.Helper()
	g, s := net.Pipe()
	done := make(chan bool)
	go func() {
		defer close(done)
		f(s)
		_ = s.Close()
	}()
	_, err := newMeeting().generator.Prove(t.Context(), g, Wish{})
	<-done
	return err
}

func TestStrangersAreNamed(t *testing.T) {
	hear := func(c net.Conn) []byte {
		line := make([]byte, 4096)
		n, _ := c.Read(line)
		return line[:n]
	}
	for name, test := range map[string]struct {
		stranger func(net.Conn)
		want     string
	}{
		"it echoes":       {func(c net.Conn) { _, _ = c.Write(hear(c)) }, "it echoes what it is sent"},
		"HTTP":            {func(c net.Conn) { hear(c); _, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n") }, `it answers "HTTP/1.1 400 Bad Request"`},
		"no line":         {func(c net.Conn) { hear(c); _, _ = io.WriteString(c, "hm") }, `it answers "hm"`},
		"an endless line": {func(c net.Conn) { hear(c); _, _ = c.Write(bytes.Repeat([]byte{'x'}, 4096)) }, `it answers "xxx`},
		"nothing":         {func(c net.Conn) { hear(c) }, "closed the connection without a proof"},
		"another version": {func(c net.Conn) {
			hear(c)
			_, _ = io.WriteString(c, `{"lastport":"refusal","protocol":7,"version":"9.0.0"}`+"\n")
		}, `the server is lastport "9.0.0" and proves by version 7, and this is lastport "1.2.3", which proves by version 1`},
		"no proof": {func(c net.Conn) {
			hear(c)
			line, _ := json.Marshal(opening{Lastport: wordChallenge, Protocol: Protocol, Version: "1.2.3", Nonce: nonce()})
			_, _ = c.Write(append(line, '\n'))
			hear(c)
			_, _ = io.WriteString(c, strings.Repeat("0", 64)+` {"terms":{}}`+"\n")
		}, "it cannot prove the token"},
	} {
		t.Run(name, func(t *testing.T) {
			err := stranger(t, test.stranger)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

// A generator of another version is told so, and what its version is is told here.
func TestServerNamesOtherVersions(t *testing.T) {
	g, s := net.Pipe()
	answer := make(chan string, 1)
	go func() {
		_, _ = io.WriteString(g, `{"lastport":"hello","protocol":2,"version":"9.0.0"}`+"\n")
		line := make([]byte, 4096)
		n, _ := g.Read(line)
		answer <- string(line[:n])
	}()
	_, err := newMeeting().server.Check(s, nil)
	if err == nil || !strings.Contains(err.Error(), `lastport "9.0.0" and proves by version 2`) {
		t.Errorf("the server: %v", err)
	}
	if got := <-answer; !strings.Contains(got, `"protocol":1,"version":"1.2.3","code":"protocol"`) {
		t.Errorf("the generator is told %s", got)
	}
	_ = g.Close()
}

// A proof ends with its context, and says so.
func TestProofEndsWithItsContext(t *testing.T) {
	g, s := net.Pipe()
	defer s.Close() //nolint:errcheck // a test's
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_, _ = s.Read(make([]byte, 4096))
		cancel()
	}()
	if _, err := newMeeting().generator.Prove(ctx, g, Wish{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want %v", err, context.Canceled)
	}
}

// Who says nothing is waited for so long and no longer.
func TestPatienceEnds(t *testing.T) {
	g, s := net.Pipe()
	defer s.Close()                               //nolint:errcheck // a test's
	go func() { _, _ = io.Copy(io.Discard, s) }() // until g is closed
	m := newMeeting()
	m.generator.Patience = 20 * time.Millisecond
	_, err := m.generator.Prove(t.Context(), g, Wish{})
	if err == nil || !strings.Contains(err.Error(), "nothing there has proven the token within 20ms") {
		t.Errorf("%v", err)
	}
}

// No stranger's line panics, or is taken for a hello that it is not.
func FuzzChallenge(f *testing.F) {
	f.Add([]byte(`{"lastport":"hello","protocol":1,"version":"1","nonce":"` + strings.Repeat("0", 64) + `","target":"1.2.3.4:5"}`))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	f.Add([]byte(`{"lastport":"hello","protocol":1e99}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		conn := &script{in: bytes.NewReader(append(line, '\n'))}
		_, err := newMeeting().server.Check(conn, func(Claim) (Terms, error) {
			t.Fatal("nothing is proven")
			return Terms{}, nil
		})
		if err == nil || !conn.closed {
			t.Fatalf("error %v, closed %v", err, conn.closed)
		}
		if conn.out.Len() > 0 && !json.Valid(conn.out.Bytes()) && bytes.Count(conn.out.Bytes(), []byte{'\n'}) > 2 {
			t.Fatalf("it says %q", conn.out.Bytes())
		}
	})
}

// script is a connection whose other end has said all that it says.
type script struct {
	in     *bytes.Reader
	out    bytes.Buffer
	closed bool
}

func (s *script) Read(p []byte) (int, error)  { return s.in.Read(p) }
func (s *script) Write(p []byte) (int, error) { return s.out.Write(p) }
func (s *script) SetDeadline(time.Time) error { return nil }
func (s *script) Close() error {
	s.closed = true
	return nil
}
