package suite

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"lastport/loadgen/capacity"
	"lastport/loadgen/ports"
)

// Places of a row's runs, by the words of the command line.
const (
	placePrivate = "private"
	placePair    = "pair"
	PlaceNAT     = "nat" // behind a gateway
)

// places are the words that place takes.
func places() []string { return []string{placePrivate, placePair, PlaceNAT} }

// Gateway is what stands between the clients and the listener at PlaceNAT. Its
// zero values are those of the command line.
type Gateway struct {
	Range     string   // as --nat-range takes it, or "host"; "": its default
	StandIn   string   // ports that its runs use instead of Range; "": none
	Addresses int      // outside; 0: one
	Random    bool     // it chooses its ports at random
	Timeouts  []string // of connection tracking, as --nat-timeout takes them
	Clients   int      // hosts behind it; 0: one
}

// none says that nothing was said of a gateway.
func (g *Gateway) none() bool {
	return g.Range == "" && g.StandIn == "" && g.Addresses == 0 && !g.Random && len(g.Timeouts) == 0 && g.Clients == 0
}

// defaultNAT is the range of a gateway of which nothing is said, as --nat-range
// has it.
const defaultNAT = "aws-nat"

// Bounds of a gateway, those of --nat-addresses and --clients.
const maxOutside, maxClients = 64, 64

// placeKeys are the keys of a row that say where its runs happen.
func placeKeys() []key {
	plain := func(v string) string { return v }
	return []key{
		{name: "place", form: "place: pair", set: setPlace, word: func(v string) string {
			return map[string]string{placePair: "over the pair", PlaceNAT: "gateway"}[v]
		}},
		{name: "peer-sysctl", form: "peer-sysctl: {net.ipv4.tcp_timestamps: 0}", each: peerKey},
		{name: "nat-range", form: "nat-range: 2000-2099", set: natRange("nat-range", func(w *Way) *string { return &w.Gateway.Range }), word: plain},
		{name: "nat-stand-in", form: "nat-stand-in: 2000-2099", set: natRange("nat-stand-in", func(w *Way) *string { return &w.Gateway.StandIn }), whole: true},
		{name: "nat-addresses", form: "nat-addresses: 2", set: numberInto("nat-addresses: 2", 1, maxOutside, func(w *Way, n int) { w.Gateway.Addresses = n }), word: counted("addresses", "address")},
		{name: "nat-random", form: "nat-random: true", set: boolInto("nat-random: true", func(w *Way, yes bool) { w.Gateway.Random = yes }), word: yesNo("random", "in order")},
		{name: "nat-timeout", form: natTimeoutForm, each: timeoutKey},
		{name: "clients", form: "clients: 2", set: numberInto("clients: 2", 1, maxClients, func(w *Way, n int) { w.Gateway.Clients = n }), word: counted("clients", "client")},
	}
}

// counted is the word for a number of things: "1 client", "2 clients".
func counted(several, one string) func(string) string {
	return func(v string) string {
		if v == "1" {
			return "1 " + one
		}
		return v + " " + several
	}
}

func setPlace(p *parser, w *Way, n *yaml.Node) (err error) {
	if w.Place, err = p.text(n, "place: pair"); err == nil && !slices.Contains(places(), w.Place) {
		return p.fail(n, "place: "+nearest(w.Place, places()), "place: %q: not one of private, pair, nat", shorten(w.Place))
	}
	return err
}

// natRange reads a range as a gateway takes it: one without gaps.
func natRange(key string, field func(*Way) *string) func(*parser, *Way, *yaml.Node) error {
	return func(p *parser, w *Way, n *yaml.Node) error {
		text, err := p.ports(n, key)
		if err != nil {
			return err
		}
		if set, err := ports.Parse(text); err == nil && len(set) != 1 {
			return p.fail(n, key+": "+set.Hull().String(), "%s: %s: a gateway translates to one range without gaps", key, shorten(text))
		}
		*field(w) = text
		return nil
	}
}

// peerKey is a setting of the listener's host.
func peerKey(p *parser, at *yaml.Node, name string) (key, error) {
	const form = "peer-sysctl: {net.ipv4.tcp_timestamps: 0}"
	if err := p.ofNet(at, "peer-sysctl", form, name); err != nil {
		return key{}, err
	}
	return key{
		name: name, form: form,
		set: func(p *parser, w *Way, n *yaml.Node) error {
			v, err := p.kernelValue(n, "peer-sysctl", form, name)
			put(&w.PeerSysctls, name, v)
			w.setAt(name, n.Line)
			return err
		},
		word: func(v string) string { return "peer " + brief(name+"="+v) },
	}, nil
}

