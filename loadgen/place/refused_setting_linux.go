package place

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"golang.org/x/sys/unix"
)

// SettingError is a setting that could not be made, for no fault of the
// user's.
type SettingError struct {
	Setting Setting
	err     error
}

// Error names the setting, what it is for and the kernel's word.
func (e *SettingError) Error() string {
	return fmt.Sprintf("set sysctl %s=%s (%s): %s", e.Setting.Key, e.Setting.Value, e.Setting.Why, e.err)
}

// Hint says what to do in a container, whose /proc/sys is read-only by default;
// otherwise it is empty.
func (e *SettingError) Hint() string {
	if errors.Is(e.err, unix.EROFS) {
		return "start the container with --privileged, or with --security-opt systempaths=unconfined"
	}
	return ""
}

// Unwrap returns the kernel's error.
func (e *SettingError) Unwrap() error { return e.err }

// refusedSetting explains why the user's setting could not be made.
func refusedSetting(st store, s Setting, err error, onHost bool) error {
	given := fmt.Sprintf("%s %s=%s", sysctlFlag, s.Key, s.Value)
	e := &UsageError{text: given + ": " + err.Error(), err: err}
	switch {
	case errors.Is(err, fs.ErrNotExist) && onHost:
		e.text = given + ": it belongs to the whole machine, a private place has none of its own"
		e.hint = fmt.Sprintf("sudo sysctl -w %s=%q before the run", s.Key, s.Value)
	case errors.Is(err, fs.ErrNotExist):
		e.text = given + ": neither a private place nor the host has it"
		e.hint = listed(s.Key)
		if near := nearest(s.Key, st); near != "" {
			e.hint = fmt.Sprintf("%s %s=%s", sysctlFlag, near, s.Value)
		}
	case errors.Is(err, unix.EISDIR):
		e.text = given + ": a group of settings, not one"
		e.hint = listed(s.Key + ".")
	case errors.Is(err, fs.ErrPermission):
		e.text = fmt.Sprintf("%s: read-only in a private place (%s)", given, err)
		e.hint = fmt.Sprintf("sudo sysctl -w %s=%q before the run", s.Key, s.Value)
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ERANGE):
		e.text = fmt.Sprintf("%s: the kernel refuses the value: %s", given, err)
		if value, err := st.read(s.Key); err == nil {
			e.hint = fmt.Sprintf("%s %s=%s is in force without it", sysctlFlag, s.Key, strings.Join(strings.Fields(value), " "))
		}
	default:
		return &SettingError{Setting: s, err: err}
	}
	return e
}

// listed lists the settings that are of the key's group.
func listed(key string) string {
	return "sysctl -a -r '^" + key[:strings.LastIndexByte(key, '.')+1] + "' lists what there is"
}

// cause returns the kernel's error number alone, where there is one: the
// messages here name key and value themselves.
func cause(err error) error {
	var errno unix.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return err
}
