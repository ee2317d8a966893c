package suite

import (
	"fmt"
	"math"
	"net/netip"
	"strings"
	"time"

	"lastport/loadgen/capacity"
	"lastport/loadgen/ports"
	"lastport/loadgen/step"
	"lastport/loadgen/strategy"
)

const (
	// waits is the reuse delay from which on a member waits more than it works.
	waits = 5 * time.Second
	// churnTime is how long a churn lasts that goes as fast as it can: two of the
	// seconds after which tcp_tw_reuse gives a port back.
	churnTime = 2 * time.Second
	// beside is how far from the predicted interval the rates are, as a share of
	// its bounds, that a range must hold and must not hold. That it is not less is
	// for attempts that a busy machine makes late: of TIME_WAIT it is a second.
	beside = 0.02
	// beyond is the share of a round of all ports that is made after it: only then
	// are ports used that have come back.
	beyond = 0.03
	// slack is what a churn may take beyond its schedule, on a busy machine.
	slack = 5 * time.Second
	// vain is how many attempts are made in vain when ports have run out: each
	// costs milliseconds, and they must not last until the first port is back.
	vain = 20
	// ownRange as a profile is the host's range.
	ownRange = "host"
)

// Bench is the standard suite: each of the ways filled to the last port, its
// sustainable rate bracketed, and the reuse of its ports measured; and one range
// filled by every strategy. quick leaves out what has to wait for a TIME_WAIT,
// and takes a smaller range for the strategies. It is an error if a way names a
// strategy or a range that there is not.
func Bench(host Host, quick bool) (Suite, error) {
	b := bench{host: host, quick: quick, seen: map[string]*Member{}}
	var s Suite
	for _, w := range strategies(quick) {
		row, err := b.resolve(w)
		if err != nil {
			return s, err
		}
		b.run(row.fill(), 0)
	}
	for _, w := range ways() {
		row, err := b.row(w)
		if err != nil {
			return s, err
		}
		s.Rows = append(s.Rows, row)
	}
	s.Parts = []Part{{Members: b.busy}, {Members: b.idle, AtOnce: true, Lasts: b.lasts.Round(time.Second)}}
	if b.left > 0 {
		s.Skipped = append(s.Skipped, fmt.Sprintf("%d runs that wait a minute for TIME_WAIT: reuse delay and sustainable rate after client-fin", b.left))
	}
	return s, nil
}

// bench gathers the members of the rows, none of them twice.
type bench struct {
	host       Host
	quick      bool
	seen       map[string]*Member // by name
	busy, idle []*Member
	lasts      time.Duration
	left       int // left out
}

// resolve finds a way's ports.
func (b *bench) resolve(w Way) (Row, error) {
	row := Row{Way: w, Profile: ownRange, Ports: b.host.Range}
	if w.Profile != "" {
		p, ok := ports.Lookup(w.Profile)
		if !ok {
			return row, fmt.Errorf("bench: no range is called %q", w.Profile)
		}
		row.Profile, row.Ports = p.Name, p.Ranges
	}
	return row, nil
}

// row resolves a way and adds its members: what there can be does not depend on
// the close, and when ports come back neither on the range nor on how many
// sources and targets there are. So the ways share fills and reuses, and a range
// has no reuse of its own.
func (b *bench) row(w Way) (Row, error) {
	row, err := b.resolve(w)
	if err != nil {
		return row, err
	}
	chooser, err := strategy.New(w.Strategy, strategy.Space{Ranges: row.Ports, UDP: w.UDP, Sources: make([]netip.Addr, w.Sources)})
	if err != nil {
		return row, fmt.Errorf("bench: %w", err)
	}
	row.Predicted = b.predict(&row, chooser.Traits())

	if !w.Unfilled {
		row.Members = append(row.Members, b.run(row.fill(), 0))
	}
	for _, m := range row.rates(chooser.Traits().Step) {
		row.Members = append(row.Members, b.run(m, m.wait()))
	}
	if w.Profile == "" {
		row.Members = append(row.Members, b.run(row.reuse(), max(row.Predicted.Reuse.Max, 1)))
	}
	return row, nil
}

