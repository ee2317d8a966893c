package result

import (
	"strconv"
	"strings"
)

// PortRanges is a list of ports as ranges in ascending order: "40100-40149",
// "40500".
type PortRanges []string

// Count returns how many ports the list names. An entry that is none counts as
// nothing.
func (p PortRanges) Count() int64 {
	n := int64(0)
	for _, text := range p {
		low, high, isRange := strings.Cut(text, "-")
		if !isRange {
			high = low
		}
		from, fromErr := strconv.ParseUint(low, 10, 16)
		to, toErr := strconv.ParseUint(high, 10, 16)
		if fromErr == nil && toErr == nil && from <= to {
			n += int64(to-from) + 1
		}
	}
	return n
}

// Reach says which source ports a path lets through. A port that was tried is in
// one of the first four lists.
type Reach struct {
	Source  string     `json:"source"` // the client's address
	Target  string     `json:"target"`
	Through PortRanges `json:"through"` // connected, and the bundled listener answered
	Refused PortRanges `json:"refused"` // somebody said no, by RST or by ICMP
	Dropped PortRanges `json:"dropped"` // no answer to any attempt
	Other   PortRanges `json:"other"`   // connected, and something else answered, or nothing did

	DroppedOut  PortRanges `json:"dropped_out"`  // of the dropped: the listener's host saw nothing of them
	DroppedBack PortRanges `json:"dropped_back"` // of the dropped: the listener's host had answered
	Unsure      string     `json:"unsure,omitempty"`
	NotTried    []NotTried `json:"not_tried,omitempty"`
	Late        int64      `json:"late"` // ports that answered a further attempt, and not the first

	Listening *bool         `json:"listening,omitempty"` // whether a socket listened on the target at the end, by sock_diag on its host
	Blocked   *BlockedPorts `json:"blocked,omitempty"`
	Differs   PortRanges    `json:"differs,omitempty"` // ports that came out otherwise than the place's firewall lets expect
	Rules     []Rule        `json:"rules,omitempty"`
	Text      string        `json:"text"`
}

// NotTried are ports of the range that the client itself cannot use.
type NotTried struct {
	Ports PortRanges `json:"ports"`
	Why   string     `json:"why"`
}

// BlockedPorts are the tried ports that the place's own firewall drops.
type BlockedPorts struct {
	Out  PortRanges `json:"out"`
	Back PortRanges `json:"back"`
}

// Rule is what a firewall must let pass in one direction for the client to use
// all of its range, and what of it is missing.
type Rule struct {
	Direction     string     `json:"direction"`         // "out" or "back", as the client sees it
	Missing       PortRanges `json:"missing,omitempty"` // ports that do not get through in this direction
	Unknown       PortRanges `json:"unknown,omitempty"` // ports that were not seen in this direction: they may be missing too
	Text          string     `json:"text"`
	Needed        string     `json:"needed,omitempty"` // which firewalls need the rule; absent: every one that drops by default
	NFTables      string     `json:"nftables"`         // a rule of nft(8), without its chain
	SecurityGroup []string   `json:"security_group"`   // one line for each range, as cloud firewalls take them: network ACLs and security groups
}

// reachFields are what a reach alone measures: counts of ports.
func reachFields() []field {
	ports := func(get func(*Reach) PortRanges) func(*Result) (float64, bool) {
		return func(r *Result) (float64, bool) {
			if r.Reach == nil {
				return 0, false
			}
			return float64(get(r.Reach).Count()), true
		}
	}
	reach := func(r *Result) *Reach { return r.Reach }
	return []field{
		{"reach.through", count, ports(func(r *Reach) PortRanges { return r.Through })},
		{"reach.refused", count, ports(func(r *Reach) PortRanges { return r.Refused })},
		{"reach.dropped", count, ports(func(r *Reach) PortRanges { return r.Dropped })},
		{"reach.other", count, ports(func(r *Reach) PortRanges { return r.Other })},
		{"reach.dropped_out", count, ports(func(r *Reach) PortRanges { return r.DroppedOut })},
		{"reach.dropped_back", count, ports(func(r *Reach) PortRanges { return r.DroppedBack })},
		{"reach.not_tried", count, ports((*Reach).notTried)},
		{"reach.late", count, of(reach, func(r *Reach) *int64 { return &r.Late })},
		{"reach.differs", count, ports(func(r *Reach) PortRanges { return r.Differs })},
		{"reach.listening", truth, of(reach, func(r *Reach) *bool { return r.Listening })},
	}
}

// notTried returns all ports that were not tried.
func (r *Reach) notTried() (all PortRanges) {
	for _, n := range r.NotTried {
		all = append(all, n.Ports...)
	}
	return all
}
