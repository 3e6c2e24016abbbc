package diagnose

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/client"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/testbed"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// listen serves every connection with serve until the test ends.
func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	return testbed.Listen(t, 10*time.Second, serve)
}

// goServer serves with Go's crypto/tls.
func goServer(t *testing.T, config *tls.Config) string {
	return listen(t, func(c net.Conn) { tls.Server(c, config).Handshake() })
}

func configOf(t *testing.T, specs ...testbed.Spec) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	for _, s := range specs {
		c.Certificates = append(c.Certificates, testbed.Make(t, s).TLS)
	}
	return c
}

// verdict is what a faulty server or middlebox does with a hello.
type verdict int

const (
	pass verdict = iota
	reset
	alert40
	alert112
	drop
)

// gate stands before a server and looks at every hello, as a faulty server or a middlebox does. It answers
// for the server where judge says so; else it relays. limit cuts what the server sends after so many bytes,
// and change may alter the hello.
func gate(t *testing.T, upstream string, judge func(h *hello.ClientHello, raw []byte) verdict, change func(*hello.ClientHello), limit int64) string {
	return listen(t, func(c net.Conn) {
		var raw []byte
		buf := make([]byte, 1<<14)
		var h *hello.ClientHello
		for h == nil {
			n, err := c.Read(buf)
			if err != nil {
				return
			}
			raw = append(raw, buf[:n]...)
			h, _ = hello.ParseClientHello(raw)
		}
		switch judge(h, raw) {
		case reset:
			c.(*net.TCPConn).SetLinger(0)
			return
		case alert40:
			c.Write(hello.MarshalAlert(suite.TLS12, true, suite.AlertHandshakeFailure))
			return
		case alert112:
			c.Write(hello.MarshalAlert(suite.TLS12, true, suite.AlertUnrecognizedName))
			return
		case drop:
			io.Copy(io.Discard, c)
			return
		}
		u, err := net.Dial("tcp", upstream)
		if err != nil {
			return
		}
		defer u.Close()
		if change != nil {
			change(h)
			if raw, err = h.Marshal(); err != nil {
				return
			}
		}
		u.Write(raw)
		go io.Copy(u, c)
		if limit > 0 {
			io.CopyN(c, u, limit)
			time.Sleep(2 * time.Second) // the rest is lost
			return
		}
		io.Copy(c, u)
	})
}

func everything(*hello.ClientHello, []byte) verdict { return pass }

func profile(t *testing.T, name string) *ClientSide {
	t.Helper()
	p, err := client.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return FromProfile(p)
}

