package consent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"
)

// Patience bounds a proof, from its first byte to its last, unless another time is
// given.
const Patience = 5 * time.Second

// Generator is who asks for consent.
type Generator struct {
	Token    Token
	Version  string         // of lastport
	Target   netip.AddrPort // as it was dialled
	Patience time.Duration  // 0: Patience
}

// Prove proves the token over a fresh connection to the target, has the server
// prove it too, and returns the lease. It takes Patience at the most, whatever
// the other side does, and ends with ctx. After an error, a *RefusedError unless
// ctx has ended, the connection is closed; otherwise it is the lease's.
func (g Generator) Prove(ctx context.Context, conn Conn, wish Wish) (*Lease, error) {
	lease, err := g.prove(ctx, conn, wish)
	if err != nil {
		_ = conn.Close() // the first error is the one to tell
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, err
	}
	return lease, nil
}

func (g Generator) prove(ctx context.Context, conn Conn, wish Wish) (*Lease, error) {
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if err := conn.SetDeadline(time.Now().Add(patience(g.Patience))); err != nil {
		return nil, g.broken(err)
	}
	w := newWire(conn, g.Token, roleGenerator, roleServer)
	challenge, err := g.greet(w)
	if err != nil {
		return nil, err
	}
	if err := w.say(wish); err != nil {
		return nil, g.broken(err)
	}
	var said consenting
	line, err := w.hear(&said, mostProven)
	switch {
	case errors.Is(err, errUnproven):
		return nil, g.unproven(line, challenge)
	case err != nil:
		return nil, g.broken(err)
	case said.Terms == nil:
		return nil, g.refused(said.Hint, "%s", said.Refused)
	}
	w.seal()
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return nil, g.broken(err)
	}
	return newLease(w, *said.Terms), nil
}

// greet says hello and returns the challenge.
func (g Generator) greet(w *wire) (opening, error) {
	hello, err := json.Marshal(opening{Lastport: wordHello, Protocol: Protocol, Version: g.Version, Nonce: nonce(), Target: &g.Target})
	if err != nil {
		return opening{}, g.broken(err)
	}
	hello = append(hello, '\n')
	if err := w.write(hello); err != nil {
		return opening{}, g.broken(err)
	}
	line, err := w.readLine(mostUnproven)
	ended := err == nil || errors.Is(err, errTooLong) || errors.Is(err, io.EOF)
	if ended && len(line) > 0 && bytes.HasPrefix(hello, line) {
		return opening{}, g.foreign("it echoes what it is sent")
	}
	var said opening
	if ended && len(line) > 0 && !understood(line, &said) {
		return opening{}, g.foreign("it answers %q", excerpt(line))
	}
	if err != nil {
		return opening{}, g.broken(err)
	}
	return said, g.heed(said, line)
}

// heed looks at a line that a lastport says to a hello, and says what is wrong if
// it is no challenge.
func (g Generator) heed(said opening, line []byte) error {
	switch {
	case said.Protocol != Protocol:
		return g.otherVersion(said)
	case said.Lastport == wordRefusal:
		return g.code(said, said)
	case said.Lastport != wordChallenge || !isNonce(said.Nonce):
		return g.foreign("it answers %q", excerpt(line))
	}
	return nil
}

// understood reads a line that is an opening of any version.
func understood(line []byte, o *opening) bool {
	return json.Unmarshal(line, o) == nil && o.Lastport != "" && o.Protocol > 0
}

// unproven tells why a line without a proof is what the server says to ours.
func (g Generator) unproven(line []byte, challenge opening) error {
	var said opening
	if understood(line, &said) && said.Lastport == wordRefusal {
		return g.code(said, challenge)
	}
	return g.refused("ask who runs it: it must not be loaded", "it cannot prove the token: it is not the server that has it")
}

// code words a refusal that is not proven.
func (g Generator) code(said, challenge opening) error {
	switch said.Code {
	case codeToken:
		return g.wrongToken(challenge.Made)
	case codeProtocol:
		return g.otherVersion(said)
	}
	return g.refused("try again", "it ended the proof (%q)", excerpt([]byte(said.Code)))
}

// broken words an error of the connection.
func (g Generator) broken(err error) error {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return g.refused(hintServe, "nothing there has proven the token within %v: it is silent, or no lastport", patience(g.Patience))
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrClosedPipe), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return g.refused(hintLook, "it has closed the connection without a proof")
	}
	return g.refused("", "%w", err)
}

// patience is the time that was given, or the usual one.
func patience(given time.Duration) time.Duration {
	if given > 0 {
		return given
	}
	return Patience
}

// excerpt is the beginning of what a stranger says, for people.
func excerpt(line []byte) string {
	const most = 60
	text := strings.TrimSpace(string(line[:min(len(line), most)]))
	return strings.ToValidUTF8(text, "?")
}
