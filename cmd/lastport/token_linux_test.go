package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"lastport/server/consent"
)

func TestTokenFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	token := consent.NewToken(time.Now())
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ path, want string }{
		{write("good", token.Secret()+"\n", 0o400), ""},
		{write("group", token.Secret(), 0o640), "others than its owner can use it (mode 0640)"},
		{write("others", token.Secret(), 0o604), "(mode 0604)"},
		{write("empty", "", 0o600), "it is empty"},
		{write("cut", token.Secret()[:50], 0o600), "it is cut off: 50 of 87 characters"},
		{write("short", "secret", 0o600), "want at least 32"},
		{dir, "it is a folder"},
		{filepath.Join(dir, "none"), "no such file"},
		{fifo, "it is no regular file"},
	} {
		got, err := readToken(test.path)
		switch {
		case test.want == "" && (err != nil || got.Secret() != token.Secret()):
			t.Errorf("%s: %v", test.path, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), token.Secret()[:50])):
			t.Errorf("%s: %v, want %q", test.path, err, test.want)
		}
	}
	path := filepath.Join(dir, "new")
	first, made, temporary, err := serverToken(path)
	if err != nil || made != path || temporary {
		t.Fatalf("a new token: in %q, %v", made, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("its file: %v, %v", info.Mode(), err)
	}
	if again, made, _, err := serverToken(path); err != nil || made != "" || again != first {
		t.Errorf("the same file again: made %q, %v", made, err)
	}
}

// What a run starts does not find the token in its environment.
func TestWithoutToken(t *testing.T) {
	t.Setenv(envToken, "secret")
	t.Setenv("LASTPORT_TOKENS", "kept")
	all := strings.Join(withoutToken(), "\n")
	if strings.Contains(all, "secret") || !strings.Contains(all, "LASTPORT_TOKENS=kept") {
		t.Errorf("%s", all)
	}
}
