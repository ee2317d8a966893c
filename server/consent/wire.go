package consent

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"
)

// Protocol is the version of the lines. Who speaks another one is told both.
const Protocol = 1

const (
	// mostUnproven bounds a line of someone who has proven nothing, in bytes.
	mostUnproven = 1024
	// mostProven bounds all others: 1,024 addresses of 40 characters, and room.
	mostProven = 64 << 10
)

// The roles, as a proof has them.
const (
	roleGenerator = "generator"
	roleServer    = "server"
)

// Conn is what a proof is spoken over: a net.Conn has it.
type Conn interface {
	io.ReadWriteCloser
	SetDeadline(time.Time) error
}

// errUnproven says that a line came without a proof, or with a wrong one.
var errUnproven = errors.New("its proof does not fit the token")

// errTooLong says that a line did not end where it should.
var errTooLong = errors.New("the line is too long")

// wire writes and reads lines. Before seal every line in either direction becomes
// part of what later lines prove; after it a number does, each direction its own,
// so that one goroutine may write while another reads.
type wire struct {
	conn     Conn
	in       *bufio.Reader
	token    Token
	own      string // role
	other    string
	heard    hash.Hash // of all lines so far, until it is sealed
	sealed   []byte
	out, got uint64 // lines with a proof
}

func newWire(conn Conn, token Token, own, other string) *wire {
	w := &wire{conn: conn, in: bufio.NewReaderSize(conn, mostUnproven), token: token, own: own, other: other, heard: sha256.New()}
	fmt.Fprintf(w.heard, "lastport consent %d\n", Protocol)
	return w
}

// seal ends the handshake: what was said is what all later lines prove.
func (w *wire) seal() { w.sealed = w.heard.Sum(nil) }

// sayPlain writes a line without a proof.
func (w *wire) sayPlain(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return w.write(append(line, '\n'))
}

// say writes a line with its proof before it.
func (w *wire) say(v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	line := append([]byte(hex.EncodeToString(w.proof(w.own, w.out, body))), ' ')
	line = append(append(line, body...), '\n')
	if len(line) > mostProven {
		return errTooLong
	}
	w.out++
	return w.write(line)
}

func (w *wire) write(line []byte) error {
	w.note(line)
	_, err := w.conn.Write(line)
	return err
}

// note makes a line part of what later lines prove.
func (w *wire) note(line []byte) {
	if w.sealed == nil {
		_, _ = w.heard.Write(line) // never fails (hash.Hash)
	}
}

// readLine reads one line of at most so many bytes, with its end. What came of a
// longer one, or before an error, is returned too.
func (w *wire) readLine(most int) (line []byte, err error) {
	for {
		part, err := w.in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > most:
			return line, errTooLong
		case err == nil:
			w.note(line)
			return line, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return line, err
		}
	}
}

// hear reads a line with a proof. A line without one is returned as it is, with
// errUnproven.
func (w *wire) hear(v any, most int) (line []byte, err error) {
	before := w.state()
	line, err = w.readLine(most)
	if err != nil {
		return line, err
	}
	digits, body, _ := bytes.Cut(bytes.TrimSuffix(line, []byte{'\n'}), []byte{' '})
	given, err := hex.DecodeString(string(digits))
	if err != nil || !hmac.Equal(given, w.proofOver(before, w.other, w.got, body)) {
		return line, errUnproven
	}
	w.got++
	if err := json.Unmarshal(body, v); err != nil {
		return line, fmt.Errorf("a line that is proven and not understood: %w", err)
	}
	return line, nil
}

// state is what lines prove besides themselves.
func (w *wire) state() []byte {
	if w.sealed != nil {
		return w.sealed
	}
	return w.heard.Sum(nil)
}

func (w *wire) proof(role string, number uint64, body []byte) []byte {
	return w.proofOver(w.state(), role, number, body)
}

// proofOver is the HMAC. Its parts have fixed lengths but for the role, which
// ends at a byte 0, and the body, which is the last.
func (w *wire) proofOver(state []byte, role string, number uint64, body []byte) []byte {
	mac := hmac.New(sha256.New, []byte(w.token.secret))
	_, _ = fmt.Fprintf(mac, "lastport consent %d %s\x00", Protocol, role) // never fails (hash.Hash)
	_, _ = mac.Write(state)
	_, _ = mac.Write(binary.BigEndian.AppendUint64(nil, number))
	_, _ = mac.Write(body)
	return mac.Sum(nil)
}
