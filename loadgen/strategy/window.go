package strategy

import (
	"math/rand/v2"

	"lastport/loadgen/ports"
)

const windowName = "window"

// The window's size where none is given, and how often it is moved at random: a
// search through 500 ports is quick, and where ten windows in ten places are full
// it is time to look at all. DefaultMoves is for the command line: in a Space, 0
// moves are none.
const (
	DefaultWindow = 500
	DefaultMoves  = 10
)

// newWindow asks by IP_LOCAL_PORT_RANGE for a small window of the range, and
// keeps it while the kernel finds a port there. When it is full, another one is
// drawn, a few times, and then all windows are tried in turn, so that the last
// port is found. Source: Cloudflare, "connect() - why are you so slow?", 2024.
//
// A window is so many ports of the space: gaps within it must be closed by
// ip_local_reserved_ports, as for socket-range.
func newWindow(space Space) (Run, error) {
	all := space.Ranges.Size()
	size := space.WindowSize
	if size == 0 {
		size = min(DefaultWindow, all)
	}
	if err := bounded("--window-size", size, 1, all, "the ports of the range"); err != nil {
		return nil, err
	}
	if err := bounded("--window-moves", space.WindowMoves, 0, ports.Max, "windows that are tried at random"); err != nil {
		return nil, err
	}
	w := &windows{numbering: number(space.Ranges), width: size, tiles: (all + size - 1) / size, moves: space.WindowMoves, seed: space.Seed}
	w.traits, w.choice.Bind = windowed(space)
	w.traits.Tries = w.tiles > 1
	w.pools = space.Pools(w.traits).Count()
	if w.tiles == 1 {
		w.moves = 0 // to where it is already
	}
	return w, nil
}

// windows is a strategy by windows. Its workers share nothing: it is the kernel
// who knows which ports are taken.
type windows struct {
	*numbering
	traits Traits
	choice Choice // less the window
	width  int    // ports in a window
	tiles  int    // windows that cover the space
	moves  int
	pools  int
	seed   uint64
}

func (w *windows) Traits() Traits { return w.traits }

func (w *windows) Worker(i int) Strategy {
	m := &mover{windows: w, random: newRandomSource(w.seed, i), in: make([]place, w.pools)}
	for pool := range m.in {
		m.in[pool] = place{at: m.draw(), tile: m.draw() / w.width}
	}
	return m
}

// mover is one worker's.
type mover struct {
	*windows
	random rand.Source
	in     []place // by pool
}

// place is where a pool's window is.
type place struct {
	at   int // index of its first port
	tile int // the last that was tried of those in turn
}

// draw returns where a window may begin, each place as likely.
func (m *mover) draw() int { return int(m.random.Uint64() % uint64(m.size()-m.width+1)) }

// Choose asks for the window that worked last and then, try by try, for others.
func (m *mover) Choose(a Attempt) (Choice, bool) {
	in := &m.in[a.Pool]
	switch {
	case a.Try == 0:
	case a.Try <= m.moves:
		in.at = m.draw()
	case m.more(a.Try - 1):
		in.tile = (in.tile + 1) % m.tiles
		in.at = min(in.tile*m.width, m.size()-m.width)
	default:
		return Choice{}, false
	}
	choice := m.choice
	choice.Window = ports.Range{Low: m.ports[in.at], High: m.ports[in.at+m.width-1]}
	return choice, true
}

// more says whether there is another try after the given one. A single window
// is all there is.
func (m *mover) more(try int) bool { return m.tiles > 1 && try < m.moves+m.tiles }

// Failed says that the window is full.
func (m *mover) Failed(a Attempt, _ Choice) bool { return m.more(a.Try) }

func (m *mover) Freed(int, uint16) {}
