package suite

import (
	"cmp"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"lastport/loadgen/capacity"
	"lastport/loadgen/ports"
	"lastport/loadgen/strategy"
)

// waits is the reuse delay from which on a member waits more than it works.
const waits = 5 * time.Second

// Bench is the runs that tell of a matrix: each of its ways filled to the last
// port, its sustainable rate tried, and the reuse of its ports measured. quick
// leaves out what has to wait for a TIME_WAIT, and makes each run once. An error
// is of a way that cannot be; it is a *FileError.
func Bench(host Host, m Matrix, quick bool) (Suite, error) {
	b := bench{host: host, quick: quick, repeat: m.Repeat, seen: map[string][]*Member{}}
	if quick {
		b.repeat = 1
	}
	var s Suite
	for i, w := range m.Ways {
		if i == 0 {
			b.usual = w.Range
		}
		row, err := b.row(w)
		if err != nil {
			return s, w.Blame(m.Name, err)
		}
		s.Rows = append(s.Rows, row)
		s.Rows[i].Gain = gain(&s.Rows[i], &s.Rows[0])
	}
	s.Parts = b.parts()
	s.Skipped = b.skipped
	if b.left > 0 {
		s.Skipped = append(s.Skipped, fmt.Sprintf("%d runs that wait a minute for TIME_WAIT: reuse delay and sustainable rate after client-fin", b.left))
	}
	return s, nil
}

// gain is by arithmetic, so that it can be said of what this machine cannot make.
func gain(r, usual *Row) float64 {
	if r.Predicted.Rate == nil || usual.Predicted.Rate == nil || usual.Predicted.Rate.Min == 0 {
		return 0
	}
	uses := func(r *Row) float64 { return r.Predicted.Rate.Min * float64(max(1, r.Requests)) }
	return uses(r) / uses(usual)
}

// bench gathers the members of the rows, none of them twice.
type bench struct {
	host    Host
	quick   bool
	repeat  int
	usual   string               // the range of the first row
	seen    map[string][]*Member // by what they do, all turns of it
	busy    []*Member            // in turn
	again   []*Member            // in turn, several times
	idle    []*Member            // side by side
	left    int                  // left out
	skipped []string
}

// row resolves a way and adds its members: what there can be does not depend on
// the close, and when ports come back neither on the range nor on how many
// sources and targets there are. So the ways share fills and reuses.
func (b *bench) row(w Way) (Row, error) {
	row := Row{Way: w}
	if why := b.cannot(&w); why != "" {
		row.Profile = w.Range
		b.skipped = append(b.skipped, w.Name+": "+why)
		return row, nil
	}
	whole, err := b.space(&w, w.Range, w.Gateway.Range)
	if err != nil {
		return row, err
	}
	row.Profile, row.Ports, row.Predicted = whole.profile, whole.ports, whole.answer
	for _, s := range scenarios() {
		if !w.wants(s) {
			continue
		}
		on := whole
		if text := b.standIn(&w, s); text != "" {
			if on, err = b.space(&w, text, cmp.Or(w.Gateway.StandIn, w.Gateway.Range)); err != nil {
				return row, err
			}
			row.standsIn(s, text)
		}
		members := on.members(&w, s, b.usual)
		if s == Reuse && on.through && (members[0].Gateway.Range != whole.gateway.Range || w.Gateway.Clients > 1) {
			row.standsIn(s, members[0].Gateway.Range) // a few of the ports, and one client
		}
		if len(members) == 0 && on.through {
			b.skipped = append(b.skipped, fmt.Sprintf("%s: the rate after %s: when a full gateway gives a port again is chance, and nothing bounds it", w.Name, w.Close))
		}
		b.add(&row, members)
	}
	return row, nil
}

// standsIn writes down the ports that the row's runs of a scenario use in place of
// its own.
func (r *Row) standsIn(s Scenario, text string) {
	if r.On == nil {
		r.On = map[string]string{}
	}
	r.On[string(s)] = text
}

// cannot says what the host lacks for a way; "": nothing.
func (b *bench) cannot(w *Way) string {
	for _, text := range slices.Concat(w.Sysctls, w.PeerSysctls) {
		if key, _, _ := strings.Cut(text, "="); b.host.Lacks[key] {
			return "this kernel has no " + key
		}
	}
	if why, ok := b.host.Without[w.Place]; ok {
		return fmt.Sprintf("no place %s here: %s", w.Place, why)
	}
	return ""
}

// standIn is the range that runs of a scenario use instead of the way's own; "":
// none.
func (b *bench) standIn(w *Way, s Scenario) string {
	if text, ok := w.StandInQuick[s]; ok && b.quick {
		return text
	}
	return w.StandIn[s]
}

// space is a way over a range, and what the arithmetic says of it.
type space struct {
	text    string // as --range takes it
	profile string // its name, or the text
	ports   ports.Ranges
	traits  strategy.Traits
	answer  capacity.Answer
	gateway Gateway     // as members have it; zero without one
	nat     ports.Range // its ports
	through bool        // they run out before those of the clients
}

