package conntrack

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel/nstest"
)

// track makes the tests' namespace track connections: it does so only where a rule
// asks for their state.
var track = sync.OnceValue(func() error {
	conn, err := nftables.New()
	if err != nil {
		return err
	}
	table := conn.AddTable(&nftables.Table{Family: nftables.TableFamilyINet, Name: "track"})
	chain := conn.AddChain(&nftables.Chain{
		Table: table, Name: "input", Type: nftables.ChainTypeFilter, Hooknum: nftables.ChainHookInput, Priority: nftables.ChainPriorityFilter,
	})
	conn.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: []expr.Any{&expr.Ct{Key: expr.CtKeySTATE, Register: 1}}})
	return conn.Flush()
})

// connection is an open TCP connection over loopback.
func connection(t *testing.T, addr string) (client, server netip.AddrPort) {
	t.Helper()
	if err := track(); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", net.JoinHostPort(addr, "0"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c.LocalAddr().(*net.TCPAddr).AddrPort(), c.RemoteAddr().(*net.TCPAddr).AddrPort()
}

func TestTuples(t *testing.T) {
	for family, addr := range map[uint8]string{unix.AF_INET: nstest.Addr, unix.AF_INET6: nstest.Addr6} {
		client, server := connection(t, addr)
		want := Tuple{
			Proto: unix.IPPROTO_TCP, State: Established, Original: Path{client, server}, Reply: Path{server, client},
		}
		found := 0
		err := Tuples(family, func(got *Tuple) {
			if *got == want {
				found++
			}
		})
		if err != nil || found != 1 {
			t.Errorf("%s: the connection %v is there %d times, %v", addr, want, found, err)
		}
	}
}

func TestTracked(t *testing.T) {
	for _, addr := range []string{nstest.Addr, nstest.Addr6} {
		client, server := connection(t, addr)
		other := netip.AddrPortFrom(server.Addr(), server.Port()^1)
		for _, c := range []struct {
			path Path
			want bool
		}{{Path{client, server}, true}, {Path{client, other}, false}} {
			got, err := Tracked(unix.IPPROTO_TCP, c.path)
			if err != nil || got != c.want {
				t.Errorf("%v is tracked: %v, %v; want %v", c.path, got, err, c.want)
			}
		}
		if got, err := Tracked(unix.IPPROTO_UDP, Path{client, server}); err != nil || got {
			t.Errorf("over UDP %v is tracked: %v, %v", client, got, err)
		}
	}
}

func TestEntriesAndStats(t *testing.T) {
	connection(t, nstest.Addr)
	count, most, err := Entries()
	if err != nil || count < 1 || most < count {
		t.Errorf("%d entries of %d, %v", count, most, err)
	}
	before, err := ReadStats()
	if err != nil {
		t.Fatal(err)
	}
	now, err := ReadStats()
	if since := now.Since(before); err != nil || since.InsertFailed != 0 || since.Drop != 0 {
		t.Errorf("since: %+v, %v", since, err)
	}
}

// message is a message of the kernel's.
func message(kind, flags uint16, body []byte) []byte {
	b := request{kind: kind, flags: flags, body: body}.bytes()
	binary.NativeEndian.PutUint16(b[6:], flags)
	return b
}

func TestParse(t *testing.T) {
	errno := func(n int32) []byte { // it stands where an entry has its family
		b := message(unix.NLMSG_ERROR, 0, nil)
		binary.NativeEndian.PutUint32(b[unix.SizeofNlMsghdr:], uint32(n))
		return b
	}
	for _, c := range []struct {
		name      string
		bytes     []byte
		done, cut bool
		err       error
	}{
		{"an entry", message(newEntry, 0, nil), false, false, nil},
		{"an entry of a table that changed", message(newEntry, unix.NLM_F_DUMP_INTR, nil), false, true, nil},
		{"the end", message(unix.NLMSG_DONE, 0, nil), true, false, nil},
		{"an acknowledgement", errno(0), true, false, nil},
		{"an error", errno(-int32(unix.ENOENT)), true, false, unix.ENOENT},
	} {
		done, cut, err := parse(c.bytes, func(uint16, []byte) {})
		if done != c.done || cut != c.cut || !errors.Is(err, c.err) {
			t.Errorf("%s: %v, %v, %v", c.name, done, cut, err)
		}
	}
	short := message(newEntry, 0, nil)
	if _, _, err := parse(short[:len(short)-1], func(uint16, []byte) {}); err == nil {
		t.Error("a message that is cut off is taken")
	}
}

// What is written is read again.
func TestTupleGoesThroughBytes(t *testing.T) {
	for _, p := range []Path{
		{netip.MustParseAddrPort("198.18.1.1:40000"), netip.MustParseAddrPort("198.18.0.1:80")},
		{netip.MustParseAddrPort("[2001:2::11]:1"), netip.MustParseAddrPort("[2001:2::1]:65535")},
	} {
		var got Tuple
		each(original(unix.IPPROTO_TCP, p), got.set)
		if got.Original != p || got.Proto != unix.IPPROTO_TCP {
			t.Errorf("%v is read as %+v", p, got)
		}
	}
}

// Whatever comes, nothing is read beyond it.
func FuzzParse(f *testing.F) {
	p := Path{netip.MustParseAddrPort("198.18.1.1:40000"), netip.MustParseAddrPort("198.18.0.1:80")}
	f.Add(message(newEntry, 0, original(unix.IPPROTO_TCP, p)))
	f.Add(message(unix.NLMSG_DONE, 0, nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _, _ = parse(b, func(_ uint16, body []byte) {
			var tuple Tuple
			each(body, tuple.set)
		})
	})
}
