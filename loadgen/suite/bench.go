package suite

import (
	"fmt"
	"math"
	"time"

	"lastport/loadgen/capacity"
	"lastport/loadgen/ports"
	"lastport/loadgen/step"
	"lastport/loadgen/strategy"
)

// Way is one way of using ports, by what sets it apart from the usual: plain
// connect over the host's range with its settings, and the client closes first.
type Way struct {
	Name     string // with Strategy, the row's name
	Strategy string
	Profile  string // a named range; "": the host's
	Close    step.CloseMode
	TWReuse  bool // tcp_tw_reuse=1
}

// KeyTWReuse is the setting of Way.TWReuse.
const KeyTWReuse = "net.ipv4.tcp_tw_reuse"

// ways are the rows of the bench. Each but the first of its strategy differs
// from that in one thing, so that a difference has one cause. The best of
// several that are as good is the one that comes first. Plain connect takes
// minutes on 64,512 ports, so the ranges are filled by socket-range.
func ways() []Way {
	return []Way{
		{Name: "connect", Strategy: "connect"},
		{Name: "tcp_tw_reuse=1", Strategy: "connect", TWReuse: true},
		{Name: "server-fin", Strategy: "connect", Close: step.ServerFIN},
		{Name: "client-rst", Strategy: "connect", Close: step.ClientRST},
		{Name: "server-rst", Strategy: "connect", Close: step.ServerRST},
		{Name: "socket-range", Strategy: "socket-range"},
		{Name: "tcp_tw_reuse=1", Strategy: "socket-range", TWReuse: true},
		{Name: "windows-xp", Strategy: "socket-range", Profile: "windows-xp"},
		{Name: "iana", Strategy: "socket-range", Profile: "iana"},
		{Name: "freebsd", Strategy: "socket-range", Profile: "freebsd"},
		{Name: "all", Strategy: "socket-range", Profile: "all"},
	}
}

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
// sustainable rate bracketed, and the reuse of its ports measured. quick leaves
// out what has to wait for a TIME_WAIT. It is an error if a way names a
// strategy or a range that there is not.
func Bench(host Host, quick bool) (Suite, error) {
	b := bench{host: host, quick: quick, seen: map[string]*Member{}}
	var s Suite
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

// row resolves a way and adds its members: what there can be does not depend on
// the close, and when ports come back not on the range. So the ways share fills,
// and a range has no reuse of its own.
func (b *bench) row(w Way) (Row, error) {
	row := Row{Way: w, Profile: ownRange, Ports: b.host.Range}
	if w.Profile != "" {
		p, ok := ports.Lookup(w.Profile)
		if !ok {
			return row, fmt.Errorf("bench: no range is called %q", w.Profile)
		}
		row.Profile, row.Ports = p.Name, p.Ranges
	}
	chooser, err := strategy.New(w.Strategy, strategy.Space{Ranges: row.Ports})
	if err != nil {
		return row, fmt.Errorf("bench: %w", err)
	}
	row.Predicted = b.predict(&row, chooser.Traits())

	fill := row.member("fill")
	fill.Close = step.ClientRST // however connections are closed later
	fill.Name = "fill " + row.title(false)
	fill.Sysctls = nil
	row.Members = append(row.Members, b.run(fill, 0))
	for _, m := range row.rates(chooser.Traits().Step) {
		row.Members = append(row.Members, b.run(m, m.wait()))
	}
	if w.Profile == "" {
		reuse := row.member("reuse")
		reuse.Name = "reuse " + row.title(true)
		row.Members = append(row.Members, b.run(reuse, max(row.Predicted.Reuse.Max, 1)))
	}
	return row, nil
}

// predict is the arithmetic of a row.
func (b *bench) predict(row *Row, traits strategy.Traits) capacity.Answer {
	settings := b.host.Settings
	if row.TWReuse {
		settings.TWReuse = 1
	}
	return capacity.Predict(capacity.Question{
		Strategy: traits, Range: row.Ports, Reserved: b.host.Reserved, Close: row.Close.String(), Settings: settings,
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
	m := &Member{Scenario: scenario, Profile: r.Profile, Range: r.Ports.String(), Strategy: r.Strategy, Close: r.Close}
	if r.TWReuse {
		m.Sysctls = []string{KeyTWReuse + "=1"}
	}
	return m
}

// title names the row among all; closed says whether what comes after a
// connection is part of it.
func (r *Row) title(closed bool) string {
	name := r.Strategy
	if r.Way.Profile != "" {
		name += " " + r.Profile
	}
	if !closed {
		return name
	}
	name += " " + r.Close.String()
	if r.TWReuse {
		name += " tw_reuse"
	}
	return name
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
		m.Name, m.Duration = "churn "+r.title(true)+" max", churnTime
		return []*Member{m}
	}
	if search != 1 {
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
	m.Name = fmt.Sprintf("churn %s %g", r.title(true), rate)
	m.Rate, m.Attempts = rate, attempts
	m.Duration = m.wait() + slack
	return m
}
