package main

import (
	"debug/elf"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestInstall installs into a folder, as a packager does: a binary that needs
// nothing of the system, a page for man for the program and each verb, and
// completions where the shells look for them.
func TestInstall(t *testing.T) {
	dir, bin := t.TempDir(), t.TempDir()
	install := exec.Command("make", "--no-print-directory", "install", "PREFIX=/usr", "DESTDIR="+dir, "BIN="+bin)
	install.Dir = repository
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("make install: %v\n%s", err, out)
	}
	want := map[string]fs.FileMode{
		"usr/bin/lastport": 0o755,
		"usr/share/bash-completion/completions/lastport":    0o644,
		"usr/share/zsh/site-functions/_lastport":            0o644,
		"usr/share/fish/vendor_completions.d/lastport.fish": 0o644,
		"usr/share/man/man1/lastport.1":                     0o644,
	}
	for _, verb := range verbNames(quietRoot()) {
		want["usr/share/man/man1/lastport-"+verb+".1"] = 0o644
	}
	if diff := cmp.Diff(want, modes(t, dir)); diff != "" {
		t.Errorf("installed (-want +got):\n%s", diff)
	}
	program := filepath.Join(dir, "usr/bin/lastport")
	checkStatic(t, program)
	out, err := exec.Command(program, "version").Output()
	if err != nil || !strings.HasPrefix(string(out), "lastport "+version+", commit ") {
		t.Errorf("version said %q, %v", out, err)
	}
}

// modes are the files below a folder.
func modes(t *testing.T, dir string) map[string]fs.FileMode {
	t.Helper()
	found := map[string]fs.FileMode{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			found[path] = info.Mode()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// checkStatic makes sure that a program asks for no loader and no library.
func checkStatic(t *testing.T, program string) {
	t.Helper()
	f, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		t.Errorf("%s is not static: it asks for a loader", program)
	}
	if libraries, err := f.ImportedLibraries(); err != nil || len(libraries) > 0 {
		t.Errorf("%s asks for the libraries %q (%v)", program, libraries, err)
	}
}
