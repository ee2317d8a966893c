package kernel

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// sysctlRoot is where the kernel shows its settings. What lies below net/ is
// that of the reading thread's own network namespace.
const sysctlRoot = "/proc/sys"

// Sysctl is one setting of a tree and what its permission bits allow its owner.
type Sysctl struct {
	Key      string
	Readable bool
	Writable bool
}

// SysctlKey brings a setting's name into the form of sysctl(8):
// net.ipv4.tcp_tw_reuse. It also takes the form of a path,
// net/ipv4/tcp_tw_reuse. Where an element of the path has a dot itself (the
// link eth0.100) the other form has a slash in its place, as in sysctl.d(5):
// the first separator decides which form a name has. Names that could leave
// /proc/sys are an error.
func SysctlKey(name string) (string, error) {
	key := name
	if i := strings.IndexAny(name, "./"); i >= 0 && name[i] == '/' {
		key = swapSeparators(name)
	}
	for _, element := range strings.Split(swapSeparators(key), "/") {
		if element == "" || element == "." || element == ".." || strings.ContainsAny(element, "\x00\n") {
			return "", fmt.Errorf("sysctl %q: not a name like net.ipv4.tcp_tw_reuse", name)
		}
	}
	return key, nil
}

// swapSeparators turns a key into a path below sysctlRoot, and back.
func swapSeparators(s string) string {
	return strings.NewReplacer(".", "/", "/", ".").Replace(s)
}

func sysctlPath(key string) (string, error) {
	key, err := SysctlKey(key)
	if err != nil {
		return "", err
	}
	return filepath.Join(sysctlRoot, swapSeparators(key)), nil
}

// ReadSysctl returns a setting's value without the line's end. The error wraps
// the kernel's: fs.ErrNotExist where this namespace or kernel has no such key.
func ReadSysctl(key string) (string, error) {
	path, err := sysctlPath(key)
	if err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read sysctl %s: %w", key, bare(err))
	}
	defer func() { _ = f.Close() }() // read only
	// Bitmaps such as ip_local_reserved_ports answer the first read alone and call
	// what is left the end of the file (proc_do_large_bitmap, kernel/sysctl.c): the
	// whole value must fit one read, so a full buffer means to ask again.
	for size := 4096; ; size *= 8 {
		buf := make([]byte, size)
		n, err := f.ReadAt(buf, 0)
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read sysctl %s: %w", key, bare(err))
		}
		if n < size {
			return string(bytes.TrimRight(buf[:n], "\n")), nil
		}
	}
}

// WriteSysctl sets a setting. The error wraps the kernel's: fs.ErrNotExist
// where there is no such key, fs.ErrPermission where it is read-only, EROFS
// where /proc/sys is, EINVAL where the value is refused.
func WriteSysctl(key, value string) error {
	path, err := sysctlPath(key)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("write sysctl %s=%s: %w", key, value, bare(err))
	}
	// The line's end makes an empty value a value: it clears a list, and is
	// refused for a number. Without it nothing would be written at all.
	_, err = f.WriteString(value + "\n")
	if err = errors.Join(bare(err), bare(f.Close())); err != nil {
		return fmt.Errorf("write sysctl %s=%s: %w", key, value, err)
	}
	return nil
}

// ListSysctls lists the settings of a tree such as net.ipv4, in the order of
// their names. It goes into a group, named by its key, if descend is nil or
// returns true. Groups that cannot be read are left out.
func ListSysctls(tree string, descend func(group string) bool) ([]Sysctl, error) {
	root, err := sysctlPath(tree)
	if err != nil {
		return nil, err
	}
	var list []Sysctl
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			if path == root {
				return err
			}
			return nil // gone since it was listed, or not for us
		}
		key := swapSeparators(strings.TrimPrefix(path, sysctlRoot+"/"))
		if entry.IsDir() {
			if path != root && descend != nil && !descend(key) {
				return fs.SkipDir
			}
			return nil
		}
		if info, err := entry.Info(); err == nil {
			list = append(list, Sysctl{Key: key, Readable: info.Mode()&0o400 != 0, Writable: info.Mode()&0o200 != 0})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list sysctls of %s: %w", tree, bare(err))
	}
	return list, nil
}

// bare takes the path off an error whose text names the key already.
func bare(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}
