package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"lastport/loadgen/step"
	"lastport/server/consent"
)

// Without the token, or with a wish that the server does not grant, there is one
// connection and no more.
func TestRefusedAfterOneConnection(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	setRange(t)
	s := elsewhere(t, "--allow", nearAddr, "--max-per-peer", "150")
	right := secretIn(t, s.token)
	other := consent.NewToken(time.Now().Add(-time.Hour))
	for name, test := range map[string]struct {
		secret string
		mode   step.CloseMode
		want   string
	}{
		"old":     {other.Secret(), step.ClientRST, "the token is old"},
		"foreign": {strings.Repeat("k", 40), step.ClientRST, "the token is wrong: the server has another one"},
		"mode":    {right, step.ServerFIN, "the run is --close server-fin and the server --close client-fin"},
		"number":  {right, step.ClientRST, "the run may hold 200 connections, and the server keeps at most 150 of one generator"},
	} {
		before := opened(t)
		ctx, cancel := context.WithCancel(t.Context())
		err := runFar(ctx, cancel, farConfig("churn", test.mode, farAddr+":7000"), test.secret, &last{})
		cancel()
		var refused *consent.RefusedError
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
		if n := opened(t) - before; n != 1 {
			t.Errorf("%s: %d connections, want 1", name, n)
		}
	}
}

// What is no lastport gets one connection, and is named.
func TestForeignServersGetOneConnection(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	var accepted atomic.Int64
	counting := func(serve func(net.Listener)) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		go serve(&countingListener{l, &accepted})
		return l.Addr().String()
	}
	each := func(f func(net.Conn)) func(net.Listener) {
		return func(l net.Listener) {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				go f(conn)
			}
		}
	}
	for name, test := range map[string]struct {
		at   string
		want string
	}{
		"HTTP":   {counting(func(l net.Listener) { _ = http.Serve(l, http.NotFoundHandler()) }), `it answers "HTTP/1.1 400 Bad Request`},
		"echo":   {counting(each(func(c net.Conn) { _, _ = io.Copy(c, c) })), "it echoes what it is sent"},
		"silent": {counting(each(func(net.Conn) {})), "nothing there has proven the token within 500ms"},
		"closes": {counting(each(func(c net.Conn) { _ = c.Close() })), "it has closed the connection without a proof"},
		"nobody": {"127.0.0.1:1", "connect: connection refused"},
	} {
		accepted.Store(0)
		want := int64(1)
		if name == "nobody" {
			want = 0
		}
		before := opened(t)
		patience := time.Hour // those that answer have any time
		if name == "silent" {
			patience = 500 * time.Millisecond
		}
		a := agreement{farConfig("churn", step.ClientRST, test.at), consent.NewToken(time.Now()), patience}
		_, err := a.come(t.Context(), func() {})
		var refused *consent.RefusedError
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), test.want) || refused.Hint() == "" {
			t.Errorf("%s: %v, want %q and a hint", name, err, test.want)
		}
		if n := opened(t) - before; n != 1 {
			t.Errorf("%s: %d connections, want 1", name, n)
		}
		waitFor(t, "the one connection accepted", func() bool { return accepted.Load() == want })
	}
}

// A server's consent is for the address that it was dialled at. The same number is
// somebody else's here: one connection, and none after it.
func TestEachAddressConsents(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	setRange(t)
	l, err := net.Listen("tcp", "127.0.0.1:7001")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // nothing is lost
	var accepted atomic.Int64
	go func() { _ = http.Serve(&countingListener{l, &accepted}, http.NotFoundHandler()) }()
	s := elsewhere(t, "--listen", "0.0.0.0:7001-7002")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err = runFar(ctx, cancel, farConfig("churn", step.ClientRST, farAddr+":7001", farAddr+":7002", "127.0.0.1:7001"), secretIn(t, s.token), &last{})
	var refused *consent.RefusedError
	if !errors.As(err, &refused) || refused.Target.String() != "127.0.0.1:7001" {
		t.Errorf("%v, want a refusal", err)
	}
	if n := accepted.Load(); n != 1 {
		t.Errorf("the stranger has accepted %d connections, want 1", n)
	}
}

// countingListener counts what it accepts.
type countingListener struct {
	net.Listener
	accepted *atomic.Int64
}

func (l *countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.accepted.Add(1)
	}
	return conn, err
}
