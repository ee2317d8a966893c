package place

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
)

func frame(request []byte) []byte {
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(request))), request...)
}

func TestReadRequest(t *testing.T) {
	for _, in := range [][]byte{nil, {1, 2, 3}, frame(nil)[:7], frame([]byte("cut off"))[:10], binary.LittleEndian.AppendUint64(nil, maxRequest+1)} {
		if got, err := readRequest(bytes.NewReader(in)); err == nil {
			t.Errorf("readRequest(%v) = %q without an error", in, got)
		}
	}
}

func FuzzReadRequest(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, request []byte) {
		stream := bytes.NewReader(append(frame(request), "drain\n"...))
		got, err := readRequest(stream)
		if err != nil || !bytes.Equal(got, request) {
			t.Fatalf("%q came as %q, %v", request, got, err)
		}
		if rest, _ := io.ReadAll(stream); string(rest) != "drain\n" {
			t.Fatalf("left for words: %q", rest)
		}
	})
}

func TestWord(t *testing.T) {
	p := &Parent{words: bufio.NewReader(strings.NewReader("drain\n\nhal"))}
	for _, want := range []string{"drain", ""} {
		if got, err := p.Word(); got != want || err != nil {
			t.Errorf("Word() = %q, %v, want %q", got, err, want)
		}
	}
	if got, err := p.Word(); !errors.Is(err, io.EOF) {
		t.Errorf("half a word came as %q, %v", got, err)
	}
}
