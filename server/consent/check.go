package consent

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"lastport/reports/result"
)

// Server is who is asked for consent.
type Server struct {
	Token    Token
	Version  string        // of lastport
	Patience time.Duration // 0: Patience
}

// Claim is what a generator that has proven the token says and wants.
type Claim struct {
	Target  netip.AddrPort // as it has dialled it
	Version string         // of its lastport
	Wish    Wish
}

// Granted is the server's side of a lease.
type Granted struct{ w *wire }

// Check has whoever is at the other end of a fresh connection prove the token, and
// proves it too. grant decides about a claim that is proven; its error is told to
// the generator, with its Hint. All takes Patience at the most, without what
// grant takes. After an error the connection is closed.
func (s Server) Check(conn Conn, grant func(Claim) (Terms, error)) (*Granted, error) {
	w := newWire(conn, s.Token, roleServer, roleGenerator)
	if err := s.check(w, grant); err != nil {
		_ = conn.Close() // the first error is the one to tell
		return nil, err
	}
	return &Granted{w}, nil
}

func (s Server) check(w *wire, grant func(Claim) (Terms, error)) error {
	if err := w.conn.SetDeadline(time.Now().Add(patience(s.Patience))); err != nil {
		return err
	}
	claim, err := s.challenge(w)
	if err != nil {
		return err
	}
	_, err = w.hear(&claim.Wish, mostProven)
	switch {
	case errors.Is(err, errUnproven):
		return s.refuse(w, codeToken, err)
	case err != nil:
		return fmt.Errorf("it proves nothing: %w", err)
	}
	terms, refusal := grant(claim)
	said := consenting{Terms: &terms}
	if refusal != nil {
		said = consenting{Refused: refusal.Error()}
		if h, ok := errors.AsType[interface {
			error
			Hint() string
		}](refusal); ok {
			said.Hint = h.Hint()
		}
	}
	if err := errors.Join(refusal, w.say(said)); err != nil {
		return err
	}
	w.seal()
	_ = w.conn.SetDeadline(time.Time{}) // a connection that has ended by now is Serve's to find out
	return nil
}

// challenge hears the hello and answers it.
func (s Server) challenge(w *wire) (Claim, error) {
	line, err := w.readLine(mostUnproven)
	var said opening
	switch {
	case err != nil && !errors.Is(err, errTooLong):
		return Claim{}, fmt.Errorf("it says no hello: %w", err)
	case !understood(line, &said):
		return Claim{}, s.refuse(w, codeNonsense, fmt.Errorf("it says %q", excerpt(line)))
	case said.Protocol != Protocol:
		return Claim{}, s.refuse(w, codeProtocol, fmt.Errorf("it is lastport %q and proves by version %d", excerpt([]byte(said.Version)), said.Protocol))
	case said.Lastport != wordHello || !isNonce(said.Nonce) || said.Target == nil:
		return Claim{}, s.refuse(w, codeNonsense, fmt.Errorf("it says %q", excerpt(line)))
	}
	err = w.sayPlain(opening{Lastport: wordChallenge, Protocol: Protocol, Version: s.Version, Nonce: nonce(), Made: s.Token.made})
	return Claim{Target: *said.Target, Version: said.Version}, err
}

// refuse tells a stranger no more than the kind of what is wrong.
func (s Server) refuse(w *wire, code string, why error) error {
	return errors.Join(why, w.sayPlain(opening{Lastport: wordRefusal, Protocol: Protocol, Version: s.Version, Code: code}))
}

// Close ends the lease.
func (g *Granted) Close() error { return g.w.conn.Close() }

// Serve answers what the generator asks, by handle, until the lease is over, and
// leaves it to the caller to close the connection: once nothing is left of the lease,
// as its end tells the generator that. An error of handle is told. The error says how
// the lease ended: nil where the generator has ended it.
func (g *Granted) Serve(handle func(Ask) (result.Server, error)) (err error) {
	for {
		var q question
		if line, err := g.w.hear(&q, mostProven); errors.Is(err, io.EOF) && len(line) == 0 {
			return nil
		} else if err != nil {
			return err
		}
		server, err := handle(q.Ask)
		said := answer{Server: &server}
		if err != nil {
			said = answer{Failed: err.Error()}
		}
		if err := g.w.say(said); err != nil {
			return err
		}
	}
}
