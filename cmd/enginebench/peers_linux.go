package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// generator is another load generator that opens a connection for each request.
type generator struct {
	name   string // also its program
	script string // what sh runs in the namespace; SECONDS and URL stand for their values
	rate   string // finds connections per second in what it prints
}

// generators are those that Debian has a package of.
func generators() []generator {
	return []generator{
		{"httperf", "httperf --hog --server 127.0.0.1 --port 80 --num-conns $((SECONDS * 15000))", `Connection rate: ([\d.]+) conn/s`},
		{"wrk", "wrk -t 2 -c 64 -d SECONDSs -H 'Connection: close' URL", `Requests/sec:\s+([\d.]+)`},
		{"ab", "ab -q -r -c 64 -t SECONDS -n 10000000 URL", `Requests per second:\s+([\d.]+)`},
	}
}

// nginxConf answers with a status alone. Workers stay root, the only user that a
// namespace of an ordinary user has.
const nginxConf = `user root;
worker_processes %[1]d;
pid %[2]s/nginx.pid;
error_log /dev/null crit;
events { worker_connections 8192; }
http {
	access_log off;
	client_body_temp_path %[2]s/nginx;
	proxy_temp_path %[2]s/nginx;
	fastcgi_temp_path %[2]s/nginx;
	uwsgi_temp_path %[2]s/nginx;
	scgi_temp_path %[2]s/nginx;
	server {
		listen 127.0.0.1:80 backlog=65535;
		location / { return 204; }
	}
}
`

// peer is an arm that runs a generator against nginx.
func (l *lab) peer(g generator, servers int) *arm {
	a := &arm{name: g.name, run: func(ctx context.Context) (sample, error) {
		conf := filepath.Join(l.scratch, "nginx.conf")
		if err := os.WriteFile(conf, fmt.Appendf(nil, nginxConf, servers, l.scratch), 0o600); err != nil {
			return sample{}, fmt.Errorf("write nginx's settings: %w", err)
		}
		whole := strconv.Itoa(max(1, int(l.duration.Seconds())))
		script := strings.NewReplacer("SECONDS", whole, "URL", "http://127.0.0.1:80/").Replace(g.script)
		text, err := inNamespace(ctx, "1024", "65535", "sh", "-c", "set -e; nginx -e /dev/null -c "+conf+"; "+script+" 2>&1")
		if err != nil {
			return sample{}, err
		}
		return peerSample(g, text)
	}}
	a.miss(installed(g.name, "nginx"))
	return a
}

// peerSample finds the rate in what a generator printed.
func peerSample(g generator, text string) (sample, error) {
	match := regexp.MustCompile(g.rate).FindStringSubmatch(text)
	if match == nil {
		return sample{}, fmt.Errorf("no rate in %q", text)
	}
	rate, err := strconv.ParseFloat(match[1], 64)
	if err != nil || rate <= 0 {
		return sample{}, fmt.Errorf("its rate is %q, want more than 0", match[1])
	}
	return sample{rate: rate}, nil
}

// installed says which of the programs cannot be found.
func installed(programs ...string) error {
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			return fmt.Errorf("not installed: %s", p)
		}
	}
	return nil
}
