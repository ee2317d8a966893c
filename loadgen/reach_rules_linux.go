package loadgen

import (
	"fmt"
	"net/netip"
	"strings"

	"lastport/loadgen/ports"
	"lastport/reports/result"
)

// passage is between a client's ports and a target.
type passage struct {
	client netip.Addr
	target netip.AddrPort
	ports  ports.Ranges
	kept   ports.Ranges // of them, what the client's host gives to none of its programs
}

// rules are what a firewall must let pass for the client to use all ports that
// were asked for, in each direction, what of it is missing, and of which ports
// that is not known. A port that did not get out says nothing of the way back.
func (p passage) rules(f fates) []result.Rule {
	astray := f.astray()
	return []result.Rule{
		p.out(p.findings(f.through.Union(f.back), f.out.Union(astray).Union(f.refused))),
		p.back(p.findings(f.through, f.back.Union(astray))),
	}
}

// findings are what was seen of a direction.
type findings struct {
	missing, unknown ports.Ranges
	all              bool // of all ports that the rule names something is known
}

// findings sorts the ports by what is known of a direction.
func (p passage) findings(passed, missing ports.Ranges) findings {
	silent := p.ports.Minus(passed).Minus(missing)
	return findings{missing: missing, unknown: silent.Minus(p.kept), all: silent.Size() == 0}
}

// words end a rule in words.
func (f findings) words() string {
	var parts []string
	if f.missing.Size() > 0 {
		parts = append(parts, "missing is "+briefPorts(f.missing))
	}
	if f.unknown.Size() > 0 {
		parts = append(parts, "not known is "+briefPorts(f.unknown))
	}
	switch {
	case len(parts) > 0:
		return ": " + strings.Join(parts, "; ")
	case !f.all:
		return ": nothing of it is missing for the ports that this host gives out"
	}
	return ": nothing of it is missing"
}

// out is the rule for what the client sends. Groups of cloud firewalls match the
// destination's port alone.
func (p passage) out(f findings) result.Rule {
	return result.Rule{
		Direction: "out", Missing: portWords(f.missing), Unknown: portWords(f.unknown),
		Text: fmt.Sprintf("the way out: TCP from %s, ports %s, to %s port %d%s",
			p.client, p.list(), p.target.Addr(), p.target.Port(), f.words()),
		NFTables: fmt.Sprintf("%s tcp sport %s tcp dport %d accept", p.addresses(p.client, p.target.Addr()), p.set(), p.target.Port()),
		SecurityGroup: []string{
			fmt.Sprintf("outbound tcp %d to %s", p.target.Port(), prefixOf(p.target.Addr())),
		},
	}
}

// withoutState says which firewalls need a rule for the way back.
const withoutState = "only a firewall without state needs this rule, such as a network ACL. One that keeps state, such as a " +
	"security group, lets answers in by itself: open no inbound port there"

// back is the rule for what the target answers: the client's range of ephemeral
// ports, from which every connection of it comes.
func (p passage) back(f findings) result.Rule {
	rule := result.Rule{
		Direction: "back", Missing: portWords(f.missing), Unknown: portWords(f.unknown),
		Text: fmt.Sprintf("the way back: TCP from %s port %d to %s, ports %s%s",
			p.target.Addr(), p.target.Port(), p.client, p.list(), f.words()),
		Needed:   withoutState,
		NFTables: fmt.Sprintf("%s tcp sport %d tcp dport %s accept", p.addresses(p.target.Addr(), p.client), p.target.Port(), p.set()),
	}
	for _, r := range p.ports {
		rule.SecurityGroup = append(rule.SecurityGroup, fmt.Sprintf("inbound tcp %s from %s", r, prefixOf(p.target.Addr())))
	}
	return rule
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
