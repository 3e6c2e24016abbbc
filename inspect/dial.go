package inspect

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/proxy"
)

// Dialer opens connections, as probe.Prober wants it.
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

// ParseProxy reads http://HOST:PORT (a proxy that knows CONNECT) or socks5://HOST:PORT, both with an optional
// USER:PASSWORD@, and returns a dialer that goes through it. Names are left to the proxy to look up.
func ParseProxy(text string) (Dialer, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Port() == "" {
		return nil, fmt.Errorf("%q is no proxy: use http://HOST:PORT or socks5://HOST:PORT", text)
	}
	switch u.Scheme {
	case "http":
		return connectDialer(u), nil
	case "socks5", "socks5h":
		return socksDialer(u)
	}
	return nil, fmt.Errorf("a proxy of kind %q is not known: use http://HOST:PORT or socks5://HOST:PORT", u.Scheme)
}

func socksDialer(u *url.URL) (Dialer, error) {
	var auth *proxy.Auth
	if u.User != nil {
		password, _ := u.User.Password()
		auth = &proxy.Auth{User: u.User.Username(), Password: password}
	}
	d, err := proxy.SOCKS5("tcp", u.Host, auth, nil)
	if err != nil {
		return nil, err
	}
	through, ok := d.(proxy.ContextDialer)
	if !ok {
		return nil, errors.New("this SOCKS5 dialer takes no time limit")
	}
	return through.DialContext, nil
}

// connectDialer asks an HTTP proxy for a tunnel (RFC 9110 section 9.3.6).
func connectDialer(u *url.URL) Dialer {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, u.Host)
		if err != nil {
			return nil, err
		}
		if deadline, ok := ctx.Deadline(); ok {
			conn.SetDeadline(deadline)
		}
		if err := tunnel(conn, u.User, address); err != nil {
			conn.Close()
			return nil, fmt.Errorf("proxy %s: %w", u.Host, err)
		}
		return conn, nil
	}
}

func tunnel(conn net.Conn, user *url.Userinfo, address string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n", address, address)
	if user != nil {
		password, _ := user.Password()
		fmt.Fprintf(&b, "Proxy-Authorization: Basic %s\r\n", base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password)))
	}
	if _, err := io.WriteString(conn, b.String()+"\r\n"); err != nil {
		return err
	}
	// What a STARTTLS server says first may follow the answer at once: it must not be read ahead.
	header, err := readHeader(conn)
	if err != nil {
		return err
	}
	answer, err := http.ReadResponse(bufio.NewReader(strings.NewReader(header)), &http.Request{Method: http.MethodConnect})
	if err != nil {
		return errors.New("its answer to CONNECT is no HTTP")
	}
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("it refuses to connect to %s: %s", address, answer.Status)
	}
	return nil
}

// maxHeader bounds a proxy's answer.
const maxHeader = 16 << 10

// readHeader reads byte by byte up to the empty line.
func readHeader(r io.Reader) (string, error) {
	var header []byte
	one := make([]byte, 1)
	for len(header) < maxHeader {
		if _, err := io.ReadFull(r, one); err != nil {
			return "", err
		}
		if header = append(header, one[0]); bytes.HasSuffix(header, []byte("\r\n\r\n")) {
			return string(header), nil
		}
	}
	return "", fmt.Errorf("its answer has more than %d bytes", maxHeader)
}

// Pacer spreads connections over time: so many a second over all that share it.
type Pacer struct {
	interval time.Duration
	mu       sync.Mutex
	next     time.Time
}

// NewPacer allows perSecond connections a second, evenly spread.
func NewPacer(perSecond float64) *Pacer {
	return &Pacer{interval: time.Duration(float64(time.Second) / perSecond)}
}

// Wait returns when the next connection may be made, or when ctx ends.
func (p *Pacer) Wait(ctx context.Context) {
	p.mu.Lock()
	now := time.Now()
	if p.next.Before(now) {
		p.next = now
	}
	turn := p.next
	p.next = p.next.Add(p.interval)
	p.mu.Unlock()
	select {
	case <-ctx.Done():
	case <-time.After(time.Until(turn)):
	}
}
