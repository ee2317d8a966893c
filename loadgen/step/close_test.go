package step

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestCloseModes(t *testing.T) {
	for _, c := range []struct {
		mode             CloseMode
		word             string
		serverFirst, rst bool
	}{
		{ClientFIN, "client-fin", false, false},
		{ClientRST, "client-rst", false, true},
		{ServerFIN, "server-fin", true, false},
		{ServerRST, "server-rst", true, true},
	} {
		if c.mode.String() != c.word || c.mode.ServerFirst() != c.serverFirst || c.mode.RST() != c.rst {
			t.Errorf("%s: %v, server first %v, rst %v", c.word, c.mode, c.mode.ServerFirst(), c.mode.RST())
		}
		if got, err := ParseCloseMode(c.word); got != c.mode || err != nil {
			t.Errorf("ParseCloseMode(%q) = %v, %v", c.word, got, err)
		}
	}
	var zero CloseMode
	if zero != ClientFIN {
		t.Errorf("the zero value is %v, want what an ordinary client does", zero)
	}
	if got := CloseMode(4).String(); got != "invalid" {
		t.Errorf("a mode beyond the last is called %s", got)
	}
}

func TestParseCloseModeRefuses(t *testing.T) {
	for _, word := range []string{"", "never", "client", "CLIENT-FIN", "client-fin ", "invalid"} {
		mode, err := ParseCloseMode(word)
		if err == nil {
			t.Errorf("ParseCloseMode(%q) = %v", word, mode)
			continue
		}
		for _, known := range CloseModes() {
			if !strings.Contains(err.Error(), known) {
				t.Errorf("ParseCloseMode(%q): %v; does not name %s", word, err, known)
			}
		}
	}
}

func TestCloseModeInJSON(t *testing.T) {
	for _, word := range CloseModes() {
		want, _ := ParseCloseMode(word)
		text, err := json.Marshal(want)
		if err != nil || string(text) != `"`+word+`"` {
			t.Errorf("%s is written as %s, %v", word, text, err)
		}
		var got CloseMode
		if err := json.Unmarshal(text, &got); err != nil || got != want {
			t.Errorf("%s is read as %v, %v", text, got, err)
		}
	}
	mode := ServerRST
	if err := json.Unmarshal([]byte(`"never"`), &mode); err == nil || mode != ServerRST {
		t.Errorf("after %v the mode is %v, want it unchanged", err, mode)
	}
}

func TestCloseModesIsTheCallersOwn(t *testing.T) {
	CloseModes()[0] = "changed"
	if got := CloseModes()[0]; got != "client-fin" {
		t.Errorf("a caller renamed client-fin to %s", got)
	}
}
