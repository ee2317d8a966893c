package loadgen

import (
	"fmt"
	"net/netip"
	"strings"

	"lastport/loadgen/ports"
	"lastport/reports/result"
)

// rules are what a firewall must let pass for the client to use all ports that
// were asked for, in each direction, and what of it is missing.
func rules(client netip.Addr, target netip.AddrPort, asked ports.Ranges, f fates) []result.Rule {
	at := passage{client, target, asked}
	return []result.Rule{at.out(f.out.Union(f.astray()).Union(f.refused)), at.back(f.back.Union(f.astray()))}
}

// passage is between a client's ports and a target.
type passage struct {
	client netip.Addr
	target netip.AddrPort
	ports  ports.Ranges
}

// out is the rule for what the client sends. Groups of cloud firewalls match the
// destination's port alone.
func (p passage) out(missing ports.Ranges) result.Rule {
	return result.Rule{
		Direction: "out", Missing: portWords(missing),
		Text: fmt.Sprintf("the way out: TCP from %s, ports %s, to %s port %d%s",
			p.client, p.list(), p.target.Addr(), p.target.Port(), isMissing(missing)),
		NFTables: fmt.Sprintf("%s tcp sport %s tcp dport %d accept", p.addresses(p.client, p.target.Addr()), p.set(), p.target.Port()),
		SecurityGroup: []string{
			fmt.Sprintf("outbound tcp %d to %s", p.target.Port(), prefixOf(p.target.Addr())),
		},
	}
}

// back is the rule for what the target answers: the client's range of ephemeral
// ports, from which every connection of it comes.
func (p passage) back(missing ports.Ranges) result.Rule {
	rule := result.Rule{
		Direction: "back", Missing: portWords(missing),
		Text: fmt.Sprintf("the way back: TCP from %s port %d to %s, ports %s%s",
			p.target.Addr(), p.target.Port(), p.client, p.list(), isMissing(missing)),
		NFTables: fmt.Sprintf("%s tcp sport %d tcp dport %s accept", p.addresses(p.target.Addr(), p.client), p.target.Port(), p.set()),
	}
	for _, r := range p.ports {
		rule.SecurityGroup = append(rule.SecurityGroup, fmt.Sprintf("inbound tcp %s from %s", r, prefixOf(p.target.Addr())))
	}
	return rule
}

func isMissing(missing ports.Ranges) string {
	if missing.Size() == 0 {
		return ": nothing of it is missing"
	}
	return ": missing is " + briefPorts(missing)
}

// list writes the ports as people do.
func (p passage) list() string { return briefPorts(p.ports) }

// set writes the ports as nft(8) reads them.
func (p passage) set() string {
	if len(p.ports) == 1 {
		return p.ports.String()
	}
	return "{ " + strings.ReplaceAll(p.ports.String(), ",", ", ") + " }"
}

// addresses matches those of a packet as nft(8) reads it.
func (p passage) addresses(from, to netip.Addr) string {
	family := "ip"
	if from.Is6() {
		family = "ip6"
	}
	return fmt.Sprintf("%s saddr %s %s daddr %s", family, from, family, to)
}

// prefixOf writes an address as the network of one host.
func prefixOf(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }
