package result

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// sample is a small run.
func sample() *Result {
	h := NewHistogram()
	h.Record(12_600)
	open := int64(1)
	return &Result{
		Schema:    Schema,
		Run:       Run{ID: "a", Scenario: "fill", Started: time.Date(2026, 11, 23, 3, 20, 13, 0, time.UTC)},
		Measured:  Measured{Connections: &open},
		Attempts:  1,
		Outcomes:  Outcomes{OK: 1},
		Latency:   Latency{Connect: h.Summary()},
		Occupancy: []Band{h.Band(0, 0.1)},
		Expect:    []Expected{{Expr: "connections>=1", Value: "1", Held: true}},
	}
}

func TestWriteAndReadBack(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, FileName)
	for _, write := range []func(string, Document) error{Write, WriteSync} {
		for range 2 { // the second replaces the first
			if err := write(path, sample()); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{path, dir} {
			got, err := Read(name)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(sample(), got); diff != "" {
				t.Errorf("read back from %s: %s", name, diff)
			}
		}
	}
	onlyFile(t, dir, FileName)
}

// onlyFile checks that a folder holds one file and nothing that was left over.
func onlyFile(t *testing.T, dir, name string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 || entries[0].Name() != name {
		t.Errorf("the folder holds %v, want %s alone", entries, name)
	}
}

func TestWriteSet(t *testing.T) {
	path := filepath.Join(t.TempDir(), FileName)
	set := &Set{Schema: SetSchema, Axis: "strategy", Runs: []*Result{sample(), sample()}}
	if err := Write(path, set); err != nil {
		t.Fatal(err)
	}
	got, err := ReadAny(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Document(set), got); diff != "" {
		t.Error(diff)
	}
	if _, err := Read(path); !errors.Is(err, errSchema) {
		t.Errorf("read a set as a run: %v, want %v", err, errSchema)
	}
}

func TestEncodeIsTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.json")
	if err := Write(path, sample()); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := Encode(&out, sample()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(file), out.String()); diff != "" {
		t.Error(diff)
	}
	for _, want := range []string{"{\n  \"schema\": \"lastport/result/v1\"", `"connections>=1"`, "\n}\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

func TestWriteRefusesNaNAndKeepsTheOldFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, FileName)
	if err := Write(path, sample()); err != nil {
		t.Fatal(err)
	}
	nan := math.NaN()
	if err := Write(path, &Result{Measured: Measured{RatePerS: &nan}}); err == nil {
		t.Error("no error for NaN")
	}
	if _, err := Read(path); err != nil {
		t.Errorf("the old file: %v", err)
	}
	onlyFile(t, dir, FileName)
}

func TestAFailedWriteKeepsTheOldFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, FileName)
	if err := Write(path, sample()); err != nil {
		t.Fatal(err)
	}
	err := replace(path, true, func(w io.Writer) error {
		_, _ = w.Write([]byte("{")) // a part gets through
		return syscall.ENOSPC
	})
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("error %v, want %v", err, syscall.ENOSPC)
	}
	if _, err := Read(path); err != nil {
		t.Errorf("the old file: %v", err)
	}
	onlyFile(t, dir, FileName)
}

func TestAKilledWriterLeavesNothingForGood(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, FileName)
	left := filepath.Join(dir, "."+FileName+".tmp")
	elsewhere := filepath.Join(t.TempDir(), "precious")
	if err := os.WriteFile(elsewhere, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, left); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, sample()); err != nil {
		t.Fatal(err)
	}
	onlyFile(t, dir, FileName)
	if text, err := os.ReadFile(elsewhere); err != nil || string(text) != "precious" {
		t.Errorf("a link was followed: %q, %v", text, err)
	}
}

func TestWriteErrorsNameTheFileAndAWayOut(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "taken"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"no folder":     filepath.Join(dir, "none", FileName),
		"file, not dir": filepath.Join(file, FileName),
		"a folder":      filepath.Join(dir, "taken"),
	} {
		checkFileError(t, name, Write(path, sample()), path)
	}
}

// checkFileError checks that an error names the file and has a hint.
func checkFileError(t *testing.T, name string, err error, path string) {
	t.Helper()
	var file *FileError
	switch {
	case !errors.As(err, &file):
		t.Errorf("%s: error %v, want a FileError", name, err)
	case file.Path != path || strings.Count(err.Error(), path) != 1 || strings.Contains(err.Error(), "\n"):
		t.Errorf("%s: error %q, want one line that names %s once", name, err, path)
	case file.Hint() == "":
		t.Errorf("%s: no hint", name)
	}
}

func TestHints(t *testing.T) {
	tests := []struct {
		op   string
		err  error
		want string
	}{
		{"write", syscall.ENOSPC, "df -h"},
		{"write", fmt.Errorf("wrapped: %w", syscall.EDQUOT), "df -h"},
		{"write", &fs.PathError{Op: "open", Err: syscall.EACCES}, "may write"},
		{"write", syscall.EROFS, "may write"},
		{"write", syscall.EFBIG, "ulimit -f"},
		{"write", syscall.EIO, "--out"},
		{"read", fs.ErrNotExist, "lastport report"},
		{"read", fs.ErrPermission, "ls -l"},
		{"read", errSchema, "version"},
		{"read", errCutOff, "copy"},
		{"read", errNoise, FileName},
	}
	for _, test := range tests {
		e := &FileError{Op: test.op, Path: "dir/file", Err: test.err}
		if !strings.Contains(e.Hint(), test.want) {
			t.Errorf("%s: %v: hint %q, want %q in it", test.op, test.err, e.Hint(), test.want)
		}
	}
}