const natTimeoutForm = "nat-timeout: {time_wait: 30s}"

// States of connection tracking whose timeouts bound when a gateway has a port
// again, and what they are at first: nf_conntrack_proto_tcp.c and
// nf_conntrack_proto_udp.c of net/netfilter.
const (
	stateTimeWait, trackedTimeWait = "time_wait", 120 * time.Second
	stateClose, trackedClose       = "close", 10 * time.Second
	stateStream, trackedStream     = "udp_stream", 120 * time.Second
)

// natStates are the states that nat-timeout takes, those of --nat-timeout.
func natStates() []string {
	return []string{
		stateClose, "close_wait", "established", "fin_wait", "last_ack", "syn_recv", "syn_sent", stateTimeWait, "udp", stateStream,
	}
}

// LongestTracked bounds a timeout of connection tracking: the kernel keeps it in
// ticks, as an int (proc_dointvec_jiffies of kernel/sysctl.c), of which there are at
// most 1,000 a second.
const LongestTracked = 24 * 24 * time.Hour

// Tracks says whether one of the states of connection tracking is one that
// connections of the protocol have.
func Tracks(states []string, udp bool) bool {
	return slices.ContainsFunc(states, func(state string) bool { return strings.HasPrefix(state, "udp") == udp })
}

// states are those whose timeouts the gateway has of its own.
func (g *Gateway) states() (list []string) {
	for _, text := range g.Timeouts {
		state, _, _ := strings.Cut(text, "=")
		list = append(list, state)
	}
	return list
}

// timeoutKey is a timeout of connection tracking.
func timeoutKey(p *parser, at *yaml.Node, state string) (key, error) {
	if !slices.Contains(natStates(), state) {
		return key{}, p.fail(at, "nat-timeout: {"+nearest(state, natStates())+": 30s}", "nat-timeout %q: no such state of connection tracking", shorten(state))
	}
	form := "nat-timeout: {" + state + ": 30s}"
	return key{
		name: state, form: form,
		set: func(p *parser, w *Way, n *yaml.Node) error {
			text, err := p.text(n, form)
			if err != nil {
				return err
			}
			if d, err := time.ParseDuration(text); err != nil || d < time.Second || d > LongestTracked || d%time.Second != 0 {
				return p.wants(n, form, fmt.Sprintf("%s: %q", state, shorten(text)), fmt.Sprintf("whole seconds from 1s to %.0fh", LongestTracked.Hours()))
			}
			put(&w.Gateway.Timeouts, state, text)
			return nil
		},
		word: func(v string) string { return state + "=" + v },
	}, nil
}

// checkPlace refuses ways that say of a place what it does not have.
func (p *parser) checkPlace(w *Way) error {
	g := &w.Gateway
	switch {
	case w.Place != PlaceNAT && !g.none():
		return p.failAt(w.Line, "place: nat", "a gateway, or clients behind one, without place: nat")
	case len(w.PeerSysctls) > 0 && (w.Place == "" || w.Place == placePrivate):
		return p.failAt(w.Line, "place: pair", "peer-sysctl without place: pair or nat, where the listener has a host of its own")
	case g.StandIn != "" && len(w.StandIn) == 0:
		return p.failAt(w.Line, "stand-in: "+smaller(w.Range), "nat-stand-in: %s without stand-in: both ranges are small, or none is", g.StandIn)
	case g.Clients > 1 && w.Sources%g.Clients != 0:
		return p.failAt(w.Line, fmt.Sprintf("sources: %d", g.Clients), "clients: %d: sources: %d cannot be dealt to them evenly", g.Clients, w.Sources)
	}
	return p.checkTimeouts(w)
}

// checkTimeouts refuses timeouts of states that no connection of the way has.
func (p *parser) checkTimeouts(w *Way) error {
	g := &w.Gateway
	switch {
	case len(g.Timeouts) == 0 || Tracks(g.states(), w.UDP):
		return nil
	case w.UDP:
		return p.failAt(w.Line, "nat-timeout: {udp_stream: 30s}", "nat-timeout: %s with proto: udp, whose datagrams have no state of TCP", g.Timeouts[0])
	}
	return p.failAt(w.Line, "nat-timeout: {time_wait: 30s}", "nat-timeout: %s with proto: tcp, whose connections have no state of datagrams", g.Timeouts[0])
}

