package place

import (
	"encoding/json"
	"testing"
)

func TestParse(t *testing.T) {
	for _, word := range Kinds() {
		kind, err := Parse(word)
		if err != nil || kind.String() != word {
			t.Errorf("Parse(%q) = %v, %v", word, kind, err)
		}
	}
	for word, want := range map[string]string{
		"privat":  `place "privat": no such place; want one of private, pair, nat, host`,
		"":        `place "": no such place; want one of private, pair, nat, host`,
		"Private": `place "Private": no such place; want one of private, pair, nat, host`,
	} {
		_, err := Parse(word)
		f := faultOf(err)
		if f.Err != want || !f.Usage || f.Hint != "--place private" {
			t.Errorf("Parse(%q): %+v, want wrong usage %q", word, f, want)
		}
	}
}

func TestKindAsText(t *testing.T) {
	text, err := json.Marshal(Private)
	if err != nil || string(text) != `"private"` {
		t.Errorf("Private is written %s, %v", text, err)
	}
	kind := Kind(7)
	if err := json.Unmarshal(text, &kind); err != nil || kind != Private {
		t.Errorf("%s is read %v, %v", text, kind, err)
	}
	if err := json.Unmarshal([]byte(`"elsewhere"`), &kind); err == nil {
		t.Errorf(`"elsewhere" is read %v`, kind)
	}
}
