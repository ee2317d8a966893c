package doctor

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"lastport/loadgen/place"
)

// patience is how long the private place may take: some hundred times what it
// does, so that a doctor ends on a host where it never comes.
const patience = 10 * time.Second

// reply is what the child says of the place, and of what it has tried there.
type reply struct {
	Differs                             []string
	Setup, Links, Translation, Firewall *refusal // nil: it went well
}

// refusal is an error of the child's.
type refusal struct {
	Text, Hint string
	Errno      int // 0: none
}

// refused writes an error down for the parent.
func refused(err error) *refusal {
	if err == nil {
		return nil
	}
	r := &refusal{Text: err.Error()}
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) {
		r.Hint = hinted.Hint()
	}
	var errno unix.Errno
	if errors.As(err, &errno) {
		r.Errno = int(errno)
	}
	return r
}

// err is the refusal as an error, nil if there is none.
func (r *refusal) err() error {
	if r == nil {
		return nil
	}
	return &placeError{*r}
}

// placeError is an error of the child's.
type placeError struct{ refusal }

func (e *placeError) Error() string { return e.Text }

// Hint says what removes the cause.
func (e *placeError) Hint() string { return e.refusal.Hint }

// Unwrap returns the kernel's error number.
func (e *placeError) Unwrap() error {
	if e.Errno == 0 {
		return nil
	}
	return unix.Errno(e.Errno)
}

// tryPlace makes a private place as a run does, tries there what other places
// need, and gives it up at once.
func tryPlace(args []string) (Place, error) {
	host, err := place.ReadHost()
	if err != nil {
		return Place{}, fmt.Errorf("private place: %w", err)
	}
	request, err := json.Marshal(specOf(host))
	if err != nil {
		return Place{}, fmt.Errorf("private place: %w", err)
	}
	child, err := place.Start(place.Options{Args: args, Request: request, Stderr: os.Stderr})
	if err != nil {
		return Place{}, err
	}
	late := time.AfterFunc(patience, child.Kill)
	defer late.Stop()
	text, err := io.ReadAll(child.Frames)
	if waitErr := child.Wait(); err == nil {
		err = waitErr
	}
	if err != nil {
		return Place{}, err
	}
	var r reply
	if err := json.Unmarshal(text, &r); err != nil {
		return Place{}, fmt.Errorf("private place: what the child says: %w", err)
	}
	if r.Setup != nil {
		return Place{}, r.Setup.err()
	}
	return Place{Differs: r.Differs, Links: r.Links.err(), Translation: r.Translation.err(), Firewall: r.Firewall.err()}, nil
}

// specOf is a place as a run has it: with the bundled listener's address, and
// with a setting to make even if it is as on the host, because in many
// containers it is only this that fails (/proc/sys is read-only there).
func specOf(host place.Host) place.Spec {
	s := place.Spec{Host: host, Addresses: []netip.Prefix{netip.MustParsePrefix("198.18.0.1/32")}}
	if value, ok := host.Settings[keyRange]; ok {
		s.Tool = []place.Setting{{Key: keyRange, Value: strings.Join(strings.Fields(value), " "), Why: "as a run sets its range"}}
	}
	return s
}

// InPlace is the child's side of Collect: it sets the place up, tries what other
// places need, and says what came of it. It is an error in a process that Collect did not start.
func InPlace() error {
	parent, err := place.Join()
	if err != nil {
		return err
	}
	var spec place.Spec
	if err := json.Unmarshal(parent.Request, &spec); err != nil {
		return fmt.Errorf("request: %w", err)
	}
	report, err := place.Setup(spec)
	r := reply{Differs: slices.Sorted(maps.Keys(report.Differs)), Setup: refused(err)}
	if err == nil {
		tried := place.TryOut()
		r.Links, r.Translation, r.Firewall = refused(tried.Links), refused(tried.Translation), refused(tried.Firewall)
	}
	if err := json.NewEncoder(parent.Frames).Encode(r); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	return nil
}
