package kernel

import (
	"io/fs"
	"strings"
)

// ContainerSigns lists what looks as if this process were in a container, from
// proc, run and the root folder below root, which is os.DirFS("/") outside of
// tests. No sign is a proof: files can be left behind, a container can hide all
// of them, and virtual machines have been seen with them.
func ContainerSigns(root fs.FS) []string {
	var signs []string
	for _, file := range []string{".dockerenv", "run/.containerenv", "run/systemd/container"} {
		if _, err := fs.Stat(root, file); err == nil {
			signs = append(signs, "/"+file+" exists")
		}
	}
	if text, err := fs.ReadFile(root, "proc/self/cgroup"); err == nil {
		for _, word := range []string{"docker", "kubepods", "containerd", "libpod", "lxc"} {
			if strings.Contains(string(text), word) {
				signs = append(signs, "its control group is named after "+word)
				break
			}
		}
	}
	if text, err := fs.ReadFile(root, "proc/self/uid_map"); err == nil && !firstUserNamespace(string(text)) {
		signs = append(signs, "its users are mapped (a user namespace of its own)")
	}
	return signs
}

// firstUserNamespace says whether every user is mapped to itself, as in the
// first user namespace (user_namespaces(7)).
func firstUserNamespace(uidMap string) bool {
	return strings.Join(strings.Fields(uidMap), " ") == "0 0 4294967295"
}
