package doctor

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"lastport/loadgen/kernel"
)

// Boot is what the files say that are applied when the host starts.
type Boot []BootLine

// BootLine is one setting in one of them.
type BootLine struct {
	Key, Value string
	File       string // as an absolute path
	Line       int    // from 1
	Text       string // the whole line
}

// String names the line: FILE:LINE.
func (l BootLine) String() string { return fmt.Sprintf("%s:%d", l.File, l.Line) }

// bootFolders hold such files; of two with the same name the one in the folder
// that comes first here hides the other (sysctl.d(5)).
var bootFolders = [...]string{"etc/sysctl.d", "run/sysctl.d", "usr/local/lib/sysctl.d", "usr/lib/sysctl.d", "lib/sysctl.d"}

// lastFile is read after all others by procps, and by systemd only where a
// folder has a link to it.
const lastFile = "etc/sysctl.conf"

// readBoot reads the files below root, which is os.DirFS("/") outside of tests,
// in the order in which they are applied. Files and folders that are not there,
// or may not be read, are passed over: the second result names those.
func readBoot(root fs.FS) (b Boot, unreadable []string) {
	chosen := make(map[string]string) // file by its base name
	for _, folder := range bootFolders {
		entries, err := fs.ReadDir(root, folder)
		if err != nil && !absent(err) {
			unreadable = append(unreadable, "/"+folder)
		}
		for _, e := range entries {
			if _, hidden := chosen[e.Name()]; strings.HasSuffix(e.Name(), ".conf") && !hidden {
				chosen[e.Name()] = path.Join(folder, e.Name())
			}
		}
	}
	var files []string
	for _, file := range chosen {
		files = append(files, file)
	}
	slices.SortFunc(files, func(a, b string) int { return strings.Compare(path.Base(a), path.Base(b)) })
	for _, file := range append(files, lastFile) {
		text, err := fs.ReadFile(root, file)
		if err != nil {
			if !absent(err) {
				unreadable = append(unreadable, "/"+file)
			}
			continue
		}
		b = append(b, parseBoot("/"+file, string(text))...)
	}
	return b, unreadable
}

// parseBoot reads one file: "key = value", with "-" before the key where a
// failure is of no matter; lines that begin with # or ; are comments. Names that
// are no setting's are passed over, patterns such as net.ipv4.conf.*.x among them.
func parseBoot(file, text string) (b Boot) {
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimRight(line, "\r\n")
		bare := strings.TrimSpace(line)
		if bare == "" || bare[0] == '#' || bare[0] == ';' {
			continue
		}
		name, value, found := strings.Cut(strings.TrimPrefix(bare, "-"), "=")
		key, err := kernel.SysctlKey(strings.TrimSpace(name))
		if !found || err != nil || strings.ContainsAny(key, "*?[ \t") {
			continue
		}
		b = append(b, BootLine{Key: key, Value: strings.Join(strings.Fields(value), " "), File: file, Line: number, Text: line})
	}
	return b
}

// last returns the line that decides a setting: the last one that names it.
func (b Boot) last(key string) (BootLine, bool) {
	for _, l := range slices.Backward(b) {
		if l.Key == key {
			return l, true
		}
	}
	return BootLine{}, false
}

// ownFile is where a setting goes that no file below /etc has: behind all files
// that are usual, and one for each setting, so that it can be removed alone.
func ownFile(key string) string {
	return "/etc/sysctl.d/zz-lastport-" + key[strings.LastIndexByte(key, '.')+1:] + ".conf"
}

// keep returns the commands by which a setting outlasts a restart, and those that
// undo it. A line below /etc that has the setting is changed: another file might
// come before it and be in vain.
func (b Boot) keep(key, value string) (keep, forget []string) {
	l, found := b.last(key)
	if !found || !strings.HasPrefix(l.File, "/etc/") || strings.ContainsAny(l.Text+l.File, `|&\'`) {
		file := ownFile(key)
		return []string{fmt.Sprintf("echo '%s = %s' | sudo tee %s", key, value, file)}, []string{"sudo rm " + file}
	}
	edit := func(text string) []string {
		return []string{fmt.Sprintf("sudo sed -i '%ds|.*|%s|' %s", l.Line, text, l.File)}
	}
	return edit(key + " = " + value), edit(l.Text)
}
