package consent

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"
)

// Lengths of tokens, in characters. One that people bring is at least as long as
// 16 random bytes in hexadecimal digits: whoever hears a proof may try tokens at
// leisure.
const (
	LeastToken = 32
	MostToken  = 512
)

// A token that lastport has made names itself, when it was made, and ends in
// check digits, so that one that was cut off is known: lastport-TIME-SECRET-CHECK.
const (
	madePrefix = "lastport-"
	madeTime   = "20060102T150405Z"
	secretLen  = 52 // 32 bytes in base32, without padding
	checkLen   = 8
	madeLen    = len(madePrefix) + len(madeTime) + 1 + secretLen + 1 + checkLen
)

// Token is the secret that generator and server share. Whatever prints it prints
// "(token)", and JSON has {}.
type Token struct {
	secret string
	made   string // its TIME, if lastport has made it
}

// NewToken makes a token of 32 random bytes. now is noted in it for people alone:
// nothing is decided by it but which of two tokens is called the older.
func NewToken(now time.Time) Token {
	var secret [32]byte
	_, _ = rand.Read(secret[:]) // never fails (crypto/rand)
	text := strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret[:]))
	made := now.UTC().Format(madeTime)
	body := madePrefix + made + "-" + text
	return Token{secret: body + "-" + checkOf(body), made: made}
}

func checkOf(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:checkLen/2])
}

// ParseToken reads a token: one that lastport has made, or any other of 32 to 512
// printable characters without a space. Spaces and line ends around it are left
// out. The error, a *TokenError, holds nothing of the token.
func ParseToken(text string) (Token, error) {
	text = strings.TrimSpace(text)
	made, isOurs := strings.CutPrefix(text, madePrefix)
	switch {
	case text == "":
		return Token{}, &TokenError{"it is empty"}
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }):
		return Token{}, &TokenError{"it has a character that is no printable ASCII character, or a space"}
	case len(text) > MostToken:
		return Token{}, &TokenError{fmt.Sprintf("it has %d characters: want at most %d", len(text), MostToken)}
	case isOurs && len(text) < madeLen:
		return Token{}, &TokenError{fmt.Sprintf("it is cut off: %d of %d characters", len(text), madeLen)}
	case isOurs && !whole(text):
		return Token{}, &TokenError{"it is damaged: its check digits do not fit"}
	case isOurs:
		return Token{text, made[:len(madeTime)]}, nil
	case len(text) < LeastToken:
		return Token{}, &TokenError{fmt.Sprintf("it has %d characters: want at least %d, or it could be guessed", len(text), LeastToken)}
	}
	return Token{secret: text}, nil
}

// whole checks the digits of a token that lastport has made.
func whole(text string) bool {
	body, check, ok := cutLast(text, "-")
	return ok && len(text) == madeLen && subtle.ConstantTimeCompare([]byte(check), []byte(checkOf(body))) == 1
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// Secret is the token's text, for the file or the pipe that it goes to, and for
// nothing else.
func (t Token) Secret() string { return t.secret }

// Made is when the token was made, as in 20261123T123643Z; empty for one that
// lastport has not made.
func (t Token) Made() string { return t.made }

// IsZero says whether there is no token.
func (t Token) IsZero() bool { return t.secret == "" }

// Format keeps the token out of whatever is printed.
func (t Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "(token)") }

// TokenError says what is wrong with a token, without the token.
type TokenError struct{ what string }

// Error completes "the token in FILE: ".
func (e *TokenError) Error() string { return e.what }

// Hint says how one gets a token.
func (e *TokenError) Hint() string {
	return "'lastport serve' makes a token and prints the file that it is in: copy that file, whole"
}

// Usage says that what was given is wrong.
func (e *TokenError) Usage() bool { return true }
