package consent

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestTokenComesBack(t *testing.T) {
	made := NewToken(noon)
	got, err := ParseToken("\n " + made.Secret() + "\n")
	if err != nil || got != made || got.Made() != "20261123T120000Z" {
		t.Errorf("%v, made at %q", err, got.Made())
	}
	if again := NewToken(noon); again == made {
		t.Error("two tokens are the same")
	}
}

func TestBadTokens(t *testing.T) {
	made := NewToken(noon).Secret()
	damaged := made[:len(made)-1] + string("01"[(made[len(made)-1]&1)^1])
	if damaged[len(damaged)-1] == made[len(made)-1] {
		damaged = made[:len(made)-1] + "x"
	}
	for text, want := range map[string]string{
		"":                                    "it is empty",
		" \n":                                 "it is empty",
		made[:40]:                             "it is cut off: 40 of 87 characters",
		made[:len(made)-1]:                    "it is cut off: 86 of 87 characters",
		damaged:                               "it is damaged: its check digits do not fit",
		made + "0":                            "it is damaged",
		"secret":                              "it has 6 characters: want at least 32",
		strings.Repeat("k", LeastToken-1):     "it has 31 characters",
		strings.Repeat("k", MostToken+1):      "it has 513 characters: want at most 512",
		strings.Repeat("k ", LeastToken):      "or a space",
		strings.Repeat("ü", LeastToken):       "no printable ASCII character",
		strings.Repeat("k\n", LeastToken):     "no printable ASCII character",
		"lastport-" + strings.Repeat("k", 23): "it is cut off",
	} {
		_, err := ParseToken(text)
		var bad *TokenError
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// No way of printing a token prints it.
func TestTokenIsNotPrinted(t *testing.T) {
	token := NewToken(noon)
	holder := struct{ Token Token }{token}
	text, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	for _, said := range []string{
		fmt.Sprint(token), fmt.Sprintf("%v %+v %#v %s %q %x %d", token, token, token, token, token, token, token),
		fmt.Sprintf("%+v %#v", holder, &holder), string(text), fmt.Sprint(&RefusedError{err: fmt.Errorf("%v", token)}),
	} {
		if strings.Contains(said, token.Secret()) || strings.Contains(said, fmt.Sprintf("%x", token.Secret())) {
			t.Errorf("it is in %s", said)
		}
	}
}

func FuzzParseToken(f *testing.F) {
	f.Add(NewToken(noon).Secret())
	f.Add("")
	f.Add("lastport-")
	f.Fuzz(func(t *testing.T, text string) {
		token, err := ParseToken(text)
		if err == nil && (len(token.Secret()) < LeastToken || token.IsZero() || strings.TrimSpace(text) != token.Secret()) {
			t.Fatalf("%q is taken for %q", text, token.Secret())
		}
		if err != nil && text != "" && len(strings.TrimSpace(text)) > 8 && strings.Contains(err.Error(), strings.TrimSpace(text)) {
			t.Fatalf("the error tells the token: %v", err)
		}
	})
}
