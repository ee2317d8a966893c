// Package conntrack reads connection tracking of a network namespace by
// nfnetlink: counters, how many entries there are, and the tuples of each.
//
// All is that of the calling thread's namespace. It reads and changes nothing;
// what the numbers mean for a run is package loadgen's.
package conntrack

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
)

// Stats are counters of connection tracking since the namespace began, summed
// over the processors (ctnetlink_ct_stat_cpu_fill_info of
// net/netfilter/nf_conntrack_netlink.c).
type Stats struct {
	Found         int64 // lookups that found an entry while a port was chosen
	Invalid       int64 // packets that could not be tracked
	Insert        int64
	InsertFailed  int64 // entries that another with the same tuple kept out: their packets are dropped
	Drop          int64 // packets dropped because their entry could not be made, or collided
	EarlyDrop     int64 // entries removed to make room in a full table
	Error         int64
	SearchRestart int64
	ClashResolve  int64 // collisions after which the packet went on by the entry that won
	ChainTooLong  int64
}

// Since returns what was counted since an earlier reading.
func (s Stats) Since(e Stats) Stats {
	return Stats{
		Found: s.Found - e.Found, Invalid: s.Invalid - e.Invalid, Insert: s.Insert - e.Insert,
		InsertFailed: s.InsertFailed - e.InsertFailed, Drop: s.Drop - e.Drop, EarlyDrop: s.EarlyDrop - e.EarlyDrop,
		Error: s.Error - e.Error, SearchRestart: s.SearchRestart - e.SearchRestart,
		ClashResolve: s.ClashResolve - e.ClashResolve, ChainTooLong: s.ChainTooLong - e.ChainTooLong,
	}
}

// Tuple is one tracked connection.
type Tuple struct {
	Proto    uint8 // unix.IPPROTO_TCP or unix.IPPROTO_UDP, others are left out
	State    State // of TCP
	Original Path  // as its first packet came
	Reply    Path  // as answers come: behind source NAT its Dst is the translated source
}

// Path is one direction of a connection.
type Path struct{ Src, Dst netip.AddrPort }

// State is a TCP state as connection tracking numbers it
// (include/uapi/linux/netfilter/nf_conntrack_tcp.h).
type State uint8

// The states of connection tracking.
const (
	None State = iota
	SynSent
	SynRecv
	Established
	FinWait
	CloseWait
	LastAck
	TimeWait
	Close
)

// ErrInterrupted says that the table changed while it was listed: an entry may be
// missing or double (NLM_F_DUMP_INTR).
var ErrInterrupted = errors.New("conntrack: the table changed during the dump")

// Messages and attributes of include/uapi/linux/netfilter/nfnetlink_conntrack.h.
const (
	subsystem   = 1 << 8 // NFNL_SUBSYS_CTNETLINK
	getEntries  = subsystem | 1
	newEntry    = subsystem
	getStatsCPU = subsystem | 4
	getStats    = subsystem | 5

	headerSize = 4 // struct nfgenmsg
)

// ReadStats reads the counters.
func ReadStats() (Stats, error) {
	var s Stats
	counters := map[uint16]*int64{
		2: &s.Found, 4: &s.Invalid, 8: &s.Insert, 9: &s.InsertFailed, 10: &s.Drop, 11: &s.EarlyDrop,
		12: &s.Error, 13: &s.SearchRestart, 14: &s.ClashResolve, 15: &s.ChainTooLong,
	}
	err := ask(request{kind: getStatsCPU, flags: unix.NLM_F_DUMP}, func(_ uint16, body []byte) {
		each(body, func(kind uint16, value []byte) {
			if sum := counters[kind]; sum != nil && len(value) == 4 {
				*sum += int64(binary.BigEndian.Uint32(value))
			}
		})
	})
	return s, err
}

