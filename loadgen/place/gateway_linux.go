package place

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
	"lastport/loadgen/ports"
)

// Gateway says how a gateway translates source addresses and ports.
type Gateway struct {
	Ports    ports.Range      // of the translated connections, on each address
	Outside  []netip.Addr     // its own, all of one family; each connection takes the next one
	Random   bool             // it chooses ports at random, whatever the client's own is
	Settings map[string]int64 // of connection tracking, by key, such as timeouts in seconds
}

// conntrackPrefix begins the keys of connection tracking.
const conntrackPrefix = "net.netfilter.nf_conntrack_"

// prefixes are the gateway's addresses as hosts of their own.
func (g Gateway) prefixes() []netip.Prefix {
	list := make([]netip.Prefix, len(g.Outside))
	for i, a := range g.Outside {
		list[i] = netip.PrefixFrom(a, a.BitLen())
	}
	return list
}

// furnish makes the calling thread's namespace a router. Beside that it has the
// kernel's own settings, as it is no copy of the host.
func (g Gateway) furnish() error {
	if _, err := bringUp("lo"); err != nil {
		return powerless(err)
	}
	key := "net.ipv4.ip_forward"
	if g.Outside[0].Is6() {
		key = "net.ipv6.conf.all.forwarding"
	}
	return kernel.WriteSysctl(key, "1")
}

// translate sets the rule, and then the timeouts of what it begins to track. It
// returns the settings of connection tracking in force.
func (g Gateway) translate(over string) (map[string]string, error) {
	conn, err := nftables.New()
	if err != nil {
		return nil, noRules(fmt.Errorf("nftables: %w", err))
	}
	if err := g.rule(conn, over); err != nil {
		return nil, fmt.Errorf("nftables: %w", err)
	}
	if err := conn.Flush(); err != nil {
		return nil, noRules(fmt.Errorf("nftables: translate sources: %w", err))
	}
	for _, key := range slices.Sorted(maps.Keys(g.Settings)) {
		if err := kernel.WriteSysctl(key, fmt.Sprint(g.Settings[key])); err != nil {
			return nil, fmt.Errorf("the gateway: %w", err)
		}
	}
	return tracking()
}

// tracking reads the settings of connection tracking.
func tracking() (map[string]string, error) {
	list, err := kernel.ListSysctls("net.netfilter", func(string) bool { return true })
	if err != nil {
		return nil, fmt.Errorf("connection tracking: %w", err)
	}
	settings := make(map[string]string)
	for _, s := range list {
		if !strings.HasPrefix(s.Key, conntrackPrefix) {
			continue
		}
		if value, err := kernel.ReadSysctl(s.Key); err == nil {
			settings[s.Key] = value
		}
	}
	return settings, nil
}

// Registers of a rule: nf_tables numbers those of 16 bytes from 1
// (linux/netfilter/nf_tables.h).
const (
	addressRegister = 1
	lowRegister     = 2
	highRegister    = 3
)

// rule writes: what leaves over the link gets the next of the addresses, and a
// port of the range. The next one, because a range of addresses gives a client
// and a server always the same (find_best_ips_proto, net/netfilter/nf_nat_core.c).
func (g Gateway) rule(conn *nftables.Conn, over string) error {
	family, protocol := nftables.TableFamilyIPv4, uint32(unix.NFPROTO_IPV4)
	kind := nftables.TypeIPAddr
	if g.Outside[0].Is6() {
		family, protocol, kind = nftables.TableFamilyIPv6, unix.NFPROTO_IPV6, nftables.TypeIP6Addr
	}
	table := conn.AddTable(&nftables.Table{Family: family, Name: "lastport"})
	chain := conn.AddChain(&nftables.Chain{
		Table: table, Name: "gateway", Type: nftables.ChainTypeNAT,
		Hooknum: nftables.ChainHookPostrouting, Priority: nftables.ChainPriorityNATSource,
	})
	rule := []expr.Any{
		&expr.Meta{Key: expr.MetaKeyOIFNAME, Register: addressRegister},
		&expr.Cmp{Op: expr.CmpOpEq, Register: addressRegister, Data: linkName(over)},
	}
	if len(g.Outside) == 1 {
		rule = append(rule, &expr.Immediate{Register: addressRegister, Data: g.Outside[0].AsSlice()})
	} else {
		turns, elements := g.turns(table, kind)
		if err := conn.AddSet(turns, elements); err != nil {
			return err
		}
		rule = append(rule,
			&expr.Numgen{Register: addressRegister, Modulus: uint32(len(g.Outside)), Type: unix.NFT_NG_INCREMENTAL},
			&expr.Lookup{SourceRegister: addressRegister, DestRegister: addressRegister, IsDestRegSet: true, SetName: turns.Name, SetID: turns.ID})
	}
	rule = append(rule,
		&expr.Immediate{Register: lowRegister, Data: binaryutil.BigEndian.PutUint16(g.Ports.Low)},
		&expr.Immediate{Register: highRegister, Data: binaryutil.BigEndian.PutUint16(g.Ports.High)},
		&expr.NAT{
			Type: expr.NATTypeSourceNAT, Family: protocol, RegAddrMin: addressRegister,
			RegProtoMin: lowRegister, RegProtoMax: highRegister, FullyRandom: g.Random,
		})
	conn.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: rule})
	return nil
}

// turns maps numbers to the addresses.
func (g Gateway) turns(table *nftables.Table, kind nftables.SetDatatype) (*nftables.Set, []nftables.SetElement) {
	elements := make([]nftables.SetElement, len(g.Outside))
	for i, a := range g.Outside {
		// Numbers as the expression numgen counts them, in the host's order.
		elements[i] = nftables.SetElement{Key: binaryutil.NativeEndian.PutUint32(uint32(i)), Val: a.AsSlice()}
	}
	return &nftables.Set{
		Table: table, Anonymous: true, Constant: true, IsMap: true, KeyType: nftables.TypeInteger, DataType: kind,
	}, elements
}

// linkName is a link's name as a rule compares it, with the zero at its end.
func linkName(name string) []byte {
	const size = 16 // IFNAMSIZ
	return append([]byte(name), make([]byte, size-len(name))...)
}

// noRules explains an answer of systems that have no nftables, or do not allow
// them.
func noRules(err error) error {
	for _, errno := range []error{unix.EPERM, unix.EACCES, unix.EOPNOTSUPP, unix.EPROTONOSUPPORT, unix.ENOENT, unix.EAFNOSUPPORT, unix.EINVAL} {
		if errors.Is(err, errno) {
			return &MissingError{What: "this system gives no nftables with source NAT (CONFIG_NF_TABLES, CONFIG_NFT_NAT)", hint: "--place pair, which needs none", err: err}
		}
	}
	return err
}
