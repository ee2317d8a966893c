package place

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// Hosts are the hosts of a place as its child reaches them: clients, a server
// and a gateway, each a network namespace. In the private place all are one,
// and the first client is always the namespace that the child was started in.
type Hosts struct {
	clients []*Net // beyond the first
	server  *Net
	gateway *Net
}

// Clients is how many clients there are, at least 1.
func (h *Hosts) Clients() int { return 1 + len(h.clients) }

// Client is the i-th client, from 0 on.
func (h *Hosts) Client(i int) *Net {
	if i == 0 {
		return nil
	}
	return h.clients[i-1]
}

// InServer calls f in the server's namespace: sockets that it opens are the
// server's, what it reads of settings, counters and sockets is the server's too.
func (h *Hosts) InServer(f func() error) error { return h.server.Do(f) }

// InGateway calls f in the gateway's namespace, or in the client's where there is
// no gateway.
func (h *Hosts) InGateway(f func() error) error { return h.gateway.Do(f) }

// Reports say what each host of a place is like. Further clients are like the
// first.
type Reports struct {
	Client  Report
	Server  *Report           // nil: it is the client
	Gateway map[string]string // its settings of connection tracking; nil: there is none
}

// Build makes the hosts of a place, and what joins them, around the namespace
// that the child was started in. Like Setup it refuses to work in the host's own.
// A place that this kernel cannot make is a *MissingError.
func Build(spec Spec) (*Hosts, Reports, error) {
	switch spec.Kind {
	case Private:
		report, err := Setup(spec)
		return &Hosts{}, Reports{Client: report}, err
	case OnHost:
		report, err := AsItIs(spec.Host)
		return &Hosts{}, Reports{Client: report}, err
	}
	if err := awayFrom(spec.Host.NetNS); err != nil {
		return nil, Reports{}, fmt.Errorf("place %s: %w", spec.Kind, err)
	}
	b := builder{spec: spec, hosts: &Hosts{}}
	for _, part := range []func() error{b.makeHosts, b.joinHosts, b.address, b.translate} {
		if err := part(); err != nil {
			return nil, Reports{}, fmt.Errorf("place %s: %w", spec.Kind, err)
		}
	}
	return b.hosts, b.reports, nil
}

// builder makes a place of several hosts.
type builder struct {
	spec    Spec
	hosts   *Hosts
	reports Reports
	made    int // namespaces, beside the one that the child was started in
}

// Names of links. Every host but the gateway has one, its uplink.
const (
	uplink  = "uplink"
	outside = "outside"
)

// inside names the gateway's link to a client.
func inside(client int) string { return fmt.Sprintf("inside%d", client) }

// makeHosts makes the namespaces and gives each its settings.
func (b *builder) makeHosts() (err error) {
	if b.reports.Client, err = furnish(b.spec); err != nil {
		return err
	}
	if b.hosts.server, err = b.another(); err != nil {
		return err
	}
	err = b.hosts.server.Do(func() error {
		report, err := furnish(b.spec.ofServer())
		report.rename()
		b.reports.Server = &report
		return ofServer(err)
	})
	if err != nil || b.spec.Kind != NAT {
		return err
	}
	if b.hosts.gateway, err = b.another(); err != nil {
		return err
	}
	for range b.spec.Others {
		client, err := b.another()
		if err != nil {
			return err
		}
		b.hosts.clients = append(b.hosts.clients, client)
		if err := client.Do(func() error { _, err := furnish(b.spec); return err }); err != nil {
			return err
		}
	}
	return b.hosts.gateway.Do(b.spec.Gateway.furnish)
}

// another makes one more namespace.
func (b *builder) another() (*Net, error) {
	n, err := newNet()
	if err != nil {
		return nil, b.spec.wanting(err, 1+b.made)
	}
	b.made++
	return n, nil
}

// joinHosts makes the links.
func (b *builder) joinHosts() error {
	if b.spec.Kind == Pair {
		return link(end{nil, uplink}, end{b.hosts.server, uplink})
	}
	for i := range b.hosts.Clients() {
		if err := link(end{b.hosts.Client(i), uplink}, end{b.hosts.gateway, inside(i)}); err != nil {
			return err
		}
	}
	return link(end{b.hosts.server, uplink}, end{b.hosts.gateway, outside})
}

// address gives the hosts their addresses, and the routes to those of the
// others.
func (b *builder) address() error {
	for i := range b.hosts.Clients() {
		if err := b.hosts.Client(i).Do(func() error { return settle(uplink, b.ofClient(i)) }); err != nil {
			return err
		}
	}
	if err := b.hosts.server.Do(func() error { return settle(uplink, b.spec.Server.Addresses) }); err != nil {
		return ofServer(err)
	}
	if b.spec.Kind != NAT {
		return nil
	}
	return b.hosts.gateway.Do(func() error {
		if err := settle(outside, b.spec.Gateway.prefixes()); err != nil {
			return err
		}
		for i := range b.hosts.Clients() {
			if err := routes(inside(i), b.ofClient(i)); err != nil {
				return err
			}
		}
		return nil
	})
}

// ofClient returns the addresses of a client.
func (b *builder) ofClient(i int) []netip.Prefix {
	if i == 0 {
		return b.spec.Addresses
	}
	return b.spec.Others[i-1]
}

// translate sets the gateway's rules.
func (b *builder) translate() error {
	if b.spec.Kind != NAT {
		return nil
	}
	return b.hosts.gateway.Do(func() (err error) {
		b.reports.Gateway, err = b.spec.Gateway.translate(outside)
		return err
	})
}

// ofServer is what the server's host shall be like.
func (s Spec) ofServer() Spec {
	return Spec{Host: s.Host, Tool: s.Server.Tool, User: s.Server.User}
}

// peerFlag is what --sysctl is called where it is the server's.
const peerFlag = "--peer-sysctl"

// rename puts the server's flag into the reasons of changes.
func (r *Report) rename() {
	for key, c := range r.Changed {
		if c.Why == sysctlFlag {
			c.Why = peerFlag
			r.Changed[key] = c
		}
	}
}

// ofServer puts the server's flag into what is said of a setting.
func ofServer(err error) error {
	var address *addressError
	if errors.As(err, &address) {
		return &addressError{address.error, peerFlag}
	}
	var usage *UsageError
	if !errors.As(err, &usage) {
		return err
	}
	return &UsageError{
		text: strings.ReplaceAll(usage.text, sysctlFlag, peerFlag), hint: strings.ReplaceAll(usage.hint, sysctlFlag, peerFlag), err: usage.err,
	}
}
