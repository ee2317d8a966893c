package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"lastport/loadgen"
	"lastport/reports/result"
)

// The files of a run besides result.json.
const (
	timelineFile = "timeline.ndjson" // the timeline, one row an interval, none merged
	logFile      = "latency.hlog"    // HdrHistogram interval log
)

// folder is where a run's files go. What is in it is whole at any moment: the
// result is replaced atomically, the others only grow.
type folder struct {
	path    string
	created bool
	rows    *os.File
	log     *os.File
	err     error                // the first that keeping met; the run goes on
	kept    int                  // results kept
	also    func(*result.Result) // is given each result too, if it is set
}

// folderName is the default: it sorts by time.
func folderName(now time.Time, verb string) string {
	return fmt.Sprintf("lastport-%s-%s", now.Format("20060102-150405"), verb)
}

// makeFolder makes the folder, or takes an existing one that holds no result.
// With path empty the default name is chosen so that it is new.
func makeFolder(path, verb string) (*folder, error) {
	f := &folder{}
	var err error
	if f.path, f.created, err = newFolder(path, verb); err != nil {
		return nil, err
	}
	if f.rows, err = os.Create(filepath.Join(f.path, timelineFile)); err == nil {
		f.log, err = os.Create(filepath.Join(f.path, logFile))
	}
	if err != nil {
		f.abandon()
		return nil, outError(f.path, err)
	}
	return f, nil
}

// newFolder makes the folder itself, and says whether it was not there before.
func newFolder(path, verb string) (made string, created bool, err error) {
	if path == "" {
		path = unusedName(folderName(time.Now(), verb))
	}
	if _, err := os.Lstat(filepath.Join(path, result.FileName)); err == nil {
		return "", false, usagef("--out with a folder that is new", "--out %s: it holds a result already", path)
	}
	_, err = os.Stat(path)
	created = errors.Is(err, fs.ErrNotExist)
	if err := os.MkdirAll(path, 0o777); err != nil {
		return "", false, outError(path, err)
	}
	return path, created, nil
}

func unusedName(base string) string {
	name := base
	for n := 2; ; n++ {
		if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
			return name
		}
		name = fmt.Sprintf("%s-%d", base, n)
	}
}

// folderError says that --out cannot be used.
type folderError struct {
	path string
	err  error
}

func outError(path string, err error) error { return &folderError{path, err} }

func (e *folderError) Error() string {
	return fmt.Sprintf("--out %s: cannot be written: %v", e.path, cause(e.err))
}
func (e *folderError) Unwrap() error { return e.err }
func (e *folderError) Hint() string {
	return "--out a folder that you may write to, with room on its disk"
}

// keep writes what a frame brings.
func (f *folder) keep(frame loadgen.Frame) {
	var rows bytes.Buffer
	enc := json.NewEncoder(&rows)
	for i := range frame.Rows {
		f.note(enc.Encode(&frame.Rows[i]))
	}
	_, err := f.rows.Write(rows.Bytes())
	f.note(err)
	_, err = f.log.WriteString(frame.Log)
	f.note(err)
	if frame.Result == nil {
		return
	}
	f.note(f.save(frame.Result, frame.Final))
	f.kept++
	if f.also != nil {
		f.also(frame.Result)
	}
}

// save replaces the result. The last one is made to survive a power cut.
func (f *folder) save(d result.Document, last bool) error {
	path := filepath.Join(f.path, result.FileName)
	if last {
		return result.WriteSync(path, d)
	}
	return result.Write(path, d)
}

func (f *folder) note(err error) {
	if err != nil && f.err == nil {
		f.err = outError(f.path, err)
	}
}

// close ends the writing and returns what went wrong with it.
func (f *folder) close() error {
	f.note(f.rows.Close())
	f.note(f.log.Close())
	return f.err
}

// abandon removes what makeFolder made, for a run that never began.
func (f *folder) abandon() {
	for _, file := range []*os.File{f.rows, f.log} {
		if file != nil {
			_ = file.Close()           // empty
			_ = os.Remove(file.Name()) // ours
		}
	}
	if f.created {
		_ = os.Remove(f.path) // fails, rightly, if there is more in it
	}
}
