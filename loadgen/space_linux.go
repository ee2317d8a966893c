package loadgen

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"lastport/loadgen/capacity"
	"lastport/loadgen/kernel"
	"lastport/loadgen/kernel/diag"
	"lastport/loadgen/ports"
	"lastport/loadgen/strategy"
	"lastport/reports/result"
)

// surroundings are what decides a prediction besides the flags: settings in
// force and ports in use, as they are where the run happens.
type surroundings struct {
	system   ports.Range  // ip_local_port_range
	reserved ports.Ranges // ip_local_reserved_ports
	taken    taken
	holders  []result.Holder
	others   map[uint64]bool // connections to the targets that were there before, by cookie
	settings capacity.Settings
}

// taken are ports of the range that other sockets of the protocol have.
type taken struct {
	held      ports.Ranges // by listeners and other explicit binds, on every source
	elsewhere ports.Ranges // likewise, on other addresses, or on some of the sources alone
	unsure    ports.Ranges // in use, perhaps shared; or held on some of the sources alone
	unsureToo ports.Ranges // in use on other addresses than the sources, perhaps shared
}

// look reads the surroundings. Sockets are those of the range only.
func look(cfg *Config) (surroundings, error) {
	s := surroundings{settings: capacity.Settings{HZ: kernel.HZ(), Loopback: loopback(cfg.Targets)}}
	var err error
	if s.system, err = systemRange(); err != nil {
		return s, err
	}
	reserved, err := kernel.ReadSysctl("net.ipv4.ip_local_reserved_ports")
	if err != nil {
		return s, fmt.Errorf("reserved ports: %w", err)
	}
	if s.reserved, err = ports.ParseSysctl(reserved); err != nil {
		return s, fmt.Errorf("reserved ports: %w", err)
	}
	s.settings.TWReuse = number("net.ipv4.tcp_tw_reuse")
	s.settings.Timestamps = number("net.ipv4.tcp_timestamps") != 0
	s.settings.TWReuseDelay = time.Duration(number("net.ipv4.tcp_tw_reuse_delay")) * time.Millisecond
	if most, ok := setting("net.ipv4.tcp_max_tw_buckets"); ok {
		s.settings.MaxTimeWait = &most
	}
	return s, s.findHolders(cfg)
}

// systemRange reads ip_local_port_range.
func systemRange() (ports.Range, error) {
	const key = "net.ipv4.ip_local_port_range"
	text, err := kernel.ReadSysctl(key)
	if err != nil {
		return ports.Range{}, err
	}
	var r ports.Range
	if _, err := fmt.Sscan(text, &r.Low, &r.High); err != nil {
		return ports.Range{}, fmt.Errorf("%s is %q: %w", key, text, err)
	}
	return r, nil
}

// number reads a setting that is a whole number; one that this kernel does not
// have is 0.
func number(key string) int {
	n, _ := setting(key)
	return int(n)
}

// setting is number, and whether there is one.
func setting(key string) (int64, bool) {
	text, err := kernel.ReadSysctl(key)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	return n, err == nil
}

func loopback(targets []netip.AddrPort) bool {
	return !slices.ContainsFunc(targets, func(t netip.AddrPort) bool { return !t.Addr().Unmap().IsLoopback() })
}

// findHolders lists the sockets of the protocol that have a local port in the
// range. A listener or a socket that is only bound took its port by an explicit
// bind. Of a connected one that cannot be told; toward one of the targets it has
// a tuple of ours in any case.
func (s *surroundings) findHolders(cfg *Config) error {
	wanted, sources := cfg.Ports(), cfg.Sources
	if cfg.UDP && len(sources) == 0 { // the port is taken for every address of the family
		sources = []netip.Addr{unspecified(cfg.Targets[0].Addr())}
	}
	var in byHolder
	s.others = make(map[uint64]bool)
	targets := make(map[netip.AddrPort]bool, len(cfg.Targets))
	for _, t := range cfg.Targets {
		targets[kernel.PlainAddrPort(t)] = true
	}
	each := func(sock *diag.Socket) {
		port := sock.Local.Port()
		if !wanted.Contains(port) {
			return
		}
		toTarget := targets[kernel.PlainAddrPort(sock.Remote)]
		if toTarget {
			s.others[sock.Cookie] = true
		}
		on := holding(sock, sources)
		if otherFamily := on == none && len(cfg.Sources) == 0; !otherFamily {
			in.add(port, bound(sock, toTarget), on)
		}
		s.holders = append(s.holders, result.Holder{Port: port, Local: sock.Local.String(), State: sock.State.String(), What: knownHolder(cfg, sock, targets)})
	}
	list := diag.TCP
	if cfg.UDP {
		list = diag.UDP
	}
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		err := list(family, diag.All, each)
		if err != nil && !errors.Is(err, diag.ErrInterrupted) && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("ports in use: %w", err)
		}
	}
	s.taken = in.taken()
	slices.SortFunc(s.holders, func(a, b result.Holder) int { return int(a.Port) - int(b.Port) })
	s.holders = slices.CompactFunc(s.holders, func(a, b result.Holder) bool { return a == b })
	s.holders = s.holders[:min(len(s.holders), mostHolders)]
	return nil
}