// custom is a hello of one's own.
func custom(t *testing.T, change func(*hello.Offer)) *ClientSide {
	t.Helper()
	o := hello.Offer{Versions: []suite.Version{suite.TLS13, suite.TLS12}, Suites: []suite.Code{0x1301, 0x1302, 0xC02B, 0xC02F, 0xC02C, 0xC030}, ServerName: testbed.HostName,
		HasGroups: true, Groups: []suite.Group{suite.X25519, suite.Secp256r1}, KeyShares: []suite.Group{suite.X25519}, PointFormats: []byte{0}, HasSchemes: true,
		Schemes: []suite.SignatureScheme{suite.ECDSASecp256r1SHA256, suite.RSAPSSRSAESHA256, suite.RSAPKCS1SHA256}, SecureReneg: true, ExtendedMaster: true}
	change(&o)
	h, err := hello.Build(&o, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return FromHello("custom", h)
}

func live(t *testing.T, c *ClientSide, address, name string, edit func(*Options)) *Diagnosis {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	opt := Options{Prober: &probe.Prober{Timeout: time.Second}, Now: time.Now()}
	if edit != nil {
		edit(&opt)
	}
	d := Live(context.Background(), c, &Endpoint{Name: address, Host: host, Port: port, Addresses: []string{host}, ServerName: name}, opt)
	valid(t, "why", d)
	return d
}

// valid holds a report against the published schema.
func valid(t *testing.T, schema string, report any) {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile("../docs/schema/" + schema + ".schema.json")
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(doc); err != nil {
		t.Errorf("the report breaks %s.schema.json: %v\n%s", schema, err, b)
	}
}

type causeCase struct {
	id      cause.ID
	client  *ClientSide
	address string
	name    string
	edit    func(*Options)
}

// TestCauses: every cause of the stages network and hello, and those of the certificate that a profile's
// rules decide, on a real server or one that is faulty in just this way.
func TestCauses(t *testing.T) {
	rsa := goServer(t, configOf(t, testbed.RSA2048))
	only12 := func(o *hello.Offer) { o.Versions = []suite.Version{suite.TLS12} }
	cases := []causeCase{
		{cause.NoCommonVersion, profile(t, "java-7u25"), rsa, testbed.HostName, nil},
		{cause.NoCommonCipher, custom(t, func(o *hello.Offer) { only12(o); o.Suites = []suite.Code{0x006B, 0x0033} }), rsa, testbed.HostName, nil},
		{cause.CipherNeedsOtherCertificate, custom(t, func(o *hello.Offer) { only12(o); o.Suites = []suite.Code{0xC02F} }), openssl(t, testbed.P256, "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"), testbed.HostName, nil},
		{cause.NoCommonGroup, custom(t, func(o *hello.Offer) {
			o.Versions = []suite.Version{suite.TLS13}
			o.Groups, o.KeyShares = []suite.Group{suite.Secp521r1}, []suite.Group{suite.Secp521r1}
		}), openssl(t, testbed.RSA2048, "-groups", "X25519:P-256"), testbed.HostName, nil},
		{cause.NoCommonSignatureAlgorithm, custom(t, func(o *hello.Offer) { o.Schemes = []suite.SignatureScheme{suite.ECDSASecp256r1SHA256} }), rsa, testbed.HostName, nil},
		{cause.NoCommonALPN, custom(t, func(o *hello.Offer) { o.ALPN = []string{"spdy/3"} }), goServer(t, func() *tls.Config { c := configOf(t, testbed.RSA2048); c.NextProtos = []string{"h2"}; return c }()), testbed.HostName, nil},
		{cause.InappropriateFallback, custom(t, func(o *hello.Offer) { only12(o); o.FallbackSCSV = true }), rsa, testbed.HostName, nil},
		{cause.SSLv2HelloRefused, custom(t, func(o *hello.Offer) {
			*o = hello.Offer{Versions: []suite.Version{suite.TLS12}, Suites: []suite.Code{0xC02F, 0xC013}, SSLv2Format: true, SecureReneg: true}
		}), rsa, testbed.HostName, nil},
		{cause.SNIRequired, custom(t, func(o *hello.Offer) { o.ServerName = "" }), gate(t, rsa, func(h *hello.ClientHello, _ []byte) verdict {
			if !h.HasExtension(hello.ExtServerName) {
				return alert40
			}
			return pass
		}, nil, 0), testbed.HostName, nil},
		{cause.SNIUnknown, custom(t, func(o *hello.Offer) { o.ServerName = "other.example.net" }), gate(t, rsa, func(h *hello.ClientHello, _ []byte) verdict {
			if n := h.Offer().ServerName; n != "" && n != testbed.HostName {
				return alert112
			}
			return pass
		}, nil, 0), testbed.HostName, nil},
		{cause.VersionIntolerance, custom(t, func(o *hello.Offer) {}), gate(t, goServer(t, func() *tls.Config { c := configOf(t, testbed.RSA2048); c.MaxVersion = tls.VersionTLS12; return c }()), func(h *hello.ClientHello, _ []byte) verdict {
			if h.HasExtension(hello.ExtSupportedVersions) {
				return reset
			}
			return pass
		}, nil, 0), testbed.HostName, nil},
		{cause.ExtensionIntolerance, custom(t, func(o *hello.Offer) {
			o.Extensions = []uint16{hello.ExtCompressCertificate, hello.ExtSCT, hello.ExtStatusRequest}
		}), gate(t, rsa, func(h *hello.ClientHello, _ []byte) verdict {
			if h.HasExtension(hello.ExtCompressCertificate) {
				return reset
			}
			return pass
		}, nil, 0), testbed.HostName, nil},
		{cause.HelloSizeIntolerance, manySuites(t), gate(t, rsa, func(h *hello.ClientHello, _ []byte) verdict {
			if len(h.Suites) > 128 {
				return reset
			}
			return pass
		}, nil, 0), testbed.HostName, nil},
		{cause.LargeHelloDropped, profile(t, "go-1.26"), gate(t, rsa, func(_ *hello.ClientHello, raw []byte) verdict {
			if len(raw) > 1400 {
				return drop
			}
			return pass
		}, nil, 0), testbed.HostName, nil},
		{cause.ExtendedMasterSecretRequired, custom(t, func(o *hello.Offer) { only12(o); o.ExtendedMaster = false }), gate(t, rsa, func(h *hello.ClientHello, _ []byte) verdict {
			if !h.HasExtension(hello.ExtExtendedMasterSecret) {
				return alert40
			}
			return pass
		}, nil, 0), testbed.HostName, nil},
		{cause.LegacyRenegotiationDisabled, custom(t, func(o *hello.Offer) { only12(o); o.SecureReneg = false }), gate(t, rsa, func(h *hello.ClientHello, _ []byte) verdict {
			if !h.Offer().SecureReneg {
				return alert40
			}
			return pass
		}, nil, 0), testbed.HostName, nil},
		{cause.MiddleboxInterference, profile(t, "go-1.26"), gate(t, rsa, everything, func(h *hello.ClientHello) { h.SetVersions(suite.TLS12) }, 0), testbed.HostName, nil},
		{cause.MTUBlackhole, profile(t, "openssl-1.0.2"), gate(t, rsa, everything, nil, 300), testbed.HostName, nil},
		{cause.ConnectionReset, profile(t, "go-1.26"), gate(t, rsa, func(*hello.ClientHello, []byte) verdict { return reset }, nil, 0), testbed.HostName, nil},
		{cause.ConnectionRefused, profile(t, "go-1.26"), "127.0.0.1:1", testbed.HostName, nil},
		{cause.ConnectionTimeout, profile(t, "go-1.26"), "127.0.0.1:9", testbed.HostName, func(o *Options) {
			o.Prober.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
		}},
		{cause.PlainHTTPOnTLSPort, profile(t, "go-1.26"), listen(t, func(c net.Conn) {
			c.Read(make([]byte, 1000))
			io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
		}), testbed.HostName, nil},
		{cause.NotTLS, profile(t, "go-1.26"), listen(t, func(c net.Conn) { io.WriteString(c, "SSH-2.0-OpenSSH_9.2\r\n"); c.Read(make([]byte, 1000)) }), testbed.HostName, nil},
		{cause.TLSOnSTARTTLSPort, profile(t, "go-1.26"), smtp(t, configOf(t, testbed.RSA2048)), testbed.HostName, nil},
		{cause.HTTPSentToTLS, &ClientSide{Name: "curl", Kind: "hello", Plain: []byte("GET / HTTP/1.1")}, rsa, testbed.HostName, nil},
		{cause.ProtocolViolation, profile(t, "go-1.26"), listen(t, func(c net.Conn) { c.Read(make([]byte, 1000)); c.Write([]byte{22, 3, 3, 0, 5, 2, 0, 0, 1, 9}) }), testbed.HostName, nil},
		{cause.WeakCertificateKey, profile(t, "nodejs-24"), goServer(t, configOf(t, testbed.RSA1024)), testbed.HostName, nil},
		{cause.CertificateExpired, profile(t, "nodejs-20"), rsa, testbed.HostName, func(o *Options) { o.Now = time.Now().Add(200 * 24 * time.Hour) }},
		{cause.CertificateNameMismatch, profile(t, "nodejs-20"), rsa, "www.example.org", nil},
		{cause.CertificateChainIncomplete, profile(t, "nodejs-20"), goServer(t, configOf(t, incomplete)), testbed.HostName, func(o *Options) {
			o.Roots, o.CAGiven = pool(t, testbed.Make(t, incomplete).CA), true
		}},
		{cause.CertificateUntrusted, profile(t, "nodejs-20"), goServer(t, configOf(t, withIntermediate)), testbed.HostName, func(o *Options) {
			o.Roots, o.CAGiven = pool(t, testbed.Make(t, testbed.RSA2048).CA), true
		}},
	}
	for _, c := range cause.All {
		elsewhere := c.ID == cause.DNSFailure // TestUnresolved
		if (c.Stage == cause.Network || c.Stage == cause.Hello) && !elsewhere && !slices.ContainsFunc(cases, func(x causeCase) bool { return x.id == c.ID }) {
			t.Errorf("no case for %s", c.ID)
		}
	}
	for _, c := range cases {
		t.Run(string(c.id), func(t *testing.T) {
			t.Parallel()
			d := live(t, c.client, c.address, c.name, c.edit)
			if len(d.Causes) == 0 || d.Causes[0].ID != c.id || d.Outcome == Negotiated {
				t.Fatalf("outcome %s, causes %+v\nfindings %+v", d.Outcome, d.Causes, d.Findings)
			}
			k := d.Causes[0]
			if k.Summary == "" || len(k.Evidence) == 0 || k.Stage == "" || k.Confidence <= 0 {
				t.Errorf("a cause without words or evidence: %+v", k)
			}
			if d.Connections > 40 && !strings.Contains(string(c.id), "intolerance") && c.id != cause.LargeHelloDropped {
				t.Errorf("%d connections", d.Connections)
			}
			t.Logf("%s (%d connections, %d round trips)", k.Summary, d.Connections, d.RoundTrips)
		})
	}
}

// TestUnresolved: a name without an address is a diagnosis, not an error.
func TestUnresolved(t *testing.T) {
	e := &Endpoint{Name: "lb.example.invalid", Host: "lb.example.invalid", Port: "443", LookupErr: errors.New("no such host")}
	opt := Options{Prober: &probe.Prober{}, Now: time.Now()}
	d := Live(context.Background(), profile(t, "go-1.26"), e, opt)
	valid(t, "why", d)
	if d.Outcome != Unreachable || len(d.Causes) != 1 || d.Causes[0].ID != cause.DNSFailure || d.Connections != 0 {
		t.Errorf("%+v", d)
	}
	table := AllClients(context.Background(), e, opt)
	valid(t, "why-clients", table)
	if table.Reached || len(table.Causes) != 1 || table.Causes[0].ID != cause.DNSFailure {
		t.Errorf("%+v", table)
	}
}

// TestWeakDigest: a client that takes no SHA-1 in a certificate's signature.
func TestWeakDigest(t *testing.T) {
	spec := testbed.Spec{Name: "sha1", Key: policy.RSA, Bits: 2048, SHA1: true}
	d := live(t, profile(t, "nodejs-24"), goServer(t, configOf(t, spec)), testbed.HostName, nil)
	if len(d.Causes) == 0 || d.Causes[0].ID != cause.WeakCertificateKey || !strings.Contains(d.Causes[0].Summary, "SHA1") {
		t.Errorf("outcome %s, causes %+v", d.Outcome, d.Causes)
	}
	d = live(t, profile(t, "nodejs-8"), goServer(t, configOf(t, spec)), testbed.HostName, func(o *Options) { o.Roots, o.CAGiven = pool(t, testbed.Make(t, spec).CA), true })
	if d.Outcome != Negotiated || len(d.Causes) != 0 {
		t.Errorf("a client that takes it: outcome %s, causes %+v", d.Outcome, d.Causes)
	}
}

// TestLargeAnswersLost: packets of full size from the server are lost, small ones come through. Before TLS 1.3 the
// small ones are alerts, with it also the HelloRetryRequest.
func TestLargeAnswersLost(t *testing.T) {
	for name, upstream := range map[string]string{
		"TLS 1.3": goServer(t, configOf(t, testbed.RSA2048)),
		"TLS 1.2": goServer(t, func() *tls.Config { c := configOf(t, testbed.RSA2048); c.MaxVersion = tls.VersionTLS12; return c }()),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := listen(t, func(c net.Conn) {
				u, err := net.Dial("tcp", upstream)
				if err != nil {
					return
				}
				defer u.Close()
				go io.Copy(u, c)
				buf := make([]byte, 1<<16)
				n, _ := u.Read(buf)
				if n > 600 {
					time.Sleep(2 * time.Second) // lost, and lost again when sent again
					return
				}
				c.Write(buf[:n])
			})
			d := live(t, profile(t, "go-1.26"), address, testbed.HostName, nil)
			if len(d.Causes) == 0 || d.Causes[0].ID != cause.MTUBlackhole {
				t.Errorf("outcome %s, causes %+v", d.Outcome, d.Causes)
			}
		})
	}
}

