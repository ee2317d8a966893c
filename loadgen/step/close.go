package step

import "fmt"

// CloseMode says who closes a connection first, and how. The zero value is
// ClientFIN, what an ordinary client does.
type CloseMode uint8

// The close modes.
const (
	ClientFIN CloseMode = iota // the generator closes first: TIME_WAIT gathers there
	ClientRST                  // the generator resets: no TIME_WAIT anywhere
	ServerFIN                  // the listener closes first: TIME_WAIT gathers there
	ServerRST                  // the listener resets: no TIME_WAIT anywhere
)

var closeNames = [...]string{"client-fin", "client-rst", "server-fin", "server-rst"}

// CloseModes lists the words that ParseCloseMode takes.
func CloseModes() []string { return append([]string(nil), closeNames[:]...) }

// ParseCloseMode reads a word of the command line.
func ParseCloseMode(s string) (CloseMode, error) {
	for i, name := range closeNames {
		if s == name {
			return CloseMode(i), nil
		}
	}
	return 0, fmt.Errorf("close mode %q: not one of %v", s, closeNames)
}

// String returns the word of the command line.
func (m CloseMode) String() string {
	if int(m) < len(closeNames) {
		return closeNames[m]
	}
	return "invalid"
}

// ServerFirst says whether the listener closes first.
func (m CloseMode) ServerFirst() bool { return m == ServerFIN || m == ServerRST }

// RST says whether the connection is reset instead of finished.
func (m CloseMode) RST() bool { return m == ClientRST || m == ServerRST }

// MarshalText writes the word of the command line.
func (m CloseMode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads the word of the command line.
func (m *CloseMode) UnmarshalText(text []byte) error {
	v, err := ParseCloseMode(string(text))
	if err == nil {
		*m = v
	}
	return err
}
