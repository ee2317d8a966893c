package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"lastport/loadgen"
	"lastport/loadgen/place"
	"lastport/loadgen/step"
	"lastport/loadgen/suite"
	"lastport/reports/result"
)

// settle puts a run into the place of its row, as flags would that say so. A row
// without one has that of the command line.
func (f *runFlags) settle(m *suite.Member, host place.Host) error {
	if m.Place == "" {
		return nil
	}
	words, err := placeFlagsOf(m, host)
	if err != nil {
		return err
	}
	own := pflag.NewFlagSet(m.Name, pflag.ContinueOnError)
	if f.flags != nil {
		own.AddFlag(f.flags.Lookup("timeout")) // which is given or not on the command line
	}
	var p placeFlags
	p.add(own)
	p.addGateway(own)
	if err := own.Parse(words); err != nil {
		return err
	}
	if m.Place != place.Private.String() {
		p.peerSysctls = overridden(f.peerSysctls, p.peerSysctls)
	}
	f.placeFlags = p
	return nil
}

// placeFlagsOf are the flags that make the place of a member.
func placeFlagsOf(m *suite.Member, host place.Host) ([]string, error) {
	words := []string{"--place=" + m.Place}
	for _, text := range m.PeerSysctls {
		words = append(words, "--peer-sysctl="+text)
	}
	g := &m.Gateway
	if m.Place != suite.PlaceNAT {
		return words, nil
	}
	if g.Range == hostWord {
		own, err := hostRange(host)
		if err != nil {
			return nil, err
		}
		g.Range = own.String()
	}
	words = append(words, "--nat-range="+g.Range, fmt.Sprint("--nat-random=", g.Random))
	if g.Addresses > 0 {
		words = append(words, fmt.Sprint("--nat-addresses=", g.Addresses))
	}
	if g.Clients > 0 {
		words = append(words, fmt.Sprint("--clients=", g.Clients))
	}
	for _, text := range g.Timeouts {
		words = append(words, "--nat-timeout="+text)
	}
	return words, nil
}

// missing tries the places that rows of the matrix ask for, each with a run of
// one connection, and says why one cannot be had: kernels have no veth or no
// source NAT, or do not allow them.
func (f *benchFlags) missing(m suite.Matrix, host place.Host) (map[string]string, error) {
	without := map[string]string{}
	tried := map[string]bool{"": true, place.Private.String(): true}
	for _, w := range m.Ways {
		if tried[w.Place] {
			continue
		}
		tried[w.Place] = true
		probe := suite.Member{
			Name: "probe", Scenario: string(suite.Fill), Range: "40000-40001", Strategy: "connect", Close: step.ClientRST, Connections: 1,
			Place: w.Place, Gateway: suite.Gateway{Range: "40000-40001"},
		}
		plain := runFlags{timeout: f.timeout, workers: 1, engine: "direct", ends: "auto", placeFlags: f.placeFlags, progress: "none", output: f.output}
		cfg, err := plain.member(&probe, host)
		if err != nil {
			return nil, err
		}
		if err := tryOut(cfg, host); err != nil {
			without[w.Place] = strings.TrimPrefix(err.Error(), "place "+w.Place+": ")
		}
	}
	return without, nil
}

// tryOut makes a run of which nothing is kept.
func tryOut(cfg loadgen.Config, host place.Host) error {
	spec, err := spec(&cfg, host)
	if err != nil {
		return err
	}
	body, err := json.Marshal(request{Config: cfg, Spec: spec})
	if err != nil {
		return fmt.Errorf("request: %w", err)
	}
	child, err := place.Start(place.Options{Args: []string{childVerb}, Env: withoutToken(), Request: body, Stderr: os.Stderr})
	if err != nil {
		return err
	}
	var failed error
	reading := loadgen.ReadFrames(child.Frames, func(frame loadgen.Frame) error {
		if frame.Error != nil {
			failed = frame.Error
		}
		return nil
	})
	if err := errors.Join(reading, child.Wait()); failed == nil {
		return err
	}
	return failed
}

// gatewayRow is what a row says of its gateway, as a file keeps it.
func gatewayRow(w *suite.Way) *result.RowGateway {
	if w.Place != suite.PlaceNAT {
		return nil
	}
	g := &w.Gateway
	row := &result.RowGateway{Range: g.Range, StandIn: g.StandIn, Addresses: g.Addresses, Random: g.Random, Clients: g.Clients}
	if row.Range == "" {
		row.Range = defaultNAT
	}
	for _, text := range g.Timeouts {
		if row.Timeouts == nil {
			row.Timeouts = map[string]string{}
		}
		state, value, _ := strings.Cut(text, "=")
		row.Timeouts[state] = value
	}
	return row
}
