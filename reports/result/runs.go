package result

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ReadRuns reads all runs that a path holds: the run or the set of a file or of a
// folder's result.json, or, of a folder without one, those of the folders in it.
// Errors are of type *FileError.
func ReadRuns(path string) ([]*Result, error) {
	d, err := ReadAny(path)
	if err == nil {
		runs, ok := runsOf(d)
		if !ok {
			return nil, &FileError{Op: "read", Path: path, Err: fmt.Errorf("%w: it holds neither a run nor a set of runs", errSchema)}
		}
		return runs, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	found, globErr := os.ReadDir(path)
	if globErr != nil {
		return nil, err // of the file itself
	}
	var all []*Result
	for _, entry := range found {
		file := filepath.Join(path, entry.Name(), FileName)
		if _, err := os.Stat(file); err != nil {
			continue
		}
		d, err := ReadAny(file)
		if err != nil {
			return nil, err
		}
		if runs, ok := runsOf(d); ok {
			all = append(all, runs...)
		}
	}
	if len(all) == 0 {
		return nil, err
	}
	return all, nil
}

// runsOf are the runs of a document.
func runsOf(d Document) ([]*Result, bool) {
	switch d := d.(type) {
	case *Result:
		return []*Result{d}, true
	case *Set:
		return d.Runs, true
	}
	return nil, false
}
