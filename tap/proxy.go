package tap

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Proxy is an HTTP proxy for one program. What it asks to be connected to by CONNECT is passed on; of connections to
// Target the negotiation is told.
type Proxy struct {
	*Tap
	Target string // host:port

	Connects atomic.Int64 // to the target

	mu     sync.Mutex
	others int
	named  []string
}

// maxNamed is how many other hosts are named.
const maxNamed = 5

// Others counts the connections to other hosts and the requests in plaintext, and names some of them.
func (p *Proxy) Others() (count int, some []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.others, slices.Clone(p.named)
}

func (p *Proxy) other(host string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.others++; len(p.named) < maxNamed && !slices.Contains(p.named, host) {
		p.named = append(p.named, host)
	}
}

// Serve is the proxy until ctx ends.
func (p *Proxy) Serve(ctx context.Context, l net.Listener) error {
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.Out.Host = r.In.Host }}
	s := &http.Server{ReadHeaderTimeout: dialTimeout, BaseContext: func(net.Listener) context.Context { return ctx },
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.Method == http.MethodConnect:
				p.connect(w, r)
			case r.URL.IsAbs() && r.URL.Scheme == "http":
				p.other(r.URL.Host)
				forward.ServeHTTP(w, r)
			default:
				http.Error(w, "parley tap is a proxy: ask it by CONNECT", http.StatusBadRequest)
			}
		})}
	stop := context.AfterFunc(ctx, func() { s.Close() })
	defer stop()
	if err := s.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) && ctx.Err() == nil {
		return err
	}
	return nil
}

// connect serves one CONNECT (RFC 9110 section 9.3.6).
func (p *Proxy) connect(w http.ResponseWriter, r *http.Request) {
	p.wait.Add(1)
	defer p.wait.Done()
	recorder := p.Tap
	if SameTarget(r.Host, p.Target) {
		p.Connects.Add(1)
	} else {
		p.other(r.Host)
		recorder = &Tap{Dial: p.Dial}
	}
	server, err := recorder.dial(r.Context(), r.Host)
	if err != nil {
		if recorder.Unreached != nil {
			recorder.Unreached(clientOf(r), r.Host, err)
		}
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer server.Close()
	client, buffered, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer client.Close()
	client.SetDeadline(time.Time{})
	if _, err := client.Write([]byte("HTTP/1.1 200 Connection established\r\n\r\n")); err != nil {
		return
	}
	recorder.Carry(r.Context(), early(client, buffered.Reader), server)
}

// clientOf is the address of the client of a request.
func clientOf(r *http.Request) netip.AddrPort {
	a, _ := netip.ParseAddrPort(r.RemoteAddr)
	return a
}

// early is a connection of which the first bytes were read already.
func early(c net.Conn, r *bufio.Reader) net.Conn {
	if r.Buffered() == 0 {
		return c
	}
	return &readAhead{c.(*net.TCPConn), r}
}

type readAhead struct {
	*net.TCPConn
	r *bufio.Reader
}

func (c *readAhead) Read(b []byte) (int, error) { return c.r.Read(b) }

// SameTarget reports whether two host:port mean the same; a name and its address do not.
func SameTarget(a, b string) bool {
	ha, pa, errA := net.SplitHostPort(a)
	hb, pb, errB := net.SplitHostPort(b)
	return errA == nil && errB == nil && pa == pb && strings.EqualFold(strings.TrimSuffix(ha, "."), strings.TrimSuffix(hb, "."))
}

// Environment is that of the tap with what leads programs to a proxy at address (host:port): the variables that curl,
// Python, Go, Git, wget and most others honour, in both cases; Node.js from 24 on by NODE_USE_ENV_PROXY; Java by its
// system properties. Exceptions from the proxy are taken back.
func Environment(base []string, address string) []string {
	host, port, _ := net.SplitHostPort(address)
	proxy := "http://" + address
	java := "-Dhttps.proxyHost=" + host + " -Dhttps.proxyPort=" + port + " -Dhttp.nonProxyHosts="
	var out []string
	for _, v := range base {
		name, value, _ := strings.Cut(v, "=")
		switch strings.ToLower(name) {
		case "https_proxy", "all_proxy", "no_proxy", "node_use_env_proxy", "grpc_proxy":
			continue
		case "java_tool_options":
			java = value + " " + java
			continue
		}
		out = append(out, v)
	}
	for _, name := range []string{"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "grpc_proxy"} {
		out = append(out, name+"="+proxy)
	}
	return append(out, "no_proxy=", "NO_PROXY=", "NODE_USE_ENV_PROXY=1", "JAVA_TOOL_OPTIONS="+java)
}

// Environ is Environment of this process.
func Environ(address string) []string { return Environment(os.Environ(), address) }
