package result

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// What can be wrong with a file's content.
var (
	errEmpty    = errors.New("the file is empty")
	errCutOff   = errors.New("the file is cut off")
	errNoise    = errors.New("the file is not JSON")
	errType     = errors.New("the file is not a lastport result")
	errSchema   = errors.New("the file is not a lastport result of a known schema")
	errTooLarge = errors.New("the file is too large for a result")
)

// FileError says which result file could not be read or written, and why.
type FileError struct {
	Op   string // "read" or "write"
	Path string
	Err  error
}

// Error names the operation, the file and the reason.
func (e *FileError) Error() string {
	reason := e.Err // without the path that it names once more
	var path *fs.PathError
	var link *os.LinkError
	if errors.As(e.Err, &path) {
		reason = path.Err
	} else if errors.As(e.Err, &link) {
		reason = link.Err
	}
	return fmt.Sprintf("%s result %s: %v", e.Op, e.Path, reason)
}

// Unwrap returns the reason.
func (e *FileError) Unwrap() error { return e.Err }

// Hint says what to type.
func (e *FileError) Hint() string {
	dir := filepath.Dir(e.Path)
	is := func(err error) bool { return errors.Is(e.Err, err) }
	switch {
	case is(syscall.ENOSPC), is(syscall.EDQUOT):
		return "free space with the help of 'df -h " + dir + "', or name another folder with --out"
	case is(syscall.EROFS), e.Op == "write" && is(fs.ErrPermission):
		return "name a folder that you may write to with --out"
	case is(syscall.EFBIG):
		return "lift the limit on file size with 'ulimit -f unlimited'"
	case e.Op == "write":
		return "name another folder with --out"
	case is(fs.ErrNotExist):
		return "name a folder that a run wrote, or its " + FileName + "; 'lastport report' alone shows the newest one here"
	case is(fs.ErrPermission):
		return "look at its owner and mode with 'ls -l " + e.Path + "'"
	case is(errSchema):
		return "read it with the version of lastport that wrote it"
	case is(errEmpty), is(errCutOff):
		return "copy the file again; a folder that a run wrote always holds a whole one"
	}
	return "name the " + FileName + " of a run, or its folder"
}
