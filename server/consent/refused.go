package consent

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
)

const (
	hintServe = "start 'lastport serve' there, and give both the same token"
	hintLook  = "look at what the server says: it may not allow this address (--allow), or be busy"
)

// RefusedError says why there is no consent to load at a target. One connection
// was made to it, and no more are.
type RefusedError struct {
	Target netip.AddrPort
	err    error
	hint   string
}

// Unreached is a target that not even the one connection came about to.
func Unreached(target netip.AddrPort, err error) *RefusedError {
	if errors.Is(err, syscall.ECONNRESET) { // somebody has accepted it
		return &RefusedError{target, err, hintLook}
	}
	return &RefusedError{target, err, hintServe}
}

// Error names the target and the cause.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("no consent to load at %s: %v", e.Target, e.err)
}

// Hint says what to do about it.
func (e *RefusedError) Hint() string { return e.hint }

// Unwrap returns the cause.
func (e *RefusedError) Unwrap() error { return e.err }

func (g Generator) refused(hint, format string, args ...any) error {
	return &RefusedError{g.Target, fmt.Errorf(format, args...), hint}
}

// foreign is a server that is no lastport.
func (g Generator) foreign(format string, args ...any) error {
	return g.refused(hintServe, "no lastport serves there: "+format, args...)
}

// otherVersion is a lastport that proves by other rules.
func (g Generator) otherVersion(said opening) error {
	return g.refused("use the same version on both sides",
		"the server is lastport %q and proves by version %d, and this is lastport %q, which proves by version %d",
		excerpt([]byte(said.Version)), said.Protocol, g.Version, Protocol)
}

// wrongToken is a server that has another token, made at a time if it says so.
func (g Generator) wrongToken(serverMade string) error {
	const hint = "copy the server's token file again"
	switch own := g.Token.made; {
	case own != "" && len(serverMade) == len(madeTime) && own < serverMade:
		return g.refused(hint, "the token is old: it was made at %s, and the server's at %q", own, serverMade)
	case own != "" && serverMade != "" && own != serverMade:
		return g.refused(hint, "the token is wrong: it was made at %s, and the server's at %q", own, excerpt([]byte(serverMade)))
	}
	return g.refused(hint, "the token is wrong: the server has another one")
}
