package probe

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

// clientHello is a hello of one version.
func clientHello(t testing.TB, v suite.Version) []byte {
	t.Helper()
	o := hello.Offer{Versions: []suite.Version{v}, Suites: []suite.Code{0xC02F, 0xC030, 0x1301}, HasGroups: true, Groups: []suite.Group{suite.X25519, suite.Secp256r1},
		PointFormats: []byte{0}, HasSchemes: true, Schemes: []suite.SignatureScheme{suite.RSAPSSRSAESHA256, suite.RSAPKCS1SHA256}, SecureReneg: true, ServerName: "example.com"}
	if v == suite.TLS13 {
		o.KeyShares = []suite.Group{suite.X25519}
	}
	h, err := hello.Build(&o, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := h.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// slack is what a connection may take beyond its time limit, on a machine that has other work.
const slack = 3 * time.Second

// within sends a hello and demands an end within the time limit.
func within(t *testing.T, timeout time.Duration, target Target, raw []byte) Observation {
	t.Helper()
	start := time.Now()
	o := (&Prober{Timeout: timeout}).Hello(context.Background(), target, raw)
	if d := time.Since(start); d > timeout+slack {
		t.Errorf("took %v with a limit of %v", d, timeout)
	}
	return o
}

// record is one record as a server sends it.
func record(kind uint8, body ...byte) []byte {
	return append([]byte{kind, 3, 3, byte(len(body) >> 8), byte(len(body))}, body...)
}

func message(kind uint8, body ...byte) []byte {
	return record(hello.RecordHandshake, hello.Message{Type: kind, Body: body}.Marshal()...)
}

// serverHello chooses TLS 1.2 and 0xC02F.
func serverHello() []byte {
	return message(hello.TypeServerHello, append(append([]byte{3, 3}, make([]byte, 32)...), 0, 0xC0, 0x2F, 0)...)
}

func alert(fatal bool, d suite.Alert) []byte { return hello.MarshalAlert(suite.TLS12, fatal, d) }

// says answers the hello with these pieces, a moment apart, and then waits for the client to hang up.
func says(pieces ...[]byte) func(*net.TCPConn) {
	return func(c *net.TCPConn) {
		c.Read(make([]byte, 4096))
		for i, p := range pieces {
			if i > 0 {
				time.Sleep(20 * time.Millisecond)
			}
			c.Write(p)
		}
		io.Copy(io.Discard, c)
	}
}

// floods writes unit for ever, and does not wait for the hello; first comes before it.
func floods(first []byte, unit ...byte) func(*net.TCPConn) {
	block := bytes.Repeat(unit, 1+1<<16/len(unit))
	return func(c *net.TCPConn) {
		c.Write(first)
		for {
			if _, err := c.Write(block); err != nil {
				return
			}
		}
	}
}

// then ends the connection after the server has spoken.
func then(serve func(*net.TCPConn), reset bool, pieces ...[]byte) func(*net.TCPConn) {
	return func(c *net.TCPConn) {
		serve(c)
		for _, p := range pieces {
			c.Write(p)
			time.Sleep(50 * time.Millisecond)
		}
		if reset {
			c.SetLinger(0)
		}
		c.Close()
	}
}

func nothing(*net.TCPConn)   {}
func hears(c *net.TCPConn)   { c.Read(make([]byte, 4096)) }
func ignores(c *net.TCPConn) { io.Copy(io.Discard, c) }

// drips sends a ServerHello, a byte a second.
func drips(c *net.TCPConn) {
	for _, b := range serverHello() {
		if _, err := c.Write([]byte{b}); err != nil {
			return
		}
		time.Sleep(time.Second)
	}
}

// floodServers never come to an end.
var floodServers = map[string]struct {
	serve  func(*net.TCPConn)
	answer Answer
	end    Answer
}{
	"garbage":                             {floods(nil, 0xDE, 0xAD, 0xBE), NotTLS, ""},
	"NULs":                                {floods(nil, 0), NotTLS, ""},
	"application data":                    {floods(nil, record(23, make([]byte, 1000)...)...), Malformed, ""},
	"ChangeCipherSpec":                    {floods(nil, record(20, 1)...), Malformed, ""},
	"empty handshake records":             {floods(nil, record(22)...), Malformed, ""},
	"warnings":                            {floods(nil, alert(false, suite.AlertUnrecognizedName)...), Malformed, ""},
	"requests for a hello":                {floods(nil, message(0)...), Malformed, ""},
	"one message, a byte a record":        {floods(record(22, 2, 1, 0xFF, 0xFF), record(22, 0)...), Malformed, ""},
	"ServerHellos":                        {floods(nil, serverHello()...), ServerHello, Malformed},
	"certificates after a ServerHello":    {floods(serverHello(), message(hello.TypeCertificate, 0, 0, 0)...), ServerHello, Malformed},
	"unknown messages after it":           {floods(serverHello(), message(99, make([]byte, 5000)...)...), ServerHello, Malformed},
	"empty records after it":              {floods(serverHello(), record(22)...), ServerHello, Malformed},
	"warnings after it":                   {floods(serverHello(), alert(false, suite.AlertUnrecognizedName)...), ServerHello, Malformed},
	"half of a record that never is full": {floods(append(serverHello(), 22, 3, 3, 0x48, 0x00), 11, 0, 0, 0), ServerHello, Malformed},
}

// TestFloods: a server that sends for ever costs a bounded number of bytes and no more memory than they take.
func TestFloods(t *testing.T) {
	for name, c := range floodServers {
		t.Run(name, func(t *testing.T) {
			target, raw := Target{Address: listen(t, c.serve)}, clientHello(t, suite.TLS12)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			o := within(t, 20*time.Second, target, raw)
			runtime.ReadMemStats(&after)
			if o.Answer != c.answer || o.End != c.end || o.Complete {
				t.Errorf("%s, end %q: %v", o.Answer, o.End, o.Err)
			}
			if o.Received > MaxAnswer+16<<10 || len(o.Raw) > maxRaw {
				t.Errorf("%d bytes read, %d kept", o.Received, len(o.Raw))
			}
			if n := after.TotalAlloc - before.TotalAlloc; n > 8<<20 {
				t.Errorf("%d bytes allocated", n)
			}
			if o.Err != nil {
				shortLine(t, o.Err)
			}
		})
	}
}

// TestBrokenServers: each way to break off, stall or garble, and what it is called.
func TestBrokenServers(t *testing.T) {
	half := serverHello()[:20]
	for name, c := range map[string]struct {
		serve  func(*net.TCPConn)
		answer []Answer
		end    Answer
	}{
		"closes at once":                    {then(nothing, false), []Answer{Closed, Reset}, ""},
		"resets at once":                    {then(nothing, true), []Answer{Reset}, ""},
		"closes after the hello":            {then(hears, false), []Answer{Closed}, ""},
		"resets after the hello":            {then(hears, true), []Answer{Reset}, ""},
		"never answers":                     {ignores, []Answer{Silent}, ""},
		"never reads":                       {func(*net.TCPConn) { time.Sleep(time.Second) }, []Answer{Silent}, ""},
		"drips":                             {drips, []Answer{Silent}, Silent},
		"stalls in the first record":        {says(half), []Answer{Silent}, Silent},
		"stalls after the ServerHello":      {says(serverHello()), []Answer{ServerHello}, Silent},
		"closes in the first record":        {then(hears, false, half), []Answer{Closed}, Closed},
		"resets in the first record":        {then(hears, true, half), []Answer{Reset}, Reset},
		"closes after the ServerHello":      {then(hears, false, serverHello()), []Answer{ServerHello}, Closed},
		"resets after the ServerHello":      {then(hears, true, serverHello()), []Answer{ServerHello}, Reset},
		"closes after a warning":            {then(hears, false, alert(false, 112)), []Answer{Alerted}, Closed},
		"warns, then refuses":               {says(alert(false, 112), alert(true, 40)), []Answer{Alerted}, ""},
		"refuses, then babbles":             {says(append(alert(true, 40), "garbage"...)), []Answer{Alerted}, ""},
		"refuses, then agrees":              {says(append(alert(true, 40), serverHello()...)), []Answer{Alerted}, ""},
		"refuses after the ServerHello":     {says(append(serverHello(), alert(true, 40)...)), []Answer{ServerHello}, Alerted},
		"babbles after the ServerHello":     {says(append(serverHello(), "garbage"...)), []Answer{ServerHello}, Malformed},
		"babbles later":                     {says(serverHello(), []byte("garbage")), []Answer{ServerHello}, Malformed},
		"says ServerHello twice":            {says(serverHello(), serverHello()), []Answer{ServerHello}, Malformed},
		"claims a message of 16 MB":         {says(record(22, 2, 0xFF, 0xFF, 0xFF)), []Answer{Malformed}, ""},
		"claims it after the ServerHello":   {says(append(serverHello(), record(22, 11, 0xFF, 0xFF, 0xFF)...)), []Answer{ServerHello}, Malformed},
		"claims a record of 64 KiB":         {says([]byte{22, 3, 3, 0xFF, 0xFF}), []Answer{Malformed}, ""},
		"sends a certificate first":         {says(message(hello.TypeCertificate, 0, 0, 0)), []Answer{Malformed}, ""},
		"chooses a version of its own":      {says(message(hello.TypeServerHello, append(append([]byte{3, 4}, make([]byte, 32)...), 0, 0xC0, 0x2F, 0)...)), []Answer{Malformed}, ""},
		"selects a version of its own":      {says(message(hello.TypeServerHello, append(append([]byte{3, 3}, make([]byte, 32)...), 0, 0xC0, 0x2F, 0, 0, 6, 0, 43, 0, 2, 0x7F, 0x1C)...)), []Answer{Malformed}, ""},
		"chooses a lower version":           {says(message(hello.TypeServerHello, append(append([]byte{3, 1}, make([]byte, 32)...), 0, 0xC0, 0x2F, 0)...)), []Answer{ServerHello}, Silent},
		"chooses a suite of its own":        {says(message(hello.TypeServerHello, append(append([]byte{3, 3}, make([]byte, 32)...), 0, 0x00, 0x2F, 0)...)), []Answer{Malformed}, ""},
		"chooses a protocol of its own":     {says(message(hello.TypeServerHello, append(append([]byte{3, 3}, make([]byte, 32)...), 0, 0xC0, 0x2F, 0, 0, 9, 0, 16, 0, 5, 0, 3, 2, 'h', '2')...)), []Answer{Malformed}, ""},
		"sends a short ServerHello":         {says(message(hello.TypeServerHello, 3, 3)), []Answer{Malformed}, ""},
		"warns, then a short ServerHello":   {says(append(alert(false, 112), message(hello.TypeServerHello, 3, 3)...)), []Answer{Malformed}, ""},
		"sends an alert of three bytes":     {says(record(21, 2, 40, 0)), []Answer{Malformed}, ""},
		"sends a broken certificate":        {says(append(serverHello(), message(hello.TypeCertificate, 0, 0, 9)...)), []Answer{ServerHello}, Malformed},
		"sends a broken ServerKeyExchange":  {says(append(serverHello(), message(hello.TypeServerKeyExchange, 3)...)), []Answer{ServerHello}, Malformed},
		"speaks HTTP":                       {says([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")), []Answer{NotTLS}, ""},
		"speaks SSH before it hears":        {func(c *net.TCPConn) { io.WriteString(c, "SSH-2.0-x\r\n"); ignores(c) }, []Answer{NotTLS}, ""},
		"says three letters, and closes":    {then(hears, false, []byte("no\n")), []Answer{NotTLS}, ""},
		"says three letters, and no more":   {says([]byte("no\n")), []Answer{Silent}, Silent},
		"ends well":                         {says(append(serverHello(), message(hello.TypeServerHelloDone)...)), []Answer{ServerHello}, ""},
		"ends well, and babbles":            {says(append(append(serverHello(), message(hello.TypeServerHelloDone)...), "garbage"...)), []Answer{ServerHello}, ""},
		"ends well, a byte at a time":       {says(bytes.Split(append(serverHello(), message(hello.TypeServerHelloDone)...), nil)...), []Answer{ServerHello}, ""},
		"ends the flight beyond the limits": {says(append(serverHello(), bytes.Repeat(message(99, make([]byte, 16000)...), 9)...)), []Answer{ServerHello}, Malformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			timeout := 400 * time.Millisecond
			if strings.HasPrefix(name, "ends") {
				timeout = 10 * time.Second
			}
			o := within(t, timeout, Target{Address: listen(t, c.serve)}, clientHello(t, suite.TLS12))
			found := false
			for _, a := range c.answer {
				found = found || a == o.Answer
			}
			if !found || o.End != c.end {
				t.Errorf("%s, end %q, want %v and %q: %v", o.Answer, o.End, c.answer, c.end, o.Err)
			}
			if o.Complete != strings.HasPrefix(name, "ends well") {
				t.Errorf("complete: %v", o.Complete)
			}
			if o.Answer == Alerted && o.Alert != 40 && o.Alert != 112 {
				t.Errorf("alert %v", o.Alert)
			}
			if o.Err != nil {
				shortLine(t, o.Err)
			}
		})
	}
}

// TestUnreachable: no connection, for each reason.
func TestUnreachable(t *testing.T) {
	raw := clientHello(t, suite.TLS12)
	if o := within(t, 5*time.Second, Target{Address: "no-such-name.invalid:443"}, raw); o.Answer != NoAddress {
		t.Errorf("unresolvable: %s, %v", o.Answer, o.Err)
	}
	if o := within(t, 5*time.Second, Target{Address: "127.0.0.1:1"}, raw); o.Answer != Refused {
		t.Errorf("refusing: %s, %v", o.Answer, o.Err)
	}
	if o := within(t, 300*time.Millisecond, Target{Address: fullBacklog(t)}, raw); o.Answer != ConnectTimeout {
		t.Errorf("silent: %s, %v", o.Answer, o.Err)
	}
	p := &Prober{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.EHOSTUNREACH)}
	}}
	if o := p.Hello(context.Background(), Target{Address: "192.0.2.1:443"}, raw); o.Answer != Unreachable || o.Answer.Reached() {
		t.Errorf("no route: %s, %v", o.Answer, o.Err)
	}
}

// fullBacklog is an address that answers no SYN: a listener that accepts nothing, whose queue is full. That Linux
// drops what does not fit is its own way; others may refuse.
func fullBacklog(t *testing.T) string {
	if runtime.GOOS != "linux" {
		t.Skip("the queue of a listener is Linux's own")
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	port := name.(*syscall.SockaddrInet4).Port
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	for range 4 {
		c, err := net.DialTimeout("tcp", address, 200*time.Millisecond)
		if err != nil {
			return address
		}
		t.Cleanup(func() { c.Close() })
	}
	t.Skip("the listener's queue does not fill")
	return ""
}

// TestCancel: a diagnosis that is given up ends at once, whatever the server does.
func TestCancel(t *testing.T) {
	for _, target := range []Target{{Address: listen(t, ignores)}, {Address: listen(t, ignores), StartTLS: SMTP}} {
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(100*time.Millisecond, cancel)
		start := time.Now()
		(&Prober{Timeout: time.Minute}).Hello(ctx, target, clientHello(t, suite.TLS12))
		if d := time.Since(start); d > slack {
			t.Errorf("took %v", d)
		}
	}
}