var withIntermediate = testbed.Spec{Name: "with-intermediate", Key: policy.RSA, Bits: 2048, Intermediate: true}

var incomplete = testbed.Spec{Name: "incomplete", Key: policy.RSA, Bits: 2048, Intermediate: true, Incomplete: true}

func pool(t *testing.T, path string) *x509.CertPool {
	pem, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p := x509.NewCertPool()
	p.AppendCertsFromPEM(pem)
	return p
}

// manySuites offers 150 suites and one that the server has.
func manySuites(t *testing.T) *ClientSide {
	return custom(t, func(o *hello.Offer) {
		o.Versions = []suite.Version{suite.TLS12}
		for _, s := range suite.All() {
			if s.Code <= 0xFFFF && !s.Signalling && s.MaxVersion == suite.TLS12 && !slices.Contains(o.Suites, s.Code) && len(o.Suites) < 150 {
				o.Suites = append(o.Suites, s.Code)
			}
		}
	})
}

func openssl(t *testing.T, spec testbed.Spec, options ...string) string {
	testbed.Need(t, "openssl")
	id := testbed.Make(t, spec)
	port := testbed.FreePort(t)
	return testbed.Run(t, port, "openssl", append([]string{"s_server", "-accept", fmt.Sprintf("127.0.0.1:%d", port), "-cert", id.Cert, "-key", id.Key, "-quiet"}, options...)...).Addr
}

