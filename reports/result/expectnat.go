package result

// natFields are those of the gateway.
func natFields() []field {
	nat := func(r *Result) *NAT { return r.NAT }
	return []field{
		{"nat.tracked", count, of(nat, func(n *NAT) *int64 { return n.Tracked })},
		{"nat.syns_lost", count, of(nat, func(n *NAT) *int64 { return n.SYNsLost })},
		{"nat.lost_before_full", count, of(nat, func(n *NAT) *int64 { return n.LostBeforeFull })},
		{"nat.lost_while_free", count, of(nat, func(n *NAT) *int64 { return n.LostWhileFree })},
		{"nat.untranslated", count, of(nat, func(n *NAT) *int64 { return n.Untranslated })},
	}
}