// space resolves a way over a range.
func (b *bench) space(w *Way, text, nat string) (space, error) {
	s := space{text: text, profile: text, ports: b.host.Range}
	var err error
	if text != hostRange {
		if s.ports, err = ports.Parse(text); err != nil {
			return s, err
		}
		if p, ok := ports.Lookup(text); ok {
			s.profile = p.Name
		}
	}
	if w.Exclude != "" {
		excluded, err := ports.Parse(w.Exclude)
		if err != nil {
			return s, err
		}
		s.ports = s.ports.Minus(excluded)
	}
	run, err := strategy.New(w.Strategy, strategy.Space{Ranges: s.ports, UDP: w.UDP, Sources: make([]netip.Addr, w.Sources), Targets: make([]netip.AddrPort, max(1, w.Targets))})
	if err != nil {
		return s, err
	}
	s.traits = run.Traits()
	if s.answer, err = b.predict(w, s); err != nil || w.Place != PlaceNAT {
		return s, err
	}
	return s, b.behind(w, &s, nat)
}

// behind puts a gateway before a space.
func (b *bench) behind(w *Way, s *space, nat string) error {
	over, g, err := b.gatewayOf(w, nat)
	if err != nil {
		return err
	}
	s.nat, s.through = over, g.Ends(s.answer)
	s.answer = s.answer.Through(g)
	s.gateway = w.Gateway
	s.gateway.Range, s.gateway.StandIn = over.String(), ""
	return nil
}

// predict is the arithmetic of a way over a range.
func (b *bench) predict(w *Way, s space) (capacity.Answer, error) {
	q := capacity.Question{
		Proto: "tcp", Sources: w.Sources, Targets: w.Targets, Strategy: s.traits, Range: s.ports, Reserved: b.host.Reserved,
		Close: w.Close.String(), Settings: b.host.Settings, Hold: w.Hold, Limit: w.Connections,
	}
	if w.Place == PlaceNAT {
		q.Sources, q.Limit = max(w.Sources, w.Gateway.Clients), 0 // the bound is put behind the gateway
	}
	if w.UDP {
		q.Proto = "udp"
	}
	number := func(key string, set func(int)) {
		if text, ok := w.setting(key); ok {
			n, _ := strconv.Atoi(text) // the parser lets no other pass
			set(n)
		}
	}
	number(KeyTWReuse, func(n int) { q.Settings.TWReuse = n })
	number(KeyTWReuseDelay, func(n int) { q.Settings.TWReuseDelay = time.Duration(n) * time.Millisecond })
	number(KeyTimestamps, func(n int) { q.Settings.Timestamps = n != 0 })
	number(KeyMaxTimeWait, func(n int) { most := int64(n); q.Settings.MaxTimeWait = &most })
	if text, ok := w.setting(KeyReserved); ok {
		var err error
		if q.Reserved, err = ports.ParseSysctl(text); err != nil {
			return capacity.Answer{}, fmt.Errorf("sysctl %s: %w", KeyReserved, err)
		}
	}
	return capacity.Predict(q), nil
}

// add gives a row its members. One that does what another does is the same run.
func (b *bench) add(row *Row, members []*Member) {
	for _, m := range members {
		kind := fmt.Sprintf("%+v", *m)
		if b.seen[kind] == nil {
			b.seen[kind] = b.deal(m)
		}
		row.Members = append(row.Members, b.seen[kind]...)
	}
}

// deal decides how a run is made, and how often. One that waits is left out of a
// quick bench.
func (b *bench) deal(m *Member) []*Member {
	long := m.Takes >= waits && m.Load < 1
	switch {
	case long && b.quick:
		b.left++
	case long, m.Scenario == string(Reuse):
		b.idle = append(b.idle, m)
	case m.Scenario == string(Churn) && m.Rate == 0:
		turns := make([]*Member, b.repeat)
		for i := range turns {
			one := *m
			one.Turn = i + 1
			one.Name = one.title()
			turns[i] = &one
		}
		b.again = append(b.again, turns...)
		return turns
	default:
		b.busy = append(b.busy, m)
	}
	return []*Member{m}
}

// parts puts the runs in their order: what the processors bound, in turn, and
// what is repeated round by round, so that a machine that becomes slower does so
// for all; then what waits.
func (b *bench) parts() []Part {
	slices.SortStableFunc(b.again, func(m, o *Member) int { return m.Turn - o.Turn })
	busy := Part{Members: append(b.busy, b.again...)}
	for _, m := range busy.Members {
		busy.Lasts += m.Takes
	}
	return append([]Part{busy}, waves(b.idle, b.host.Processors)...)
}

// round keeps a rate that people can read: whole numbers from 100 on, three
// digits below.
func round(rate float64, by func(float64) float64) float64 {
	if rate <= 0 {
		return 0
	}
	scale := math.Pow10(max(0, 2-int(math.Floor(math.Log10(rate)))))
	return by(rate*scale) / scale
}
