package place

import (
	"fmt"
	"maps"
	"slices"

	"lastport/loadgen/kernel"
)

// store is where settings are kept: the kernel, or a map in tests.
type store interface {
	read(key string) (string, error)
	write(key, value string) error
	list() []string // the keys below net.
}

// kernelStore is the settings of this process's namespace.
type kernelStore struct{}

func (kernelStore) read(key string) (string, error) { return kernel.ReadSysctl(key) }
func (kernelStore) write(key, value string) error   { return kernel.WriteSysctl(key, value) }

func (kernelStore) list() []string {
	list, err := kernel.ListSysctls("net", sharedGroup)
	if err != nil {
		return nil // it only serves to propose a key
	}
	keys := make([]string, len(list))
	for i, s := range list {
		keys[i] = s.Key
	}
	return keys
}

// applySettings sets the host's, the tool's and the user's settings, the later
// over the earlier, and reports what came of it.
func applySettings(st store, spec Spec) (Report, error) {
	user, err := userSettings(spec.User)
	if err != nil {
		return Report{}, err
	}
	before := maps.Clone(spec.Host.Settings) // and of the namespace's, where the host's is not known
	if before == nil {
		before = make(map[string]string)
	}
	refusals := writeAll(st, hostSettings(st, spec.Host.Settings))

	set := make(map[string]string) // why, by key
	for _, s := range spec.Tool {
		if _, ok := spec.User[s.Key]; ok {
			continue
		}
		remember(st, before, s.Key)
		if err := st.write(s.Key, s.Value); err != nil {
			return Report{}, &SettingError{Setting: s, err: cause(err)}
		}
		set[s.Key] = s.Why
	}
	for _, s := range user {
		remember(st, before, s.Key)
		set[s.Key] = s.Why
	}
	refused := writeAll(st, user)
	for _, s := range user {
		if err := refused[s.Key]; err != nil {
			_, onHost := spec.Host.Settings[s.Key]
			return Report{}, refusedSetting(st, s, err, onHost)
		}
	}
	return Report{
		Sysctls: inForce(st),
		Changed: changed(st, before, set),
		Differs: differs(st, spec.Host.Settings, set, refusals),
	}, nil
}

// userSettings puts the user's settings in an order and checks their keys once
// more: what this writes must never be the host's.
func userSettings(user map[string]string) ([]Setting, error) {
	var list []Setting
	for _, key := range slices.Sorted(maps.Keys(user)) {
		s, err := ParseSetting(key + "=" + user[key])
		if err != nil {
			return nil, err
		}
		if s.Key != key {
			return nil, &UsageError{text: fmt.Sprintf("sysctl %s: not in the form %s", key, s.Key)}
		}
		list = append(list, s)
	}
	return list, nil
}

// hostSettings lists, in the order of their keys, the host's settings that the
// namespace has and that differ there.
func hostSettings(st store, host map[string]string) []Setting {
	var list []Setting
	for _, key := range slices.Sorted(maps.Keys(host)) {
		if value, err := st.read(key); err == nil && value != host[key] {
			list = append(list, Setting{Key: key, Value: host[key]})
		}
	}
	return list
}

// writeAll writes settings that are to be in force together and returns the
// errors by key. Some bound each other, as ip_unprivileged_port_start and
// ip_local_port_range do, either of which may have to move out of the other's
// way: what is refused is tried again after the rest.
func writeAll(st store, settings []Setting) map[string]error {
	var again []Setting
	for _, s := range settings {
		if st.write(s.Key, s.Value) != nil {
			again = append(again, s)
		}
	}
	refusals := make(map[string]error)
	for _, s := range again {
		if err := st.write(s.Key, s.Value); err != nil {
			refusals[s.Key] = cause(err)
		}
	}
	return refusals
}

// remember keeps the value that a key has before it is set, unless the host's is
// known.
func remember(st store, before map[string]string, key string) {
	if _, ok := before[key]; ok {
		return
	}
	if value, err := st.read(key); err == nil {
		before[key] = value
	}
}

// changed lists the keys that were set and are not as before.
func changed(st store, before, set map[string]string) map[string]Change {
	changes := make(map[string]Change)
	for key, why := range set {
		if value, err := st.read(key); err == nil && value != before[key] {
			changes[key] = Change{Host: before[key], Run: value, Why: why}
		}
	}
	return changes
}

// differs lists the host's settings that exist in the namespace, were not set on
// purpose, and are not as on the host. It looks at the end, because one setting
// may change others (ip_forward changes every forwarding).
func differs(st store, host, set map[string]string, refusals map[string]error) map[string]Change {
	changes := make(map[string]Change)
	for key, want := range host {
		value, err := st.read(key)
		if _, ok := set[key]; ok || err != nil || value == want {
			continue
		}
		why := "the kernel keeps a value of its own"
		if refusals[key] != nil {
			why = "the kernel refuses: " + refusals[key].Error()
		}
		changes[key] = Change{Host: want, Run: value, Why: why}
	}
	return changes
}

// inForce reads the settings that a result keeps, those that exist here.
func inForce(st store) map[string]string {
	values := make(map[string]string)
	for _, key := range []string{
		"net.core.somaxconn",
		"net.ipv4.ip_autobind_reuse",
		"net.ipv4.ip_local_port_range",
		"net.ipv4.ip_local_reserved_ports",
		"net.ipv4.ip_nonlocal_bind",
		"net.ipv4.ip_unprivileged_port_start",
		"net.ipv4.tcp_abort_on_overflow",
		"net.ipv4.tcp_congestion_control",
		"net.ipv4.tcp_ecn",
		keyTable,
		"net.ipv4.tcp_fin_timeout",
		"net.ipv4.tcp_max_syn_backlog",
		"net.ipv4.tcp_max_tw_buckets",
		"net.ipv4.tcp_mem",
		"net.ipv4.tcp_migrate_req",
		"net.ipv4.tcp_orphan_retries",
		"net.ipv4.tcp_rfc1337",
		"net.ipv4.tcp_rmem",
		"net.ipv4.tcp_syn_linear_timeouts",
		"net.ipv4.tcp_syn_retries",
		"net.ipv4.tcp_synack_retries",
		"net.ipv4.tcp_syncookies",
		"net.ipv4.tcp_timestamps",
		"net.ipv4.tcp_tw_reuse",
		"net.ipv4.tcp_tw_reuse_delay",
		"net.ipv4.tcp_wmem",
	} {
		if value, err := st.read(key); err == nil {
			values[key] = value
		}
	}
	return values
}
