package server

import (
	"maps"
	"net/netip"
	"sync"
	"sync/atomic"

	"lastport/loadgen/kernel"
)

const (
	// maxPeerAddrs bounds the memory of a peerSet: 8 KiB an address, 8 MiB in all.
	maxPeerAddrs = 1024
	// maxTupleAddrs bounds that of all targets' sets together: 64 MiB.
	maxTupleAddrs = 8 * maxPeerAddrs
)

// guests counts who came: distinct peers, and distinct 4-tuples, which are the
// peers of each target.
type guests struct {
	peers peerSet
	at    []peerSet // by target; none where there is one target, as its tuples are the peers
}

func newGuests(targets int) *guests {
	g := &guests{peers: peerSet{most: maxPeerAddrs}}
	if targets > 1 {
		g.at = make([]peerSet, targets)
		for i := range g.at {
			g.at[i].most = min(maxPeerAddrs, max(1, maxTupleAddrs/targets))
		}
	}
	return g
}

// add counts a peer that came to a target.
func (g *guests) add(peer netip.AddrPort, target int) {
	// An IPv4 address in IPv6's clothes, as a listener for both hears it, is the
	// same peer.
	peer = kernel.PlainAddrPort(peer)
	g.peers.add(peer)
	if g.at != nil {
		g.at[target].add(peer)
	}
}

// distinct returns the numbers of distinct peers and tuples.
func (g *guests) distinct() (peers, tuples int64) {
	if g.at == nil {
		n := g.peers.distinct.Load()
		return n, n
	}
	for i := range g.at {
		tuples += g.at[i].distinct.Load()
	}
	return g.peers.distinct.Load(), tuples
}

// portSet has a bit for each of the 65,536 ports.
type portSet [65536 / 64]atomic.Uint64

// peerSet counts distinct (address, port) pairs. All threads share one: a pair
// is written once, when it is first seen, so that in the long run threads only
// read and do not disturb each other.
type peerSet struct {
	most     int // addresses
	distinct atomic.Int64
	byAddr   atomic.Pointer[map[netip.Addr]*portSet] // copied on write: readers take no lock
	meeting  sync.Mutex                              // held by who adds an address
}

// add counts the peer if it is new. It allocates for a new address only. Peers
// from addresses beyond the first that there may be are not counted: then
// distinct is a lower bound.
func (s *peerSet) add(peer netip.AddrPort) {
	ports := s.find(peer.Addr())
	if ports == nil {
		if ports = s.meet(peer.Addr()); ports == nil {
			return
		}
	}
	word, bit := &ports[peer.Port()/64], uint64(1)<<(peer.Port()%64)
	if word.Load()&bit == 0 && word.Or(bit)&bit == 0 {
		s.distinct.Add(1)
	}
}

func (s *peerSet) find(addr netip.Addr) *portSet {
	if known := s.byAddr.Load(); known != nil {
		return (*known)[addr]
	}
	return nil
}

// meet makes room for a new address. It returns nil if there are too many.
func (s *peerSet) meet(addr netip.Addr) *portSet {
	s.meeting.Lock()
	defer s.meeting.Unlock()
	if ports := s.find(addr); ports != nil {
		return ports // another thread was faster
	}
	grown := map[netip.Addr]*portSet{}
	if known := s.byAddr.Load(); known != nil {
		if len(*known) >= s.most {
			return nil
		}
		grown = maps.Clone(*known)
	}
	ports := new(portSet)
	grown[addr] = ports
	s.byAddr.Store(&grown)
	return ports
}
