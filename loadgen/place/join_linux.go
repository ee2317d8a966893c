package place

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"golang.org/x/sys/unix"
)

// framesFD is the descriptor on which the child writes its frames.
const framesFD = 3

// Parent is the child's view of the process that started it.
type Parent struct {
	Request []byte   // what Options.Request was
	Frames  *os.File // to the parent's Child.Frames
	words   *bufio.Reader
}

// Join takes up the child's end: it reads the request from standard input, and
// leaves it to the parent what the signals that ask a program to end mean. It
// is an error in a process that Start did not start.
func Join() (*Parent, error) {
	var stat unix.Stat_t
	if err := unix.Fstat(framesFD, &stat); err != nil || stat.Mode&unix.S_IFMT != unix.S_IFIFO {
		return nil, errors.New("the run's place: this process was not started by lastport")
	}
	if err := toOwnTable(); err != nil {
		return nil, fmt.Errorf("the run's place: %w", err)
	}
	// Signals to the whole process group do not come here (see start); these are
	// for those sent by name, as by pkill. The parent gets them too and drains.
	// SIGTTOU: a group in the background may still write to its terminal.
	signal.Ignore(unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGTTOU)
	unix.CloseOnExec(framesFD)

	words := bufio.NewReader(os.Stdin)
	request, err := readRequest(words)
	if err != nil {
		return nil, fmt.Errorf("the run's place: read the request: %w", err)
	}
	return &Parent{Request: request, Frames: os.NewFile(framesFD, "frames"), words: words}, nil
}

// readRequest reads a request as start writes it: its length, 8 bytes in
// little-endian order, then as many bytes.
func readRequest(r io.Reader) ([]byte, error) {
	var header [8]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return nil, err
	}
	size := binary.LittleEndian.Uint64(header[:])
	if size > maxRequest {
		return nil, fmt.Errorf("%d bytes: more than %d", size, maxRequest)
	}
	request := make([]byte, size)
	_, err := io.ReadFull(r, request)
	return request, err
}

// Word waits for the parent's next word. io.EOF says that the parent has
// nothing more to say, or has ended.
func (p *Parent) Word() (string, error) {
	line, err := p.words.ReadString('\n')
	if err != nil {
		return "", err // half a word is the end of the parent, not a word
	}
	return strings.TrimSuffix(line, "\n"), nil
}