// Entries returns how many entries there are, and how many there may be: that
// is the whole machine's limit (nf_conntrack_max). The limit is 0 if the kernel
// does not say it.
func Entries() (count, most int64, err error) {
	err = ask(request{kind: getStats}, func(_ uint16, body []byte) {
		each(body, func(kind uint16, value []byte) {
			switch {
			case len(value) != 4:
			case kind == 1: // CTA_STATS_GLOBAL_ENTRIES
				count = int64(binary.BigEndian.Uint32(value))
			case kind == 2: // CTA_STATS_GLOBAL_MAX_ENTRIES
				most = int64(binary.BigEndian.Uint32(value))
			}
		})
	})
	return count, most, err
}

// Tuples calls f for each connection of TCP and UDP of a family (AF_INET or
// AF_INET6). f must not keep the pointer. ErrInterrupted comes after the last
// call of f.
func Tuples(family uint8, f func(*Tuple)) error {
	return ask(request{kind: getEntries, flags: unix.NLM_F_DUMP, family: family}, func(kind uint16, body []byte) {
		if kind != newEntry {
			return
		}
		var t Tuple
		each(body, t.set)
		if t.Proto == unix.IPPROTO_TCP || t.Proto == unix.IPPROTO_UDP {
			f(&t)
		}
	})
}

// Tracked says whether a connection has an entry: proto is its protocol, and p the
// way of its first packet. One whose packets were all dropped has none.
func Tracked(proto uint8, p Path) (bool, error) {
	r := request{kind: getEntries, family: unix.AF_INET6, body: original(proto, p)}
	if p.Src.Addr().Is4() {
		r.family = unix.AF_INET
	}
	found := false
	err := ask(r, func(kind uint16, _ []byte) { found = found || kind == newEntry })
	if errors.Is(err, unix.ENOENT) {
		return false, nil
	}
	return found, err
}

// original writes a tuple as the attribute CTA_TUPLE_ORIG.
func original(proto uint8, p Path) []byte {
	from, to := uint16(1), uint16(2) // CTA_IP_V4_SRC and _DST
	if p.Src.Addr().Is6() {
		from, to = 3, 4
	}
	be := binary.BigEndian
	addresses := append(attribute(from, p.Src.Addr().AsSlice()), attribute(to, p.Dst.Addr().AsSlice())...)
	ports := attribute(1, []byte{proto}) // CTA_PROTO_NUM, _SRC_PORT and _DST_PORT
	ports = append(ports, attribute(2, be.AppendUint16(nil, p.Src.Port()))...)
	ports = append(ports, attribute(3, be.AppendUint16(nil, p.Dst.Port()))...)
	return attribute(1|unix.NLA_F_NESTED, append(attribute(1|unix.NLA_F_NESTED, addresses), attribute(2|unix.NLA_F_NESTED, ports)...))
}

// attribute writes one attribute, and what pads it to four bytes.
func attribute(kind uint16, value []byte) []byte {
	size := unix.SizeofNlAttr + len(value)
	b := make([]byte, unix.SizeofNlAttr, (size+3)&^3)
	binary.NativeEndian.PutUint16(b, uint16(size))
	binary.NativeEndian.PutUint16(b[2:], kind)
	b = append(b, value...)
	return b[:cap(b)]
}

// set takes one attribute of an entry.
func (t *Tuple) set(kind uint16, value []byte) {
	switch kind {
	case 1: // CTA_TUPLE_ORIG
		t.Original, t.Proto = path(value)
	case 2: // CTA_TUPLE_REPLY
		t.Reply, _ = path(value)
	case 4: // CTA_PROTOINFO
		each(value, func(kind uint16, value []byte) {
			if kind != 1 { // CTA_PROTOINFO_TCP
				return
			}
			each(value, func(kind uint16, value []byte) {
				if kind == 1 && len(value) == 1 { // CTA_PROTOINFO_TCP_STATE
					t.State = State(value[0])
				}
			})
		})
	}
}

