package consent

import (
	"crypto/rand"
	"encoding/hex"
	"net/netip"
	"slices"

	"lastport/reports/result"
)

// Words that say what a line is.
const (
	wordHello     = "hello"
	wordChallenge = "challenge"
	wordRefusal   = "refusal"
)

// Why a server refuses before anything is proven.
const (
	codeProtocol = "protocol" // it speaks another version
	codeToken    = "token"    // the proof does not fit
	codeNonsense = "nonsense" // the line is none
)

// opening is a line that is not proven: each side's first one, and a refusal.
type opening struct {
	Lastport string          `json:"lastport"` // what the line is
	Protocol int             `json:"protocol"`
	Version  string          `json:"version"` // of lastport
	Nonce    string          `json:"nonce,omitempty"`
	Target   *netip.AddrPort `json:"target,omitempty"` // of a hello: as it was dialled
	Made     string          `json:"made,omitempty"`   // of a challenge: when the server's token was made
	Code     string          `json:"code,omitempty"`   // of a refusal
}

// nonce is 32 random bytes in hexadecimal digits.
func nonce() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}

// isNonce says whether the text can be one.
func isNonce(text string) bool {
	b, err := hex.DecodeString(text)
	return err == nil && len(b) == 32
}

// Wish is what a run needs of a server.
type Wish struct {
	UDP         bool         `json:"udp,omitempty"`
	Close       string       `json:"close"`              // the close mode, in the words of --close
	Connections int64        `json:"connections"`        // open at once, at most
	Requests    int          `json:"requests,omitempty"` // over each connection
	Visit       bool         `json:"visit,omitempty"`    // proof is all it wants: another connection is the lease
	Local       string       `json:"local"`              // the generator's end of this connection, as it sees it
	Sources     []netip.Addr `json:"sources,omitempty"`  // addresses that connections come from, besides this connection's
	Perhaps     []netip.Addr `json:"perhaps,omitempty"`  // others that the generator's kernel may choose by itself
	Ports       []PortRange  `json:"ports,omitempty"`    // and the ports that they come from; none: any
}

// PortRange is an inclusive range of source ports.
type PortRange struct {
	Low  uint16 `json:"low"`
	High uint16 `json:"high"`
}

// Terms are what a server consents to.
type Terms struct {
	Server  string         `json:"server"`          // the same for all leases of one server
	Version string         `json:"version"`         // of its lastport
	Peer    netip.AddrPort `json:"peer"`            // the generator's end of this connection, as the server sees it
	Ports   []PortRange    `json:"ports,omitempty"` // of the address that was dialled: those that it consents for
}

// Covers says whether the server that was dialled at one target has consented to
// load at another one too. At another address, or on another link, it never has: a
// number such as 172.17.0.1 may be the server's where that is and a stranger's where
// the generator is.
func (t *Terms) Covers(dialled, other netip.AddrPort) bool {
	if other.Addr() != dialled.Addr() {
		return false
	}
	return other == dialled || slices.ContainsFunc(t.Ports, func(r PortRange) bool { return r.Low <= other.Port() && other.Port() <= r.High })
}

// consenting is the server's proven answer to a wish.
type consenting struct {
	Terms   *Terms `json:"terms,omitempty"`
	Refused string `json:"refused,omitempty"` // why not
	Hint    string `json:"hint,omitempty"`
}

// Ask is what a generator asks for while it has a lease.
type Ask string

// What can be asked for. Each is answered by the server's statistics.
const (
	AskStatistics Ask = "statistics" // what is cheap to tell
	AskTotal      Ask = "total"      // and what takes time to count
	AskDrain      Ask = "drain"      // the same, after all of the lease's connections are closed
)

type question struct {
	Ask Ask `json:"ask"`
}

type answer struct {
	Server *result.Server `json:"server,omitempty"`
	Failed string         `json:"failed,omitempty"`
}
