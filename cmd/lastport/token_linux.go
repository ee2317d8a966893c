package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"lastport/server/consent"
)

// envToken is the variable that a token may be in.
const envToken = "LASTPORT_TOKEN"

// mostTokenFile bounds what is read of a token's file, in bytes.
const mostTokenFile = 4096

// givenToken is the token in the file, or else in the environment. ok says
// whether there is one; a variable that is there and empty is a mistake.
func givenToken(file string) (token consent.Token, ok bool, err error) {
	if file != "" {
		token, err = readToken(file)
		return token, err == nil, err
	}
	text, ok := os.LookupEnv(envToken)
	if !ok {
		return token, false, nil
	}
	token, err = consent.ParseToken(text)
	if err != nil {
		return token, false, fmt.Errorf("the token in %s: %w", envToken, err)
	}
	return token, true, nil
}

// runToken is the token of a run whose target is a server elsewhere.
func runToken(file string) (consent.Token, error) {
	token, ok, err := givenToken(file)
	if err == nil && !ok {
		err = usagef("--token-file FILE, which 'lastport serve' prints, or "+envToken,
			"a target that is not this run's own listener must prove its consent, and there is no token")
	}
	return token, err
}

// readToken reads a token's file. As ssh(1) does with a key it refuses one that
// others can read. It looks at the file that it has open, so that nobody can put
// another in its place.
func readToken(path string) (consent.Token, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a FIFO would wait for a writer
	if errors.Is(err, os.ErrNotExist) {
		return consent.Token{}, &noTokenFile{path, err}
	}
	if err != nil {
		return consent.Token{}, named("--token-file", err)
	}
	defer file.Close() //nolint:errcheck // nothing was written
	info, err := file.Stat()
	if err != nil {
		return consent.Token{}, named("--token-file", err)
	}
	if info.IsDir() {
		return consent.Token{}, usagef("--token-file "+path+"/token", "--token-file %s: it is a folder", path)
	}
	if !info.Mode().IsRegular() {
		return consent.Token{}, usagef("--token-file with a regular file of mode 0600", "--token-file %s: it is no regular file", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return consent.Token{}, usagef("chmod 600 "+path, "--token-file %s: others than its owner can use it (mode %04o), so it is no secret", path, mode)
	}
	text, err := io.ReadAll(io.LimitReader(file, mostTokenFile))
	if err != nil {
		return consent.Token{}, named("--token-file", err)
	}
	token, err := consent.ParseToken(string(text))
	if err != nil {
		return token, fmt.Errorf("the token in %s: %w", path, err)
	}
	return token, nil
}

// errNoFile is --token-file with the value of a variable that is not set.
func errNoFile() error {
	return usagef("--token-file FILE, or leave it out for "+envToken, `--token-file "": want a file`)
}

// noTokenFile is a token's file that is not there.
type noTokenFile struct {
	path string
	err  error
}

func (e *noTokenFile) Error() string { return "--token-file: " + e.err.Error() }
func (e *noTokenFile) Unwrap() error { return e.err }
func (e *noTokenFile) Usage() bool   { return true }
func (e *noTokenFile) Hint() string {
	return fmt.Sprintf("copy the server's token file here, and chmod 600 %s", e.path)
}

// withoutToken is this program's environment for a process that gets the token in
// another way, or not at all: what it starts could read it in /proc.
func withoutToken() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, envToken+"=") })
}

// serverToken is the token of a server: the one given, or a new one. made is the
// file that a new one is in, and temporary says that nobody asked for that file.
func serverToken(file string) (token consent.Token, made string, temporary bool, err error) {
	token, ok, err := givenToken(file)
	switch {
	case ok:
		return token, "", false, nil
	case err != nil && (file == "" || !errors.Is(err, os.ErrNotExist)):
		return token, "", false, err
	}
	token = consent.NewToken(time.Now())
	made, err = writeToken(file, token)
	return token, made, file == "", err
}

// writeToken writes a token into a new file that its user alone can read.
func writeToken(path string, token consent.Token) (string, error) {
	var file *os.File
	var err error
	if path == "" {
		file, err = os.CreateTemp("", "lastport-token-") // of mode 0600
	} else {
		file, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	}
	if err != nil {
		return "", fmt.Errorf("write the token: %w", err)
	}
	_, err = fmt.Fprintln(file, token.Secret())
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		_ = os.Remove(file.Name()) // half a token is none
		return "", fmt.Errorf("write the token: %w", err)
	}
	return file.Name(), nil
}