func TestReadErrors(t *testing.T) {
	whole := new(bytes.Buffer)
	if err := Encode(whole, sample()); err != nil {
		t.Fatal(err)
	}
	cut := whole.String()[:whole.Len()/2]
	deep := `{"schema":"` + Schema + `","x":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + "}"
	run := func(field string) string { return `{"schema":"` + Schema + `",` + field + `}` }
	tests := []struct {
		name, text string
		want       error
	}{
		{"nothing", "", errEmpty},
		{"blanks", " \n", errEmpty},
		{"cut off", cut, errCutOff},
		{"noise", "\x00\x01\x02", errNoise},
		{"text", "hello", errNoise},
		{"two documents", whole.String() + whole.String(), errNoise},
		{"deep nesting", deep, errNoise},
		{"no object", "[]", errType},
		{"no schema", "{}", errSchema},
		{"another schema", `{"schema":"lastport/result/v2"}`, errSchema},
		{"schema of another type", `{"schema":7}`, errType},
		{"field of another type", run(`"attempts":"many"`), errType},
		{"number too large", run(`"attempts":1e400`), errType},
		{"no number", run(`"attempts":NaN`), errNoise},
		{"too many values", run(`"timeline":[` + strings.Repeat("0,", maxCommas) + `0]`), errTooLarge},
		{"set with no run", `{"schema":"` + SetSchema + `","runs":[null]}`, errSchema},
		{"set with a foreign run", `{"schema":"` + SetSchema + `","runs":[{"schema":"x"}]}`, errSchema},
	}
	for _, test := range tests {
		path := filepath.Join(t.TempDir(), FileName)
		if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := ReadAny(path)
		if !errors.Is(err, test.want) {
			t.Errorf("%s: error %v, want %v", test.name, err, test.want)
		}
		checkFileError(t, test.name, err, path)
	}
}

func TestReadNamesWhatIsNotThere(t *testing.T) {
	dir := t.TempDir()
	_, err := Read(dir)
	checkFileError(t, "folder without a result", err, filepath.Join(dir, FileName))
	_, err = Read(filepath.Join(dir, "none"))
	checkFileError(t, "no folder", err, filepath.Join(dir, "none"))
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want %v", err, fs.ErrNotExist)
	}
}

func TestReadIgnoresFieldsOfTheFuture(t *testing.T) {
	d, err := Decode(strings.NewReader(`{"schema":"` + Schema + `","attempts":7,"nat":{"lost":[1,2]}}`))
	if err != nil {
		t.Fatal(err)
	}
	if r := d.(*Result); r.Attempts != 7 {
		t.Errorf("%d attempts, want 7", r.Attempts)
	}
}

// endless is a file without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestDecodeBoundsWhatItReads(t *testing.T) {
	if _, err := readBounded(endless{}, 1000); !errors.Is(err, errTooLarge) {
		t.Errorf("error %v, want %v", err, errTooLarge)
	}
	if text, err := readBounded(strings.NewReader("{}"), 2); err != nil || string(text) != "{}" {
		t.Errorf("read %q, %v at the bound", text, err)
	}
}

func TestNewest(t *testing.T) {
	parent := t.TempDir()
	if _, err := Newest(parent); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want %v", err, fs.ErrNotExist)
	}
	if _, err := Newest(filepath.Join(parent, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want %v", err, fs.ErrNotExist)
	}
	now := time.Now()
	for name, age := range map[string]time.Duration{
		"lastport-1-fill": 2 * time.Hour,
		"lastport-2-fill": time.Hour,
		"lastport-3-fill": 3 * time.Hour,
		"other":           0,
	} {
		path := filepath.Join(parent, name, FileName)
		if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := Write(path, sample()); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, now, now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(parent, "lastport-4-fill"), 0o700); err != nil { // a run without a result yet
		t.Fatal(err)
	}
	got, err := Newest(parent)
	if want := filepath.Join(parent, "lastport-2-fill"); err != nil || got != want {
		t.Errorf("newest %s, %v, want %s", got, err, want)
	}
}

func FuzzDecode(f *testing.F) {
	var text bytes.Buffer
	if err := Encode(&text, sample()); err != nil {
		f.Fatal(err)
	}
	f.Add(text.Bytes())
	f.Add([]byte(`{"schema":"` + SetSchema + `","axis":"strategy","runs":[{"schema":"` + Schema + `"}]}`))
	f.Add([]byte(`{"schema":"` + Schema + `","attempts":1e99}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := Decode(bytes.NewReader(text))
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := Encode(&again, d); err != nil {
			t.Fatalf("encode what was decoded: %v", err)
		}
		if _, err := Decode(&again); err != nil {
			t.Fatalf("decode it again: %v", err)
		}
	})
}
