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
		"host":    `place "host": not in this version; this version has private, pair, nat`,
		"privat":  `place "privat": no such place; this version has private, pair, nat`,
		"":        `place "": no such place; this version has private, pair, nat`,
		"Private": `place "Private": no such place; this version has private, pair, nat`,
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
	if err := json.Unmarshal([]byte(`"host"`), &kind); err == nil {
		t.Errorf(`"host" is read %v`, kind)
	}
}
