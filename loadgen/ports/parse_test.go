package ports

import (
	"errors"
	"testing"
)

func TestParse(t *testing.T) {
	for spec, want := range map[string]string{
		"linux":                       "32768-60999",
		"windows":                     "49152-65535",
		"40000-40999":                 "40000-40999",
		"41000":                       "41000",
		"41000-41000":                 "41000",
		"1-65535":                     "1-65535",
		"65535":                       "65535",
		"40000-40999,41001,41000":     "40000-41001",
		"5,3,1":                       "1,3,5",
		"1-100,50-60":                 "1-100",
		"linux,61000":                 "32768-61000",
		"00080":                       "80",
		"windows-xp,iana,linux,40000": "1025-5000,32768-65535",
	} {
		got, err := Parse(spec)
		if err != nil || got.String() != want {
			t.Errorf("Parse(%q) = %q, %v; want %q", spec, got, err, want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct{ spec, message, hint string }{
		{"", `ports "": no ports named`, anyForm},
		{"-", `ports "-": no ports named`, anyForm},
		{"abc", `ports "abc": no range has this name`, "LOW-HIGH, or one of linux, linux-legacy, iana, windows, macos, windows-xp, aws-nat, aws-elb, azure-nat, gcp-nat, freebsd, all"},
		{"linus", `ports "linus": no range has this name`, "linux"},
		{"LINUX", `ports "LINUX": no range has this name`, "linux"},
		{"aws", `ports "aws": no range has this name`, "aws-nat"},
		{"widnows", `ports "widnows": no range has this name`, "windows"},
		{"40000-", `ports "40000-": no upper end`, "40000-65535"},
		{"99999-", `ports "99999-": no upper end`, anyForm},
		{"-5", `ports "-5": no lower end`, "1-5"},
		{"-5-6", `ports "-5-6": no lower end`, anyForm},
		{"5-1", `ports "5-1": ends before it begins`, "1-5"},
		{"1-2-3", `ports "1-2-3": more than two ends`, anyForm},
		{"70000-80000", `ports "70000-80000": 70000 is not a port, ports end at 65535`, portForm},
		{"40000-65536", `ports "40000-65536": 65536 is not a port, ports end at 65535`, portForm},
		{"99999999999999999999", `ports "99999999999999999999": 99999999999999999999 is not a port, ports end at 65535`, portForm},
		{"0-5", `ports "0-5": 0 is not a port, ports begin at 1`, portForm},
		{"0", `ports "0": 0 is not a port, ports begin at 1`, portForm},
		{"4o00", `ports "4o00": "4o00" is not a number`, portForm},
		{"+5", `ports "+5": "+5" is not a number`, portForm},
		{"1-b", `ports "1-b": "b" is not a number`, portForm},
		{"1,,2", `ports "": no ports named`, anyForm},
		{"1,", `ports "": no ports named`, anyForm},
		{"1, 2", `ports "1, 2": spaces in it`, "1,2"},
		{" ", `ports " ": spaces in it`, anyForm},
		{"1,5-1", `ports "5-1": ends before it begins`, "1-5"},
	} {
		set, err := Parse(c.spec)
		var usage interface {
			Hint() string
			Usage() bool
		}
		if !errors.As(err, &usage) || !usage.Usage() {
			t.Errorf("Parse(%q) = %v, %v; want wrong usage", c.spec, set, err)
			continue
		}
		if err.Error() != c.message {
			t.Errorf("Parse(%q): %s; want %s", c.spec, err, c.message)
		}
		if got := usage.Hint(); got != c.hint {
			t.Errorf("Parse(%q): hint %q, want %q", c.spec, got, c.hint)
		}
	}
}

func TestParseSysctl(t *testing.T) {
	for text, want := range map[string]string{
		"":                      "",
		"\n":                    "",
		"0\n":                   "",
		"0,5\n":                 "5",
		"0-5\n":                 "1-5",
		"0-5,8080,9000-9100\n":  "1-5,8080,9000-9100",
		"8080\n":                "8080",
		"10-20\n":               "10-20",
		"40000-40009,40020\n":   "40000-40009,40020",
		"0-1023,32768-65535\n ": "1-1023,32768-65535",
	} {
		got, err := ParseSysctl(text)
		if err != nil || got.String() != want {
			t.Errorf("ParseSysctl(%q) = %q, %v; want %q", text, got, err, want)
		}
	}
	if got, err := ParseSysctl("5 - 6"); err == nil {
		t.Errorf("noise became %v", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, spec := range []string{"linux", "40000-40999,41001", "5-1", "", "0", "-", "1,,2", " 1", "é", "65535-65535", "1-2-3"} {
		f.Add(spec)
	}
	f.Fuzz(func(t *testing.T, spec string) {
		set, err := Parse(spec)
		if err != nil {
			var usage interface{ Hint() string }
			if !errors.As(err, &usage) || usage.Hint() == "" {
				t.Fatalf("Parse(%q): no hint with %v", spec, err)
			}
			return
		}
		if set.Size() == 0 {
			t.Fatalf("Parse(%q) = the empty set", spec)
		}
		again, err := Parse(set.String())
		if err != nil || again.String() != set.String() {
			t.Fatalf("Parse(%q) = %v, which reads back as %v, %v", spec, set, again, err)
		}
	})
}
