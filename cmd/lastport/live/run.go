package live

import (
	"slices"
	"strings"
	"time"

	"lastport/reports/result"
)

// label is how wide what stands before a line is.
const label = 8

// head says what the run does, since when and how much longer.
func (r *Run) head(width int) line {
	what := clean(r.Phase)
	if r.Name != "" {
		what = clean(r.Name) + ": " + what
	}
	when := elapsed(r.At)
	if left := r.left(); left != "" {
		when += ", " + left
	}
	room := width - columns(when) - 1
	if room < label { // what is done matters more than since when
		room, when = width, ""
	}
	return apart(span{strong, shorten(what, room)}, span{dim, when}, width)
}

// left says how much longer the phase takes, if that can be known.
func (r *Run) left() string {
	left := r.Left
	if left == 0 && r.Phase == "open" && r.PerS >= 1 {
		left = time.Duration(float64(max(0, r.Expected-r.Open)) / r.PerS * float64(time.Second))
	}
	if left < time.Second/2 {
		return ""
	}
	return elapsed(left) + " left"
}

// taken is how many connections have a port: those that are open, and those that
// are not, with which the kernel of the generator's host is not done.
func (r *Run) taken() int64 {
	n := r.Open
	s, _ := r.lastStates()
	if s == nil {
		return n
	}
	for _, c := range counted(s) {
		if c.n != s.Established && (c.n != s.TimeWait || r.Lingers) {
			n += *c.n
		}
	}
	return n
}

// share is how much of the ports is taken, where it is known how many there are.
func (r *Run) share() float64 {
	return min(1, max(0, float64(r.taken())/float64(r.Usable)))
}

// bar is how much of the ports is taken.
func (r *Run) bar(width int) line {
	if r.Usable <= 0 {
		return nil
	}
	share := r.share()
	text := " " + percent(share)
	if width > narrow {
		text += " of " + count(r.Usable)
		if r.Tuples {
			text += " tuples"
		} else {
			text += " ports"
		}
	}
	return append(gauge(share, width-columns(text)), span{text: text})
}

// gauge is a bar of a width, full up to a share of it.
func gauge(share float64, width int) line {
	if width < 1 {
		return nil
	}
	eighths := int(share * float64(8*width))
	full := strings.Repeat("█", eighths/8)
	if part := eighths % 8; part > 0 {
		full += string([]rune(" ▏▎▍▌▋▊▉")[part])
	}
	of := good
	switch {
	case share >= 0.95:
		of = bad
	case share >= 0.8:
		of = caution
	}
	return line{{of, full}, {dim, strings.Repeat("░", width-columns(full))}}
}

// connections says how many there are.
func (r *Run) connections() string {
	switch {
	case r.Phase == "churn":
		return count(r.Opened) + " connected, " + count(r.Open) + " open"
	case r.Expected > 0:
		return count(r.Open) + " of " + count(r.Expected) + " open"
	}
	return count(r.Open) + " open"
}

// lost counts the attempts that led to no connection.
func (r *Run) lost() line {
	of := plain
	if r.NoPort > 0 {
		of = caution
	}
	l := line{{of, "no_port " + count(r.NoPort)}}
	if r.Failed > 0 {
		l = append(l, span{bad, "   failed " + count(r.Failed)})
	}
	return l
}

// old is how old what the kernel showed may be without being said so.
const old = 1500 * time.Millisecond

// states says how many sockets are in which state.
func (r *Run) states() line {
	s, at := r.lastStates()
	if s == nil {
		return nil
	}
	var words []string
	for _, c := range counted(s) {
		if *c.n > 0 || c.n == s.Established || c.n == s.TimeWait {
			words = append(words, c.name+" "+count(*c.n))
		}
	}
	l := line{{dim, pad("states", label)}, {text: strings.Join(words, "   ")}}
	if age := r.At - at; age > old {
		l = append(l, span{dim, "   " + elapsed(age) + " ago"})
	}
	return l
}

// lastStates are the newest that were read, and when; nil if none were. Sockets are
// listed as seldom as is cheap, and TIME_WAIT alone is in more rows.
func (r *Run) lastStates() (*result.States, time.Duration) {
	var timeWait *int64
	for _, row := range slices.Backward(r.Timeline) {
		if row.States == nil {
			continue
		}
		if timeWait == nil {
			timeWait = row.States.TimeWait
		}
		if row.States.Established != nil {
			s := *row.States
			s.TimeWait = timeWait
			return &s, time.Duration(row.TNS)
		}
	}
	if timeWait == nil {
		return nil, 0
	}
	return &result.States{TimeWait: timeWait}, r.At
}

// stateCount is a state's word and number.
type stateCount struct {
	name string
	n    *int64
}

// counted lists the states that were read, in the order of a connection's life.
func counted(s *result.States) []stateCount {
	var list []stateCount
	for _, c := range []stateCount{
		{"syn_sent", s.SynSent},
		{"established", s.Established},
		{"fin_wait1", s.FinWait1},
		{"fin_wait2", s.FinWait2},
		{"closing", s.Closing},
		{"time_wait", s.TimeWait},
		{"close_wait", s.CloseWait},
		{"last_ack", s.LastAck},
	} {
		if c.n != nil {
			list = append(list, c)
		}
	}
	return list
}