// smtp upgrades to TLS as RFC 3207 says.
func smtp(t *testing.T, config *tls.Config) string {
	return listen(t, func(c net.Conn) {
		io.WriteString(c, "220 mail.example.com ESMTP\r\n")
		buf := make([]byte, 2000)
		for {
			n, err := c.Read(buf)
			if err != nil {
				return
			}
			switch line := string(buf[:n]); {
			case strings.HasPrefix(line, "EHLO"):
				io.WriteString(c, "250-mail.example.com\r\n250 STARTTLS\r\n")
			case strings.HasPrefix(line, "STARTTLS"):
				io.WriteString(c, "220 go\r\n")
				tls.Server(c, config).Handshake()
				return
			default:
				io.WriteString(c, "500 unrecognised\r\n")
				return
			}
		}
	})
}

// TestRepeatTellsARealDifference: a middlebox that resets four of ten large hellos.
func TestRepeatTellsARealDifference(t *testing.T) {
	rsa := goServer(t, configOf(t, testbed.RSA2048))
	count := make(chan int, 1)
	count <- 0
	address := gate(t, rsa, func(_ *hello.ClientHello, raw []byte) verdict {
		if len(raw) < 1000 {
			return pass
		}
		n := <-count
		count <- n + 1
		if n%10 > 5 {
			return reset
		}
		return pass
	}, nil, 0)
	d := live(t, profile(t, "go-1.26"), address, testbed.HostName, func(o *Options) { o.Repeat = 30 })
	if d.Repeat == nil || !d.Repeat.Differs || d.Repeat.B.Failures != 0 || d.Repeat.A.Failures != 12 || d.Causes[0].ID != cause.LargeHelloDropped {
		t.Errorf("%+v\n%+v", d.Repeat, d.Causes)
	}
}

// TestWorks: clients that get in, and what they agree on.
func TestWorks(t *testing.T) {
	rsa := goServer(t, configOf(t, testbed.RSA2048))
	for _, name := range []string{"go-1.26", "nodejs-20", "chrome-137", "openssl-1.0.2e"} {
		d := live(t, profile(t, name), rsa, testbed.HostName, nil)
		if d.Outcome != Negotiated || d.Negotiated == nil || len(d.Causes) != 0 {
			t.Errorf("%s: %s %+v", name, d.Outcome, d.Causes)
		}
	}
}
