package server

import (
	"encoding/binary"
	"net/netip"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

func addrOf(i uint32) netip.Addr {
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, i)))
}

func TestPeerSetCountsAsAMapDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := peerSet{most: maxPeerAddrs}
		want := map[netip.AddrPort]bool{}
		for range rapid.IntRange(0, 200).Draw(t, "peers") {
			addr := addrOf(rapid.Uint32Range(0, 3).Draw(t, "addr"))
			if rapid.Bool().Draw(t, "v6") {
				addr = netip.AddrFrom16(addr.As16()) // v4-mapped: another address
			}
			port := rapid.OneOf(rapid.Uint16Range(0, 2), rapid.Uint16Range(62, 66), rapid.Uint16Range(65533, 65535)).Draw(t, "port")
			peer := netip.AddrPortFrom(addr, port)
			s.add(peer)
			want[peer] = true
		}
		if got := s.distinct.Load(); got != int64(len(want)) {
			t.Fatalf("%d distinct peers, want %d", got, len(want))
		}
	})
}

func TestPeerSetIsBounded(t *testing.T) {
	s := peerSet{most: maxPeerAddrs}
	for i := range uint32(maxPeerAddrs + 10) {
		s.add(netip.AddrPortFrom(addrOf(i), 1))
	}
	s.add(netip.AddrPortFrom(addrOf(0), 2)) // known addresses still count
	if got := s.distinct.Load(); got != maxPeerAddrs+1 {
		t.Errorf("%d distinct peers, want %d", got, maxPeerAddrs+1)
	}
}

// Threads that meet the same peers at once count each once.
func TestPeerSetFromManyThreads(t *testing.T) {
	s := peerSet{most: maxPeerAddrs}
	var threads sync.WaitGroup
	for range 4 {
		threads.Go(func() {
			for i := range uint32(10) {
				for port := range uint16(500) {
					s.add(netip.AddrPortFrom(addrOf(i), port))
				}
			}
		})
	}
	threads.Wait()
	if got := s.distinct.Load(); got != 5000 {
		t.Errorf("%d distinct peers, want 5000", got)
	}
}

func TestPeerSetDoesNotAllocateForAKnownAddress(t *testing.T) {
	s := peerSet{most: maxPeerAddrs}
	peer := netip.AddrPortFrom(addrOf(1), 0)
	s.add(peer)
	port := uint16(0)
	if allocs := testing.AllocsPerRun(1000, func() {
		port++
		s.add(netip.AddrPortFrom(peer.Addr(), port))
	}); allocs != 0 {
		t.Errorf("%.1f allocations a peer, want none", allocs)
	}
}

// A peer counts once, a tuple once for each target, and an IPv4 peer is the same
// in IPv6's clothes.
func TestGuestsCountAsMapsDo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		targets := rapid.IntRange(1, 3).Draw(t, "targets")
		g := newGuests(targets)
		type tuple struct {
			peer   netip.AddrPort
			target int
		}
		peers, tuples := map[netip.AddrPort]bool{}, map[tuple]bool{}
		for range rapid.IntRange(0, 100).Draw(t, "guests") {
			addr := addrOf(rapid.Uint32Range(0, 2).Draw(t, "addr"))
			peer := netip.AddrPortFrom(addr, rapid.Uint16Range(0, 3).Draw(t, "port"))
			target := rapid.IntRange(0, targets-1).Draw(t, "target")
			peers[peer], tuples[tuple{peer, target}] = true, true
			if rapid.Bool().Draw(t, "mapped") {
				peer = netip.AddrPortFrom(netip.AddrFrom16(addr.As16()), peer.Port())
			}
			g.add(peer, target)
		}
		if p, n := g.distinct(); p != int64(len(peers)) || n != int64(len(tuples)) {
			t.Fatalf("%d peers and %d tuples, want %d and %d", p, n, len(peers), len(tuples))
		}
	})
}
