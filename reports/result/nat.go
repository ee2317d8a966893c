package result

// NAT tells of the gateway between the clients and the listener: what it was
// asked to translate to, what its connection tracking counted over the run, and
// which ports it used at the fullest moment.
type NAT struct {
	Range     string       `json:"range"`
	Ports     int          `json:"ports"` // of the range
	Addresses []NATAddress `json:"addresses"`
	Random    bool         `json:"random"`
	Clients   int          `json:"clients"`    // hosts behind it
	TimeoutNS int64        `json:"timeout_ns"` // how long it keeps a closed connection at most, by its timeout for the close mode

	// Tracked and MaxTracked are its entries at the end and how many there may be,
	// which is the whole machine's limit.
	Tracked    *int64 `json:"tracked,omitempty"`
	MaxTracked *int64 `json:"max_tracked,omitempty"`
	// Untranslated counts connections whose port is not of the range, or whose
	// address is not one of the gateway's.
	Untranslated *int64 `json:"untranslated,omitempty"`

	// SYNsLost is how many SYNs, or datagrams, it dropped for want of a tuple
	// (insert_failed); SYNsExplained those of them that attempts are known to have
	// lost, by their own retransmits. SYNsUncounted are retransmits that it has
	// dropped no SYN for: the listener did (see RefusedByTimeWait), or a link, or the
	// answer was late.
	SYNsLost      *int64 `json:"syns_lost,omitempty"`
	SYNsExplained *int64 `json:"syns_explained,omitempty"`
	SYNsUncounted *int64 `json:"syns_uncounted,omitempty"`
	// LostBeforeFull is how many of them were lost before the last connection was
	// open: while there was a port.
	LostBeforeFull *int64 `json:"lost_before_full,omitempty"`
	// LostWhileFree is how many attempts lost a SYN though less than half of the
	// ports were in use: collisions of attempts at the same moment. It is absent where
	// attempts do not reach the outside addresses evenly, as one may be full then.
	LostWhileFree *int64 `json:"lost_while_free,omitempty"`

	Conntrack Counters `json:"conntrack,omitempty"` // differences over the run, by the kernel's names
}

// NATAddress is one of a gateway's outside addresses. What it is used for is that
// of the fullest moment of a fill.
type NATAddress struct {
	Address     string `json:"address"`
	Connections *int64 `json:"connections,omitempty"` // translated to it
	Ports       *int64 `json:"ports,omitempty"`       // distinct ports among them
}

// RefusedByTimeWait is how many SYNs the listener refused because a gateway had
// given them a port that was in TIME_WAIT there (PAWSTimewait of the listener's
// host); 0 without a gateway, or if that is not known.
func (r *Result) RefusedByTimeWait() int64 {
	if r.NAT == nil || r.Config.Proto == "udp" {
		return 0
	}
	return r.KernelPeer["PAWSTimewait"]
}

// Full says whether connection tracking was at the machine's limit: it drops new
// connections then, whatever ports there are.
func (n *NAT) Full() bool {
	dropped := n.Conntrack["drop"] - n.Conntrack["insert_failed"]
	return n.Conntrack["early_drop"] > 0 || dropped > 0 && n.Tracked != nil && *n.MaxTracked > 0 && *n.Tracked >= *n.MaxTracked
}
