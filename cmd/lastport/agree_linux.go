package main

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"lastport/loadgen"
	"lastport/server/consent"
)

// agreement is how a run comes to its leases.
type agreement struct {
	cfg      *loadgen.Config
	token    consent.Token
	patience time.Duration // with each proof, and with each connection before it
}

// visited is an address that has proven its consent.
type visited struct {
	target netip.AddrPort // as it was dialled
	terms  consent.Terms
}

// agree has the servers of all targets prove their consent, before anything else
// is sent to them, and returns them as the run's peer. Each address proves it for
// itself: without consent it gets one connection and no more, and the error is a
// *consent.RefusedError. end is called when a server has gone before Close.
//
// One target's proof is the lease. Of several each address is visited before there
// is any lease, as a server that has one takes what comes from the same address for
// load; each server that was met gets one then.
func agree(ctx context.Context, cfg *loadgen.Config, token consent.Token, end func()) (*farEnd, error) {
	return agreement{cfg, token, consent.Patience}.come(ctx, end)
}

func (a agreement) come(ctx context.Context, end func()) (*farEnd, error) {
	met := []visited{{target: a.cfg.Targets[0]}}
	if len(a.cfg.Targets) > 1 {
		var err error
		if met, err = a.visitAll(ctx); err != nil {
			return nil, err
		}
	}
	far := &farEnd{targets: slices.Clone(a.cfg.Targets), end: end}
	for _, v := range met {
		if known := far.leased(v.terms); known != nil {
			known.several = true
			continue
		}
		one, err := a.prove(ctx, v.target, false)
		if err != nil {
			_ = far.Close() // the first error is the one to tell
			return nil, err
		}
		far.leases = append(far.leases, &lease{Lease: one, target: v.target})
	}
	for _, l := range far.leases {
		go far.watch(l)
	}
	return far, nil
}

// leased is the lease of that server for where this host's connections seem to come
// from there; nil if there is none.
func (f *farEnd) leased(terms consent.Terms) *lease {
	for _, l := range f.leases {
		if own := l.Terms(); own.Server == terms.Server && own.Peer.Addr() == terms.Peer.Addr() {
			return l
		}
	}
	return nil
}

// visitAll visits every target that no visit before it has covered.
func (a agreement) visitAll(ctx context.Context) (met []visited, err error) {
	for _, target := range a.cfg.Targets {
		if slices.ContainsFunc(met, func(v visited) bool { return v.terms.Covers(v.target, target) }) {
			continue
		}
		visit, err := a.prove(ctx, target, true)
		if err != nil {
			return nil, err
		}
		met = append(met, visited{target, visit.Terms()})
		_ = visit.Close() // it has said all
	}
	return met, nil
}

// prove makes a connection to a target and has both sides prove the token over it.
func (a agreement) prove(ctx context.Context, target netip.AddrPort, visit bool) (*consent.Lease, error) {
	conn, err := reach(ctx, a.cfg, target, a.patience)
	if err != nil {
		return nil, consent.Unreached(target, err)
	}
	wish := wishOf(a.cfg, conn.LocalAddr())
	wish.Visit = visit
	return consent.Generator{Token: a.token, Version: version, Target: target, Patience: a.patience}.Prove(ctx, conn, wish)
}
