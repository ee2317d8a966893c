package doctor

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"pgregory.net/rapid"
)

func files(of map[string]string) fstest.MapFS {
	root := fstest.MapFS{}
	for name, text := range of {
		root[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return root
}

// The order is that of the files' names, whatever folder they are in; a file in
// /etc hides its namesake; sysctl.conf comes last.
func TestBootOrder(t *testing.T) {
	b, unreadable := readBoot(files(map[string]string{
		"usr/lib/sysctl.d/50-a.conf": "net.ipv4.tcp_tw_reuse=0\n",
		"etc/sysctl.d/50-a.conf":     "# ours\nnet.ipv4.tcp_tw_reuse = 1\n",
		"run/sysctl.d/10-b.conf":     "net/ipv4/tcp_tw_reuse = 2\nnet.ipv4.tcp_timestamps=1",
		"etc/sysctl.d/99-readme":     "net.ipv4.tcp_tw_reuse = 7\n",
		"etc/sysctl.conf":            "-net.ipv4.ip_local_port_range = 1024 \t 65535\r\n",
	}))
	if len(unreadable) > 0 {
		t.Errorf("unreadable %q", unreadable)
	}
	for key, want := range map[string]string{
		keyTWReuse:    "/etc/sysctl.d/50-a.conf:2 1",
		keyTimestamps: "/run/sysctl.d/10-b.conf:2 1",
		keyRange:      "/etc/sysctl.conf:1 1024 65535",
	} {
		if l, _ := b.last(key); l.String()+" "+l.Value != want {
			t.Errorf("%s: %v %s, want %s", key, l, l.Value, want)
		}
	}
	if l, found := b.last(keyTWBuckets); found {
		t.Errorf("%s: %v", keyTWBuckets, l)
	}
}

func TestParseBoot(t *testing.T) {
	got := parseBoot("f", strings.Join([]string{
		"", "  # net.ipv4.a = 1", "; net.ipv4.a = 1", "net.ipv4.a", "net.ipv4.conf.*.a = 1", "-net.ipv4.b= 2 ", "../x = 1", "= 1", "net.ipv4.c = a=b",
	}, "\n"))
	want := Boot{
		{"net.ipv4.b", "2", "f", 6, "-net.ipv4.b= 2 "},
		{"net.ipv4.c", "a=b", "f", 9, "net.ipv4.c = a=b"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
}

// Keep and forget do to the files what they say: run by a shell, what they set is
// what the next start would set, and then everything is as it was.
func TestKeepAndForget(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		root := t.TempDir()
		for _, folder := range []string{"etc/sysctl.d", "usr/lib/sysctl.d"} {
			if err := os.MkdirAll(filepath.Join(root, folder), 0o700); err != nil {
				rt.Fatal(err)
			}
		}
		line := rapid.SampledFrom([]string{
			"", "# nothing\n", "net.ipv4.tcp_tw_reuse=0\n", "x.y=1\n-net.ipv4.tcp_tw_reuse = 2\nz.z = 3\n", "net/ipv4/tcp_tw_reuse = 0", "net.ipv4.tcp_tw_reuse = 'a|b&c'\n",
		})
		for _, file := range []string{"etc/sysctl.conf", "etc/sysctl.d/60-a.conf", "etc/sysctl.d/99-sysctl.conf", "usr/lib/sysctl.d/99-b.conf"} {
			text := line.Draw(rt, file)
			if file == "etc/sysctl.conf" && strings.Contains(text, "'") {
				text = "" // what comes last and cannot be edited stays last
			}
			if err := os.WriteFile(filepath.Join(root, file), []byte(text), 0o600); err != nil {
				rt.Fatal(err)
			}
		}
		before, _ := readBoot(os.DirFS(root))
		keep, forget := before.keep(keyTWReuse, "1")
		shell(rt, root, keep)
		after, _ := readBoot(os.DirFS(root))
		if l, _ := after.last(keyTWReuse); l.Value != "1" {
			rt.Fatalf("after %q %v sets %q", keep, l, l.Value)
		}
		shell(rt, root, forget)
		if again, _ := readBoot(os.DirFS(root)); fmt.Sprint(again) != fmt.Sprint(before) {
			rt.Fatalf("after %q\n%v\nand before\n%v", forget, again, before)
		}
	})
}

// shell runs commands on files below root, as whoever runs the test.
func shell(t *rapid.T, root string, commands []string) {
	t.Helper()
	for _, c := range commands {
		c = strings.NewReplacer("sudo ", "", " /etc/", " "+root+"/etc/").Replace(c)
		if out, err := exec.Command("sh", "-c", c).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v %s", c, err, out)
		}
	}
}

func FuzzParseBoot(f *testing.F) {
	f.Add("net.ipv4.tcp_tw_reuse = 1\n")
	f.Add("-a/b.c=1\r\n;x\n=\n")
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Split(text, "\n")
		for _, l := range parseBoot("/f", text) {
			if l.Key == "" || l.Line < 1 || l.Line > len(lines) || strings.ContainsAny(l.Key+l.Value, "\n") {
				t.Fatalf("%+v", l)
			}
		}
	})
}