// predict is the arithmetic of a row.
func (b *bench) predict(row *Row, traits strategy.Traits) capacity.Answer {
	settings := b.host.Settings
	if row.TWReuse {
		settings.TWReuse = 1
	}
	proto := "tcp"
	if row.UDP {
		proto = "udp"
	}
	return capacity.Predict(capacity.Question{
		Proto: proto, Sources: row.Sources, Targets: row.Targets, Strategy: traits, Range: row.Ports, Reserved: b.host.Reserved, Close: row.Close.String(), Settings: settings,
	})
}

// run adds a member to those that wait for so long, or to those that do not; or
// leaves it out. A member of the same name is the same run.
func (b *bench) run(m *Member, wait time.Duration) *Member {
	if old, ok := b.seen[m.Name]; ok {
		return old
	}
	b.seen[m.Name] = m
	switch {
	case wait >= waits && b.quick:
		b.left++
	case m.Scenario == "reuse" || wait >= waits:
		b.idle = append(b.idle, m)
		b.lasts = max(b.lasts, wait)
	default:
		b.busy = append(b.busy, m)
	}
	return m
}

// wait is how long a churn takes at its rate.
func (m *Member) wait() time.Duration {
	if m.Rate == 0 {
		return m.Duration
	}
	return time.Duration(float64(m.Attempts) / m.Rate * float64(time.Second))
}

// member is a run of the row.
func (r *Row) member(scenario string) *Member {
	m := &Member{
		Scenario: scenario, Profile: r.Profile, Range: r.Ports.String(), Strategy: r.Strategy, Close: r.Close,
		UDP: r.UDP, IPv6: r.IPv6, Sources: r.Sources, Targets: r.Targets,
	}
	if r.TWReuse {
		m.Sysctls = []string{KeyTWReuse + "=1"}
	}
	return m
}

// fill opens all that the row holds. However its connections are closed
// otherwise, they are closed by RST here.
func (r *Row) fill() *Member {
	m := r.member("fill")
	m.Name, m.Close, m.Sysctls = m.title(), step.ClientRST, nil
	return m
}

// reuse is from one source to one target.
func (r *Row) reuse() *Member {
	m := r.member("reuse")
	m.Sources, m.Targets = 0, 0
	m.Name = m.title() + r.ending()
	return m
}

// title is in what space a member runs: "fill socket-range iana".
func (m *Member) title() string {
	words := []string{m.Scenario, m.Strategy}
	add := func(there bool, word string) {
		if there {
			words = append(words, word)
		}
	}
	add(m.Profile != ownRange, m.Profile)
	add(m.UDP, "udp")
	add(m.IPv6, "ipv6")
	add(m.Sources > 0, fmt.Sprint(m.Sources, " sources"))
	add(m.Targets > 0, fmt.Sprint(m.Targets, " targets"))
	return strings.Join(words, " ")
}

// ending is what comes after a connection, as part of a member's name.
func (r *Row) ending() string {
	switch {
	case r.UDP:
		return ""
	case r.TWReuse:
		return " " + r.Close.String() + " tw_reuse"
	}
	return " " + r.Close.String()
}

// rates are the churns that show what rate the row sustains.
//
// Where a port is soon back, that is more than most machines can make, so it
// goes as fast as it can. Else a rate just below what is predicted is made for
// more than a round of all ports, and all of it must connect; over the host's
// range one just above it is made too, and must run out. Where the kernel's
// search takes two passes there is none: to search a range full of TIME_WAIT
// costs milliseconds, and at such a rate more than a thread has. Then ports and
// reuse delay must do.
func (r *Row) rates(search int) []*Member {
	if r.Predicted.Rate == nil || r.Predicted.Reuse.Max < waits {
		m := r.member("churn")
		m.Name, m.Duration = m.title()+r.ending()+" max", churnTime
		return []*Member{m}
	}
	if search != 1 || r.Derived {
		return nil
	}
	n := float64(r.Predicted.Connections.Max)
	held := round(r.Predicted.Rate.Min*(1-beside), math.Floor)
	over := round(r.Predicted.Rate.Max*(1+beside), math.Ceil)
	members := []*Member{r.churn(held, int64(math.Ceil(n*(1+beyond))))}
	if r.Profile == ownRange {
		members = append(members, r.churn(over, int64(n)+vain))
	}
	return members
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

// churn is so many attempts at a rate.
func (r *Row) churn(rate float64, attempts int64) *Member {
	m := r.member("churn")
	m.Name = fmt.Sprintf("%s%s %g", m.title(), r.ending(), rate)
	m.Rate, m.Attempts = rate, attempts
	m.Duration = m.wait() + slack
	return m
}