// mostHolders bounds how many sockets a result lists: on the real host there may be
// tens of thousands.
const mostHolders = 1000

// bound says whether a socket keeps its port from the run for certain: one that was
// bound, or has a tuple of the run's. What is in TIME_WAIT may end at any moment, and
// by tcp_tw_reuse before that.
func bound(sock *diag.Socket, toTarget bool) bool {
	return sock.State == diag.Listen || sock.State == diag.BoundInactive || toTarget && sock.State != diag.TimeWait
}

// mine returns what says whether a socket toward a target may be the run's: it is on
// a port of its range, and was not there before. On the real host others have such
// connections too, and so has the consent of a server elsewhere.
func (r *run) mine() func(*diag.Socket) bool {
	wanted := r.cfg.Ports()
	return func(sock *diag.Socket) bool {
		return wanted.Contains(sock.Local.Port()) && !r.around.others[sock.Cookie]
	}
}

// knownHolder says what holds a port if that is the run's own doing.
func knownHolder(cfg *Config, sock *diag.Socket, targets map[netip.AddrPort]bool) string {
	switch {
	case targets[kernel.PlainAddrPort(sock.Local)]:
		return "the run's own listener"
	case sock.State != diag.Established && cfg.Held.Contains(sock.Local.Port()):
		return "the stranger of --held"
	}
	return ""
}

// byHolder gathers the ports of taken.
type byHolder struct{ held, elsewhere, unsure, unsureToo []ports.Range }

// add notes a port that a socket has on some of the sources. bound says that it
// took it by an explicit bind.
func (h *byHolder) add(port uint16, bound bool, on share) {
	at := ports.Range{Low: port, High: port}
	switch {
	case bound && on == all:
		h.held = append(h.held, at)
	case bound: // what looks at addresses loses it on some of the sources, and what does not on all
		h.elsewhere = append(h.elsewhere, at)
		if on == some {
			h.unsure = append(h.unsure, at)
		}
	case on == none:
		h.unsureToo = append(h.unsureToo, at)
	default:
		h.unsure = append(h.unsure, at)
	}
}

func (h *byHolder) taken() taken {
	t := taken{held: ports.Of(h.held...), elsewhere: ports.Of(h.elsewhere...)}
	t.unsure = ports.Of(h.unsure...).Minus(t.held)
	t.unsureToo = ports.Of(h.unsureToo...).Minus(t.held).Minus(t.elsewhere)
	return t
}

// unspecified is the address that stands for all of the same family.
func unspecified(a netip.Addr) netip.Addr {
	if a.Unmap().Is4() {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

// share says of how many of the sources something is true.
type share uint8

const (
	none share = iota
	some
	all
)

// holding says on how many of the sources the socket has its port. Without a
// source of its own a run is minded by every socket.
func holding(sock *diag.Socket, sources []netip.Addr) share {
	n := 0
	for _, a := range sources {
		if sock.Holds(a) {
			n++
		}
	}
	switch n {
	case len(sources):
		return all
	case 0:
		return none
	}
	return some
}

// predict answers what the run should measure.
func (s *surroundings) predict(cfg *Config, traits strategy.Traits) capacity.Answer {
	limit := cfg.Connections
	if cfg.NAT != nil {
		limit = 0 // it is the gateway's
	}
	return capacity.Predict(capacity.Question{
		Proto: cfg.proto(), Strategy: traits, Range: cfg.Ports(), Reserved: s.reserved, Held: s.taken.held, HeldElsewhere: s.taken.elsewhere, Uncertain: s.taken.unsure, UncertainElsewhere: s.taken.unsureToo,
		SystemRange: s.system, Sources: max(1, len(cfg.Sources)), Targets: len(cfg.Targets), Limit: limit, Hold: cfg.Hold,
		Linger: cfg.lateClose(), Close: cfg.Close.String(), Settings: s.settings,
	})
}

// fill writes space and prediction into a result.
func (s *surroundings) fill(r *result.Result, cfg *Config, a capacity.Answer) {
	asked := cfg.Ports()
	r.Space = result.Space{
		Ports: asked.Size(), PortsUsable: a.Usable.Size(), Sources: max(1, len(cfg.Sources)), Targets: len(cfg.Targets), Tuples: a.Tuples, Widened: cfg.Widened,
		Reserved: s.reserved.Intersect(asked).String(), Taken: s.holders,
	}
	s.predicted(r, a)
}

// predicted writes the prediction alone.
func (s *surroundings) predicted(r *result.Result, a capacity.Answer) {
	r.Predicted = result.Predicted{
		Connections: &result.Interval{Min: a.Connections.Min, Max: a.Connections.Max},
		ReuseNS:     &result.Interval{Min: int64(a.Reuse.Min), Max: int64(a.Reuse.Max)},
		Why:         a.Why,
	}
	if a.Rate != nil {
		r.Predicted.RatePerS = &result.RateInterval{Min: a.Rate.Min, Max: a.Rate.Max}
	}
}
