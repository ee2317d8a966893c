package result

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Write replaces the file at path by a document: other programs see the old
// file or the new one, never a part, and after an error the old one. The folder
// must exist. Errors are of type *FileError.
//
// After a power cut the file may be the old one or empty; WriteSync is safe
// from that as well.
func Write(path string, d Document) error { return write(path, d, false) }

// WriteSync is Write, and returns once the file is on the disk.
func WriteSync(path string, d Document) error { return write(path, d, true) }

func write(path string, d Document, sync bool) error {
	text, err := encode(d)
	if err == nil {
		err = replace(path, sync, func(w io.Writer) error {
			_, err := w.Write(text)
			return err
		})
	}
	if err != nil {
		return &FileError{Op: "write", Path: path, Err: err}
	}
	return nil
}

// replace fills a file beside path and renames it to path. The name of that
// file is always the same, so that what a killed run left is used again and
// does not pile up; it is made anew each time, so that no link is followed.
func replace(path string, sync bool, fill func(io.Writer) error) (err error) {
	temp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".tmp")
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temp) // gone already if the rename passed; the first error says more
		}
	}()
	err = fill(f)
	if err == nil && sync {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr // a full disk may show here first
	}
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err == nil && sync {
		err = syncDir(filepath.Dir(path))
	}
	return err
}

// syncDir makes a rename in dir survive a power cut. Windows has no such call.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Newest returns the folder in parent, among those named lastport-*, whose
// result was written last. Errors are of type *FileError.
func Newest(parent string) (string, error) {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return "", &FileError{Op: "read", Path: parent, Err: err}
	}
	var newest string
	var written time.Time
	for _, e := range entries { // sorted, so of two with the same time the later name wins
		dir := filepath.Join(parent, e.Name())
		if !strings.HasPrefix(e.Name(), "lastport-") {
			continue
		}
		info, err := os.Stat(filepath.Join(dir, FileName))
		if err == nil && info.Mode().IsRegular() && !info.ModTime().Before(written) {
			newest, written = dir, info.ModTime()
		}
	}
	if newest == "" {
		return "", &FileError{Op: "read", Path: filepath.Join(parent, "lastport-*", FileName), Err: fs.ErrNotExist}
	}
	return newest, nil
}
