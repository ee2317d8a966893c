package server

import (
	"bytes"
	"testing"
)

func TestUnderstand(t *testing.T) {
	for _, test := range []struct {
		data     string
		mayAsk   bool
		requests int
		asked    bool
	}{
		{"", true, 0, false},
		{"\x01", false, 1, false},
		{"\x01\x01\x01", false, 3, false},
		{"GET / HTTP/1.1\r\n", true, 0, false},
		{"a\x01b\x01", true, 2, false},
		{"\x00", true, 0, true},
		{"\x00", false, 0, false},
		{"\x01\x00\x01", true, 1, true}, // after the wish nothing counts
		{"\x01\x00\x01", false, 2, false},
	} {
		requests, asked := understand([]byte(test.data), test.mayAsk)
		if requests != test.requests || asked != test.asked {
			t.Errorf("%q, may ask %t: %d requests, asked %t, want %d, %t",
				test.data, test.mayAsk, requests, asked, test.requests, test.asked)
		}
	}
}

// FuzzUnderstand compares with reading byte by byte.
func FuzzUnderstand(f *testing.F) {
	f.Add([]byte("\x01\x00\x01"), true)
	f.Add([]byte("\x02\x01\xff"), false)
	f.Fuzz(func(t *testing.T, data []byte, mayAsk bool) {
		want, wantAsked := 0, false
		for _, b := range data {
			if wantAsked = mayAsk && b == byteClose; wantAsked {
				break
			}
			if b == byteRequest {
				want++
			}
		}
		requests, asked := understand(data, mayAsk)
		if requests != want || asked != wantAsked {
			t.Fatalf("%q, may ask %t: %d requests, asked %t, want %d, %t", data, mayAsk, requests, asked, want, wantAsked)
		}
		if got := answers(data, requests); !bytes.Equal(got, bytes.Repeat([]byte{byteRequest}, want)) {
			t.Fatalf("%q is answered by %q", data, got)
		}
	})
}
