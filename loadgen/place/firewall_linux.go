package place

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"lastport/loadgen/ports"
)

// Firewall is what stands before the first client and drops TCP segments
// between it and a target, by the client's ports.
type Firewall struct {
	Target netip.AddrPort
	Out    ports.Ranges // on the way out: what the client sends from them
	Back   ports.Ranges // on the way back: what the target sends to them
}

// Block puts the firewall up. It drops without a word, as a firewall does of
// which the client knows nothing. Where this kernel has no nftables, or does not
// let us have them, the error is a *MissingError.
func (h *Hosts) Block(f Firewall) error {
	if f.Out.Size()+f.Back.Size() == 0 {
		return nil
	}
	return h.Client(0).Do(func() error {
		conn, err := nftables.New()
		if err == nil {
			if err = f.write(conn); err == nil {
				err = conn.Flush()
			}
		}
		if err != nil {
			return withoutRules(fmt.Errorf("firewall of the place: nftables: %w", err))
		}
		return nil
	})
}

// write writes a chain for each direction.
func (f Firewall) write(conn *nftables.Conn) error {
	table := conn.AddTable(&nftables.Table{Family: nftables.TableFamilyINet, Name: "lastport-firewall"})
	for _, way := range []struct {
		name     string
		hook     *nftables.ChainHook
		ports    ports.Ranges
		own, far uint32 // where in the segment's header the client's port is, and the target's
	}{
		{"out", nftables.ChainHookOutput, f.Out, sourcePort, destinationPort},
		{"back", nftables.ChainHookInput, f.Back, destinationPort, sourcePort},
	} {
		if way.ports.Size() == 0 {
			continue
		}
		set := &nftables.Set{Table: table, Name: way.name, Interval: true, KeyType: nftables.TypeInetService}
		if err := addPorts(conn, set, way.ports); err != nil {
			return err
		}
		chain := conn.AddChain(&nftables.Chain{
			Table: table, Name: way.name, Type: nftables.ChainTypeFilter, Hooknum: way.hook, Priority: nftables.ChainPriorityFilter,
		})
		conn.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: []expr.Any{
			&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: addressRegister},
			&expr.Cmp{Op: expr.CmpOpEq, Register: addressRegister, Data: []byte{unix.IPPROTO_TCP}},
			port(way.far),
			&expr.Cmp{Op: expr.CmpOpEq, Register: addressRegister, Data: binaryutil.BigEndian.PutUint16(f.Target.Port())},
			port(way.own),
			&expr.Lookup{SourceRegister: addressRegister, SetName: set.Name, SetID: set.ID},
			&expr.Verdict{Kind: expr.VerdictDrop},
		}})
	}
	return nil
}

// Offsets in the header of a TCP segment (RFC 9293, section 3.1).
const (
	sourcePort      = 0
	destinationPort = 2
)

// port loads the port at the offset.
func port(offset uint32) *expr.Payload {
	return &expr.Payload{DestRegister: addressRegister, Base: expr.PayloadBaseTransportHeader, Offset: offset, Len: 2}
}

// addPorts makes a set of ranges. An attribute of netlink holds 64 KiB, and a
// range takes 40 bytes; what is sent at once has to fit the socket's buffer.
func addPorts(conn *nftables.Conn, set *nftables.Set, list ports.Ranges) error {
	const most = 1000
	if err := conn.AddSet(set, nil); err != nil {
		return err
	}
	for part := range slices.Chunk(list, most) {
		if err := conn.SetAddElements(set, intervals(part)); err != nil {
			return err
		}
		if err := conn.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// intervals are ranges as nf_tables keeps them: where each begins, and the first
// port behind it.
func intervals(list ports.Ranges) (elements []nftables.SetElement) {
	for _, r := range list {
		elements = append(elements, nftables.SetElement{Key: binaryutil.BigEndian.PutUint16(r.Low)})
		if r.High < ports.Max { // what has no end goes to the last port
			elements = append(elements, nftables.SetElement{Key: binaryutil.BigEndian.PutUint16(r.High + 1), IntervalEnd: true})
		}
	}
	return elements
}

// withoutRules explains an answer of systems that have no nftables, or do not
// allow them.
func withoutRules(err error) error {
	for _, errno := range []error{unix.EPERM, unix.EACCES, unix.EOPNOTSUPP, unix.EPROTONOSUPPORT, unix.ENOENT, unix.EAFNOSUPPORT} {
		if errors.Is(err, errno) {
			return &MissingError{
				What: "this system gives no nftables (CONFIG_NF_TABLES, CONFIG_NF_TABLES_INET)",
				hint: "leave --block and --block-in out: everything else works without", err: err,
			}
		}
	}
	return err
}
