package result

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestReadRuns(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, d Document) {
		t.Helper()
		path := filepath.Join(dir, name, FileName)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), Write(path, d)); err != nil {
			t.Fatal(err)
		}
	}
	run := func(id string) *Result { return &Result{Schema: Schema, Run: Run{ID: id}} }
	set := &Set{Schema: SetSchema, Runs: []*Result{run("b"), run("c")}}
	write("many/1", run("a"))
	write("many/2", set)
	write("many/3", &Checkup{Schema: CheckupSchema}) // no run
	write("set", set)
	write("checkup", &Checkup{Schema: CheckupSchema})
	write("cut/1", run("a"))
	if err := errors.Join(os.MkdirAll(filepath.Join(dir, "empty"), 0o700), os.WriteFile(filepath.Join(dir, "many", "note.txt"), nil, 0o600),
		os.MkdirAll(filepath.Join(dir, "cut", "2"), 0o700), os.WriteFile(filepath.Join(dir, "cut", "2", FileName), []byte(`{"schema":"last`), 0o600)); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"many": "abc", "many/1": "a", "many/2": "bc", "set": "bc", "set/result.json": "bc",
		"checkup": "", "empty": "", "missing": "", "cut": "", "many/note.txt": "",
	} {
		runs, err := ReadRuns(filepath.Join(dir, path))
		got := ""
		for _, r := range runs {
			got += r.Run.ID
		}
		var file *FileError
		if got != want || (err == nil) != (want != "") || err != nil && (!errors.As(err, &file) || file.Hint() == "") {
			t.Errorf("%s: runs %q (%v), want %q", path, got, err, want)
		}
	}
}