// smaller are a few ports of a range, as an example of what may stand in for it.
func smaller(text string) string {
	const few, usual = 100, "40000-40099"
	set, err := ports.Parse(text)
	if err != nil { // the host's own
		return usual
	}
	first := set[0]
	first.High = first.Low + uint16(min(few, first.Size(), max(1, set.Size()/2))-1)
	return first.String()
}

// How long an attempt through a gateway may take. Each SYN has all ports of the
// gateway tried if there are no more than tried (NF_NAT_MAX_ATTEMPTS of
// net/netfilter/nf_nat_core.c). So one SYN tells, and the attempt ends before a
// second one, which would be sent after a second. Where there are more ports it
// takes its usual time, of several SYNs.
const (
	tried     = 128
	oneSYN    = 800 * time.Millisecond
	probing   = 200 * time.Millisecond  // of a reuse, as the verb has it
	severalIn = 2500 * time.Millisecond // as a run through a gateway has it by default
	several   = 3
	failedRun = 64 // attempts without a port that end a fill, package scenario's ThroughRun
)

// natReused is how many ports the gateway of a reuse has: all of them are filled,
// and a probe of a closed one is lost about half of the time.
const natReused = 20

// gatewayOf is the gateway's range of a way, and what arithmetic must know of it.
func (b *bench) gatewayOf(w *Way, text string) (ports.Range, capacity.Gateway, error) {
	if text == "" {
		text = defaultNAT
	}
	set := b.host.Range
	if text != hostRange {
		var err error
		if set, err = ports.Parse(text); err != nil {
			return ports.Range{}, capacity.Gateway{}, err
		}
	}
	hull := set.Hull()
	g := capacity.Gateway{
		Proto: "tcp", Ports: int64(hull.Size()), Addresses: int64(max(1, w.Gateway.Addresses)), Targets: int64(max(1, w.Targets)),
		Close: w.Close.String(), Limit: w.Connections, Longest: w.Gateway.longest(w), SYNs: failedRun * several,
	}
	if w.UDP {
		g.Proto = "udp"
	}
	if g.Ports <= tried {
		g.SYNs = failedRun
	}
	g.Exact = g.Addresses == 1 || g.Targets == 1 || w.Gateway.Clients <= 1
	return hull, g, nil
}

// longest is how long connection tracking keeps a connection that the way has
// closed, at most.
func (g *Gateway) longest(w *Way) time.Duration {
	state, t := stateTimeWait, trackedTimeWait
	switch {
	case w.UDP:
		state, t = stateStream, trackedStream
	case w.Close.RST():
		state, t = stateClose, trackedClose
	}
	if text, ok := valueOf(g.Timeouts, state); ok {
		t, _ = time.ParseDuration(text) // the parser lets no other pass
	}
	return t
}

// attempt is how long an attempt through the gateway may take; 0: as usual.
func (s *space) attempt() time.Duration {
	if n := s.nat.Size(); n > 0 && n <= tried {
		return oneSYN
	}
	return 0
}

// natReuse is the reuse of a gateway's ports, of few of them, by one client from
// a range that lasts longer. How the gateway chooses them is the row's own.
func (s *space) natReuse(m *Member) {
	g := m.Gateway
	addresses := max(1, g.Addresses)
	each := max(1, min(natReused/addresses, s.nat.Size(), s.ports.Size()/4/addresses))
	g.Range = ports.Range{Low: s.nat.Low, High: s.nat.Low + uint16(each-1)}.String()
	m.Gateway = g
	m.Profile, m.Range = s.profile, s.text
	m.Connections, m.Timeout = int64(each*addresses), probing
}

// natRates is the churn that a gateway sustains for certain. None is made above:
// where it is between that and what the clients have, is chance.
func (s *space) natRates(w *Way) []*Member {
	if s.answer.Rate == nil {
		return nil
	}
	held := round(s.answer.Rate.Min*(1-beside), math.Floor)
	return []*Member{s.churn(w, held, s.rounds(held), 0)}
}

// where is the place of a member, as a part of its name: "nat 2000-2099 2 addresses".
func (m *Member) where() (words []string) {
	if m.Place == "" {
		return nil
	}
	g := &m.Gateway
	words = append(words, m.Place)
	for _, text := range m.PeerSysctls {
		words = append(words, "peer "+brief(text))
	}
	if g.Range != "" {
		words = append(words, g.Range)
	}
	if g.Addresses > 1 {
		words = append(words, fmt.Sprint(g.Addresses, " addresses"))
	}
	if g.Random {
		words = append(words, "random")
	}
	if g.Clients > 1 {
		words = append(words, fmt.Sprint(g.Clients, " clients"))
	}
	return append(words, g.Timeouts...)
}
