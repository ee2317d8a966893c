package place

import (
	"net/netip"

	"lastport/loadgen/ports"
)

// Tryout is what this kernel gives of the parts that a place of several hosts, or
// with a firewall, is made of. A nil error: it is there.
type Tryout struct {
	Links       error // joins hosts: pair and nat need it
	Translation error // is the gateway of nat
	Firewall    error // drops what reach is told to block
}

// TryOut tries the parts, in the namespace of the child of a place and in further
// ones. What it makes stays until the child ends.
func TryOut() Tryout {
	firewall := Firewall{Target: netip.MustParseAddrPort("198.18.0.1:1"), Out: ports.Of(ports.Range{Low: 1, High: 1})}
	return Tryout{
		Links: tryLinks(), Translation: tryTranslation(), Firewall: new(Hosts).Block(firewall),
	}
}

func tryLinks() error {
	near, err := newNet()
	if err != nil {
		return err
	}
	far, err := newNet()
	if err != nil {
		return err
	}
	return link(end{near, uplink}, end{far, uplink})
}

func tryTranslation() error {
	gateway, err := newNet()
	if err != nil {
		return err
	}
	g := Gateway{Ports: ports.Range{Low: 2000, High: 2001}, Outside: []netip.Addr{netip.MustParseAddr("198.19.255.1")}}
	return gateway.Do(func() error {
		_, err := g.translate(outside)
		return err
	})
}
