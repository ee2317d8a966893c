package result

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
)

// portCount is the number of 16-bit ports, 0 included.
const portCount = 1 << 16

// maxMapText bounds the text that decodeBytes reads: deflate never makes 65,536
// bytes longer than 65,556, and base64 adds a third.
const maxMapText = 96 << 10

// encodeBytes writes one byte a port, from port 0 on, as raw deflate (RFC 1951)
// in base64 (RFC 4648).
func encodeBytes(of *[portCount]uint8) string {
	var text strings.Builder
	b64 := base64.NewEncoder(base64.StdEncoding, &text)
	// A run writes its map every second. For bytes that differ from port to port the
	// default level takes up to ten times as long, and saves a quarter at the most.
	z, err := flate.NewWriter(b64, flate.BestSpeed)
	if err == nil {
		_, err = z.Write(of[:])
	}
	if err = errors.Join(err, z.Close(), b64.Close()); err != nil {
		return "" // the level is known and memory does not refuse a write: cannot be
	}
	return text.String()
}

// decodeBytes reads what encodeBytes wrote: base64 of a deflate stream of exactly
// 65,536 bytes.
func decodeBytes(text string, into *[portCount]uint8) error {
	if len(text) > maxMapText {
		return fmt.Errorf("decode port map: %d bytes of text, at most %d", len(text), maxMapText)
	}
	deflated, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return fmt.Errorf("decode port map: %w", err)
	}
	z := flate.NewReader(bytes.NewReader(deflated))
	if n, err := io.ReadFull(z, into[:]); err != nil {
		return fmt.Errorf("decode port map: byte %d of %d: %w", n, portCount, err)
	}
	if _, err := io.ReadFull(z, make([]byte, 1)); !errors.Is(err, io.EOF) {
		return fmt.Errorf("decode port map: more than %d bytes", portCount)
	}
	return nil
}
