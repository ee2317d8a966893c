package capacity

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"lastport/loadgen/ports"
)

// behind is a fleet of Linux hosts behind a gateway with 64,512 ports to an
// address.
func behind(s System, hosts int, ports int64) Wish {
	own := linux250().Question
	s.Gateway = true
	return Wish{
		Question: Question{Range: set1024(), System: &s},
		Fleet:    &Fleet{Hosts: hosts, Own: own, Ports: ports},
	}
}

// Worked by hand: an AWS address has 55,000 connections toward a target; a host has
// 28,232 ports, each back 60 to 62.048 s after its close.
func TestFleet(t *testing.T) {
	const perHost = 28232 / 62.048
	aws := System{Name: "aws-nat", Reuse: time.Minute, PerTarget: 55_000}
	gcp := System{Name: "gcp-nat", Reuse: 2 * time.Minute}
	for _, c := range []struct {
		name    string
		wish    Wish
		set     func(*Wish)
		safe    float64
		gateway bool // it binds first
		holds   bool
		needed  Needed
		fleet   FleetPlan // what is needed
	}{
		{
			name: "one host's own ports are fewer", wish: behind(aws, 1, 0), set: func(w *Wish) { w.Rate = 400 },
			safe: perHost, holds: true, needed: Needed{Sets: 1, Ports: 24820, Sources: 1, Targets: 1}, fleet: FleetPlan{Machines: 1},
		},
		{
			name: "ten share what one address has", wish: behind(aws, 10, 0), set: func(w *Wish) { w.Rate = 2000 },
			safe: 55_000.0 / 60, gateway: true, needed: Needed{Sets: 3, Ports: 12410, Sources: 3, Targets: 3}, fleet: FleetPlan{Machines: 5},
		},
		{
			name: "with enough addresses the hosts are the limit", wish: behind(aws, 2, 0), set: func(w *Wish) { w.Rate, w.Sources = 1500, 4 },
			safe: 2 * perHost, needed: Needed{Sets: 2, Ports: 46536, Targets: 2}, fleet: FleetPlan{Machines: 4},
		},
		{
			name: "each has 64 ports; of an odd number a search may miss one", wish: behind(gcp, 10, 64), set: func(w *Wish) { w.Rate = 20 },
			safe: 10 * 64.0 / 120, gateway: true, needed: Needed{Sets: 4, Ports: 126, Targets: 4}, fleet: FleetPlan{Machines: 1, Ports: 240, Addresses: 1},
		},
		{
			name: "1,009 with 64 take a second address", wish: behind(gcp, 1009, 64), set: func(w *Wish) { w.Open = 1009 * 64 },
			safe: 1009 * 64.0 / 120, gateway: true, holds: true, needed: Needed{Sets: 1, Ports: 64, Sources: 2, Targets: 1},
			fleet: FleetPlan{Machines: 3, Ports: 64, Addresses: 2},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.set(&c.wish)
			p, err := NewPlan(c.wish)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(p.Safe-c.safe) > 1e-9*c.safe || p.Fleet.GatewayBinds != c.gateway || p.Demand.Holds != c.holds {
				t.Errorf("safe %v, gateway %v, holds %v; want %v, %v, %v", p.Safe, p.Fleet.GatewayBinds, p.Demand.Holds, c.safe, c.gateway, c.holds)
			}
			if p.Demand.Needed != c.needed {
				t.Errorf("needed %+v, want %+v", p.Demand.Needed, c.needed)
			}
			got := FleetPlan{Machines: p.Fleet.Machines, Ports: p.Fleet.Ports, Addresses: p.Fleet.Addresses}
			if got.Machines != c.fleet.Machines || got.Ports != c.fleet.Ports || got.Addresses != c.fleet.Addresses {
				t.Errorf("fleet %+v, want %+v", got, c.fleet)
			}
		})
	}
}

// A fleet whose hosts may close as they like: a gateway watches the close go by.
func TestFleetRestsAtTheGateway(t *testing.T) {
	w := behind(System{Name: "aws-nat", Reuse: time.Minute, PerTarget: 55_000}, 1, 0)
	w.Close = "server-fin"
	p, err := NewPlan(w)
	if err != nil {
		t.Fatal(err)
	}
	if !p.Fleet.GatewayBinds || !math.IsInf(p.Fleet.Hosts.Safe, 1) || math.Abs(p.Safe-55_000.0/60) > 1e-9 {
		t.Errorf("%+v, safe %v", p.Fleet, p.Safe)
	}
}

// The ways of a fleet are those of the side that binds.
func TestFleetWays(t *testing.T) {
	names := func(w Wish) string {
		p, err := NewPlan(w)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, way := range p.Ways {
			all = append(all, way.Name)
		}
		return strings.Join(all, ";")
	}
	w := behind(System{Name: "aws-nat", Reuse: time.Minute, PerTarget: 55_000}, 1, 0)
	w.Rate = 800
	if got, want := names(w), "pooling;targets;wider-range;tcp_tw_reuse;own-ports;server-fin;client-rst;socket-range"; got != want {
		t.Errorf("the host binds: %s\nwant %s", got, want)
	}
	w = behind(System{Name: "gcp-nat", Reuse: time.Minute}, 10, 64)
	w.Rate = 50
	if got, want := names(w), "pooling;targets;ports-per-host"; got != want {
		t.Errorf("the gateway binds: %s\nwant %s", got, want)
	}
}

func TestFleetRefuses(t *testing.T) {
	gcp := System{Name: "gcp-nat", Reuse: time.Minute}
	few := behind(gcp, 3000, 64)
	few.Sources = 2
	for _, c := range []struct {
		wish        Wish
		error, hint string
	}{
		{few, "3000 machines with 64 ports each take 3 outside addresses of gcp-nat with 64512 ports: --sources 2 is too few", "--sources 3, or --ports-per-host 43"},
		{behind(gcp, 0, 0), "--fleet 0", "--fleet 10"},
		{behind(gcp, 1, 70_000), "an address of gcp-nat has 64512 ports", "--ports-per-host 64"},
	} {
		_, err := NewPlan(c.wish)
		refused, ok := errors.AsType[*wishError](err)
		if !ok || !strings.Contains(err.Error(), c.error) || refused.Hint() != c.hint {
			t.Errorf("%v\nwant %s", err, c.error)
		}
	}
}

func set1024() ports.Ranges { return ports.Of(ports.Range{Low: 1024, High: ports.Max}) }

// What each machine has for itself is no limit of an address.
func TestFleetWhoseLimitItIs(t *testing.T) {
	for ports, want := range map[int64]string{
		64: "gcp-nat allows 64 connections for each machine and target", 0: "gcp-nat allows 500 connections for each of its addresses and target",
	} {
		p, err := NewPlan(behind(System{Name: "gcp-nat", Reuse: 2 * time.Minute, PerTarget: 500}, 10, ports))
		if err != nil {
			t.Fatal(err)
		}
		if all := strings.Join(p.Answer.Why, "\n"); !strings.Contains(all, want) {
			t.Errorf("%d ports each: %s\nwant %s", ports, all, want)
		}
	}
}
