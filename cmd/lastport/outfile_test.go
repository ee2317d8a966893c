package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// says is a report of one word.
func says(word string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, word)
		return err
	}
}

func TestWriteOutReplacesTheWholeFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "page.html")
	holds := func(want string) {
		t.Helper()
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
			t.Errorf("%v, %v, want the file alone", entries, err)
		}
	}
	if err := writeOut(path, says("a longer word")); err != nil {
		t.Fatal(err)
	}
	holds("a longer word")
	if err := writeOut(path, says("short")); err != nil {
		t.Fatal(err)
	}
	holds("short")

	broken := errors.New("broken")
	err := writeOut(path, func(w io.Writer) error {
		_, _ = io.WriteString(w, "half a re")
		old, _ := os.ReadFile(path)
		if string(old) != "short" {
			t.Errorf("half way it holds %q", old)
		}
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("%v, want %v", err, broken)
	}
	holds("short")
}

// A folder that takes no other file may have one that can be written.
func TestWriteOutWhereNoFileCanBeMade(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "page.html")
	if err := os.WriteFile(path, []byte("a longer word"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.Chmod(dir, 0o700) }() // so that it can be removed
	if err := writeOut(path, says("short")); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "short" {
		t.Errorf("%q, %v", got, err)
	}
}