// path reads a tuple's addresses, ports and protocol.
func path(b []byte) (p Path, proto uint8) {
	var src, dst netip.Addr
	var from, to uint16
	each(b, func(group uint16, value []byte) {
		each(value, func(kind uint16, value []byte) {
			if group == 1 { // CTA_TUPLE_IP: _V4_SRC, _V4_DST, _V6_SRC, _V6_DST
				addr, _ := netip.AddrFromSlice(value)
				if kind%2 == 1 {
					src = addr
				} else {
					dst = addr
				}
				return
			}
			switch { // CTA_TUPLE_PROTO: _NUM, _SRC_PORT, _DST_PORT
			case kind == 1 && len(value) == 1:
				proto = value[0]
			case kind == 2 && len(value) == 2:
				from = binary.BigEndian.Uint16(value)
			case kind == 3 && len(value) == 2:
				to = binary.BigEndian.Uint16(value)
			}
		})
	})
	return Path{netip.AddrPortFrom(src, from), netip.AddrPortFrom(dst, to)}, proto
}

// each calls f for every attribute; what is cut off is left out.
func each(b []byte, f func(kind uint16, value []byte)) {
	ne := binary.NativeEndian
	for len(b) >= unix.SizeofNlAttr {
		size, kind := int(ne.Uint16(b)), ne.Uint16(b[2:])
		if size < unix.SizeofNlAttr || size > len(b) {
			return
		}
		f(kind&^(unix.NLA_F_NESTED|unix.NLA_F_NET_BYTEORDER), b[unix.SizeofNlAttr:size])
		b = b[min(len(b), (size+3)&^3):]
	}
}

// request is a message to the kernel.
type request struct {
	kind, flags uint16
	family      uint8
	body        []byte // attributes
}

// bytes writes the message.
func (r request) bytes() []byte {
	b := make([]byte, unix.SizeofNlMsghdr+headerSize, unix.SizeofNlMsghdr+headerSize+len(r.body))
	ne := binary.NativeEndian
	ne.PutUint32(b[0:], uint32(cap(b)))
	ne.PutUint16(b[4:], r.kind)
	ne.PutUint16(b[6:], unix.NLM_F_REQUEST|unix.NLM_F_ACK|r.flags)
	b[unix.SizeofNlMsghdr] = r.family
	return append(b, r.body...)
}

// ask sends one request and calls f for every message of the answer.
func ask(r request, f func(kind uint16, body []byte)) error {
	interrupted, err := kernel.AskNetlink(unix.NETLINK_NETFILTER, r.bytes(), func(b []byte) (bool, bool, error) { return parse(b, f) })
	switch {
	case err != nil:
		return fmt.Errorf("conntrack: %w", err)
	case interrupted:
		return ErrInterrupted
	}
	return nil
}

// parse reads the netlink messages of one datagram. done says that the answer has
// ended.
func parse(b []byte, f func(kind uint16, body []byte)) (done, interrupted bool, err error) {
	ne := binary.NativeEndian
	for len(b) >= unix.SizeofNlMsghdr {
		size, kind := int(ne.Uint32(b[0:])), ne.Uint16(b[4:])
		if size < unix.SizeofNlMsghdr || size > len(b) {
			return false, interrupted, fmt.Errorf("message of %d bytes in %d", size, len(b))
		}
		interrupted = interrupted || ne.Uint16(b[6:])&unix.NLM_F_DUMP_INTR != 0
		body := b[unix.SizeofNlMsghdr:size]
		switch kind {
		case unix.NLMSG_DONE, unix.NLMSG_ERROR: // an error of 0 acknowledges
			if len(body) >= 4 && int32(ne.Uint32(body)) < 0 {
				return true, interrupted, unix.Errno(-int32(ne.Uint32(body)))
			}
			return true, interrupted, nil
		default:
			if len(body) >= headerSize {
				f(kind, body[headerSize:])
			}
		}
		b = b[min(len(b), (size+3)&^3):]
	}
	return false, interrupted, nil
}
