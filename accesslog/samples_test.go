package accesslog

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/evidence"
	"github.com/parley-tls/parley/suite"
)

const (
	sampleALB = `https 2026-11-20T09:14:03.512334Z app/shop-alb/50dc6c495c0c9188 203.0.113.44:51322 10.0.2.17:8080 0.001 0.021 0.000 200 200 312 4821 "GET https://shop.example.com:443/cart HTTP/1.1" "okhttp/3.12.1" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/shop/73e2d6bc24d8a067 "Root=1-6740a1bb-2f4c1d9e0a7b3c5d6e8f9012" "shop.example.com" "arn:aws:acm:eu-west-1:111122223333:certificate/12345678-1234-1234-1234-123456789012" 10 2026-11-20T09:14:03.490000Z "forward" "-" "-" "10.0.2.17:8080" "200" "-" "-" TID_0f3a5c7e9b1d2f4a6c8e0b2d4f6a8c0e "-" "-" "-" 192.0.2.10`
	// as of 2016, without the server's name
	sampleOldALB  = `h2 2016-08-10T23:39:43.065466Z app/my-alb/50dc6c495c0c9188 [2001:db8::7]:2817 10.0.0.1:80 -1 -1 -1 464 - 34 366 "GET https://www.example.com:443/ HTTP/2.0" "my \"agent\" 1" ECDHE-RSA-AES256-SHA TLSv1 arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/t/73e2d6bc24d8a067 "Root=1-58337262-36d228ad5d99923122bbe354"`
	samplePlain   = `http 2026-11-20T09:14:03.512334Z app/shop-alb/50dc6c495c0c9188 203.0.113.44:51322 - -1 -1 -1 301 - 312 0 "GET http://shop.example.com:80/ HTTP/1.1" "curl/8" - - - "Root=1-6740a1bb-2f4c1d9e0a7b3c5d6e8f9012" "-" "-" 0 2026-11-20T09:14:03.490000Z "redirect" "https://shop.example.com:443/" "-" "-" "-" "-" "-"`
	sampleSuccess = `2026-11-20T09:14:03.512334Z 203.0.113.44 51322 443 TLSv1.3 TLS_AES_128_GCM_SHA256 0.009 "CN=pos-17,O=Example Retail" NotBefore=2026-01-01T00:00:00Z;NotAfter=2027-01-01T00:00:00Z 0A1B2C3D4E5F Success TID_0f3a5c7e9b1d2f4a6c8e0b2d4f6a8c0e X25519MLKEM768 app/shop-alb/50dc6c495c0c9188 192.0.2.10`
	sampleFailed  = `2026-11-20T09:15:41.002118Z 198.51.100.7 40122 443 - - - "-" - - Failed:UnmappedConnectionError TID_7be1d09c4f2e4a6ab1c3d5e7f9012345 - app/shop-alb/50dc6c495c0c9188 192.0.2.10`
	// as of 2023: 12 fields, and with a hyphen at the end
	sampleExpired    = `2023-11-28T09:15:41.002118Z 2001:db8::9 40122 443 TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256 - "CN=old" NotBefore=2020-01-01T00:00:00Z;NotAfter=2021-01-01T00:00:00Z 0A Failed:ClientCertExpired TID_7be1d09c4f2e4a6ab1c3d5e7f9012345 -`
	sampleNLB        = `tls 2.0 2026-11-20T09:14:03 net/edge-nlb/c6e77e28c25b2234 g3d4b5e8bb8464cd 203.0.113.44:51341 10.0.3.21:443 118 41 912 3377 - arn:aws:acm:eu-west-1:111122223333:certificate/2a108f19-aded-46b0-8493-c63eb1ef4a99 - ECDHE-RSA-AES128-GCM-SHA256 tlsv12 - api.example.com h2 - "h2","http/1.1" 2026-11-20T09:14:03`
	sampleNLBAlert   = `tls 2.0 2026-11-20T09:15:41 net/edge-nlb/c6e77e28c25b2234 g3d4b5e8bb8464cd 198.51.100.7:40155 10.0.3.21:443 36 - 0 0 48 arn:aws:acm:eu-west-1:111122223333:certificate/2a108f19-aded-46b0-8493-c63eb1ef4a99 - - - - api.example.com - - - 2026-11-20T09:15:41`
	sampleNLBFailed  = `tls 2.0 2026-11-20T09:15:42 net/edge-nlb/c6e77e28c25b2234 g3d4b5e8bb8464cd 198.51.100.7:40156 10.0.3.21:443 36 - 0 0 - - - - - - - - - - 2026-11-20T09:15:42`
	sampleClassic    = `2026-11-20T09:14:03.120435Z legacy-clb 203.0.113.44:2817 10.0.0.5:80 0.000086 0.001048 0.000057 200 200 0 57 "GET https://www.example.com:443/ HTTP/1.1" "curl/8.5.0" DES-CBC3-SHA TLSv1`
	sampleClassicTCP = `2026-11-20T09:14:03.120435Z legacy-clb 203.0.113.44:2817 10.0.0.5:80 0.001069 0.000028 0.000041 - - 82 305 "- - - " "-" - -`
	sampleClassic14  = `2014-02-15T23:39:43.945958Z my-lb 192.168.131.39:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 29 "GET http://www.example.com: HTTP/1.1"`
	sampleHTTPSLog   = `127.0.0.1:36276 [28/Nov/2026:20:31:05.970] a~ a/<NOSRV> 0/-1/-1/-1/0 200 73 - - LR-- 1/1/0/0/0 0/0 "GET /x HTTP/1.1" 0/0000000000000000/0/0/0 localhost/TLSv1.3/TLS_AES_256_GCM_SHA384`
	sampleHTTPSHdr   = `Nov 28 20:31:05 lb1 haproxy[1234]: 2001:db8::1:36276 [28/Nov/2026:20:31:05.970] a~ a/s1 0/0/1/2/3 200 73 - - ---- 1/1/0/0/0 0/0 {curl/8|x} {} "GET /x HTTP/1.1" 0/0000000000000000/0/0/0 localhost/TLSv1.3/TLS_AES_256_GCM_SHA384`
	sampleHandshake  = `192.168.1.1:33283 [28/Feb/2026:02:07:51.623] web/1: SSL handshake failure (error:0A0000C1:SSL routines::no shared cipher)`
	sampleHandshake0 = `127.0.0.1:36284 [28/Nov/2026:20:31:06.009] a/1: SSL handshake failure`
	sampleNginxError = `2026/11/28 20:31:14 [info] 30548#30548: *6 SSL_do_handshake() failed (SSL: error:0A000418:SSL routines::tlsv1 alert unknown ca:SSL alert number 48) while SSL handshaking, client: 127.0.0.1, server: 127.0.0.1:21011`
	sampleNginxOther = `2026/11/28 20:31:13 [notice] 30548#30548: using the "epoll" event method`
	sampleNginxHTTP  = `2026/11/28 20:31:14 [info] 30548#30548: *8 client sent plain HTTP request to HTTPS port while reading client request headers, client: 127.0.0.1, server: , request: "GET / HTTP/1.1", host: "127.0.0.1:21011"`
	sampleJSON       = `{"time":"2026-11-28T20:31:14+01:00","remote_addr":"203.0.113.9","server":"lb:443","ssl_protocol":"TLSv1.2","ssl_cipher":"ECDHE-RSA-AES256-GCM-SHA384","ssl_curve":"X25519","ssl_ciphers":"0x2a2a:ECDHE-RSA-AES256-GCM-SHA384:0x00ff","ssl_curves":"X25519:0x6399:prime256v1","ssl_server_name":"a.example","http_user_agent":"my \"agent\"","status":200,"more":{"x":["}"]}}`
	sampleKeyValue   = `client=203.0.113.9 time=1795897866 frontend=b~ ssl_fc_protocol=TLSv1.3 ssl_fc_cipher=TLS_AES_256_GCM_SHA384 ssl_fc_sni=- ssl_fc_protocol_hello_id=771 ssl_fc_cipherlist_bin=4866-4867-255 ssl_fc_eclist_bin=29-23 ssl_fc_extlist_bin=11-10 ua="curl/8 \"x\""`
	sampleKeyFailed  = `client=127.0.0.1 time=1795897866 frontend=b~ ssl_fc_err=167772353 ssl_fc_err_str="error:0A0000C1:SSL routines::no shared cipher" ssl_fc_cipherlist_bin=60-255 ssl_fc_protocol_hello_id=771 fc_err_str="SSL handshake failure"`
	sampleKeyCode    = `client=127.0.0.1 ssl_fc_err=167773208 fc_err_str="SSL handshake failure"`
	sampleKeyPlain   = `remote_addr=127.0.0.1 time=2026-11-28T20:31:14+00:00 ssl_protocol=- ssl_cipher=- ssl_curve=- ssl_ciphers=- ssl_curves=- ua="curl/7.88.1"`
)

func outcome(v suite.Version, s suite.Code, g suite.Group) evidence.Outcome {
	return evidence.Outcome{Result: evidence.Established, Version: v, Suite: s, Group: g}
}

func failure(words string, why cause.ID) evidence.Outcome {
	return evidence.Outcome{Result: evidence.Failed, Failure: words, Cause: why}
}

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return t.UTC()
}

// TestNewGroup: a group with a name of tomorrow spoils no line.
func TestNewGroup(t *testing.T) {
	for _, c := range []struct {
		parse parser
		line  string
	}{{parseALBConnection, sampleSuccess}, {parseNLB, sampleNLB}} {
		line := strings.Replace(strings.Replace(c.line, "X25519MLKEM768", "P384MLKEM4096", 1), " tlsv12 - ", " tlsv12 P384MLKEM4096 ", 1)
		var got evidence.Connection
		if v := c.parse(newDecoder(), line, &got); v != handshake || got.Outcome.Suite == 0 || got.Outcome.Group != 0 || got.Server == "" || line == c.line {
			t.Errorf("%v %+v of %s", v, got, line)
		}
	}
}

// TestLines reads a line in each of the vendors' formats, older ones included. None is read as another format.
func TestLines(t *testing.T) {
	addr := netip.MustParseAddr
	expired := failure("ClientCertExpired", cause.ClientCertificateRejected)
	expired.Version, expired.Suite = suite.TLS12, 0xC02F
	for _, c := range []struct {
		name, line string
		format     Format
		want       *evidence.Connection // nil: plain
	}{
		{"ALB", sampleALB, ALB, &evidence.Connection{Time: at("2026-11-20T09:14:03.512334Z"), Client: addr("203.0.113.44"), Server: "app/shop-alb/50dc6c495c0c9188",
			Name: "shop.example.com", UserAgent: "okhttp/3.12.1", Request: true, Outcome: outcome(suite.TLS12, 0xC02F, 0)}},
		{"old ALB", sampleOldALB, ALB, &evidence.Connection{Time: at("2016-08-10T23:39:43.065466Z"), Client: addr("2001:db8::7"), Server: "app/my-alb/50dc6c495c0c9188",
			UserAgent: `my \"agent\" 1`, Request: true, Outcome: outcome(suite.TLS10, 0xC014, 0)}},
		{"ALB without TLS", samplePlain, ALB, nil},
		{"ALB connection", sampleSuccess, ALBConnections, &evidence.Connection{Time: at("2026-11-20T09:14:03.512334Z"), Client: addr("203.0.113.44"),
			Server: "app/shop-alb/50dc6c495c0c9188", Outcome: outcome(suite.TLS13, 0x1301, suite.X25519MLKEM768)}},
		{"failed ALB connection", sampleFailed, ALBConnections, &evidence.Connection{Time: at("2026-11-20T09:15:41.002118Z"), Client: addr("198.51.100.7"),
			Server: "app/shop-alb/50dc6c495c0c9188", Outcome: failure("UnmappedConnectionError", "")}},
		{"client certificate", sampleExpired, ALBConnections, &evidence.Connection{Time: at("2023-11-28T09:15:41.002118Z"), Client: addr("2001:db8::9"), Outcome: expired}},
		{"NLB", sampleNLB, NLB, &evidence.Connection{Time: at("2026-11-20T09:14:03Z"), Client: addr("203.0.113.44"), Server: "net/edge-nlb/c6e77e28c25b2234",
			Name: "api.example.com", Outcome: outcome(suite.TLS12, 0xC02F, 0)}},
		{"NLB alert", sampleNLBAlert, NLB, &evidence.Connection{Time: at("2026-11-20T09:15:41Z"), Client: addr("198.51.100.7"), Server: "net/edge-nlb/c6e77e28c25b2234",
			Name: "api.example.com", Outcome: failure("alert from the client: unknown_ca", cause.CertificateUntrusted)}},
		{"NLB failure", sampleNLBFailed, NLB, &evidence.Connection{Time: at("2026-11-20T09:15:42Z"), Client: addr("198.51.100.7"), Server: "net/edge-nlb/c6e77e28c25b2234",
			Outcome: failure(noAlert, "")}},
		{"Classic", sampleClassic, Classic, &evidence.Connection{Time: at("2026-11-20T09:14:03.120435Z"), Client: addr("203.0.113.44"), Server: "legacy-clb",
			UserAgent: "curl/8.5.0", Request: true, Outcome: outcome(suite.TLS10, 0x000A, 0)}},
		{"Classic TCP", sampleClassicTCP, Classic, nil},
		{"Classic of 2014", sampleClassic14, Classic, nil},
		{"HAProxy", sampleHTTPSLog, HAProxy, &evidence.Connection{Time: at("2026-11-28T20:31:05.970Z"), Client: addr("127.0.0.1"), Server: "a", Name: "localhost",
			Request: true, Outcome: outcome(suite.TLS13, 0x1302, 0)}},
		{"HAProxy by syslog", sampleHTTPSHdr, HAProxy, &evidence.Connection{Time: at("2026-11-28T20:31:05.970Z"), Client: addr("2001:db8::1"), Server: "a", Name: "localhost",
			Request: true, Outcome: outcome(suite.TLS13, 0x1302, 0)}},
		{"HAProxy failure", sampleHandshake, HAProxy, &evidence.Connection{Time: at("2026-02-28T02:07:51.623Z"), Client: addr("192.168.1.1"), Server: "web",
			Outcome: failure("no shared cipher", "")}},
		{"HAProxy failure without a reason", sampleHandshake0, HAProxy, &evidence.Connection{Time: at("2026-11-28T20:31:06.009Z"), Client: addr("127.0.0.1"), Server: "a",
			Outcome: failure("SSL handshake failure", "")}},
		{"nginx error", sampleNginxError, NginxError, &evidence.Connection{Time: at("2026-11-28T20:31:14Z"), Client: addr("127.0.0.1"), Server: "127.0.0.1:21011",
			Outcome: failure("tlsv1 alert unknown ca", cause.CertificateUntrusted)}},
		{"nginx notice", sampleNginxOther, NginxError, nil},
		{"nginx HTTP", sampleNginxHTTP, NginxError, &evidence.Connection{Time: at("2026-11-28T20:31:14Z"), Client: addr("127.0.0.1"),
			Outcome: failure("client sent plain HTTP request to HTTPS port", cause.HTTPSentToTLS)}},
		{"JSON", sampleJSON, JSON, &evidence.Connection{Time: at("2026-11-28T19:31:14Z"), Client: addr("203.0.113.9"), Server: "lb:443", Name: "a.example",
			UserAgent: `my "agent"`, Request: true, Outcome: outcome(suite.TLS12, 0xC030, suite.X25519),
			Offered: &evidence.Offered{Suites: []suite.Code{0xC030, 0x00FF}, Groups: []suite.Group{suite.X25519, 0x6399, suite.Secp256r1}}}},
		{"key=value", sampleKeyValue, KeyValue, &evidence.Connection{Time: at("2026-11-28T20:31:06Z"), Client: addr("203.0.113.9"), Server: "b", UserAgent: `curl/8 \"x\"`,
			Request: true, Outcome: outcome(suite.TLS13, 0x1302, 0), Offered: &evidence.Offered{Version: suite.TLS12, Suites: []suite.Code{0x1302, 0x1303, 0xFF},
				Groups: []suite.Group{suite.X25519, suite.Secp256r1}, Extensions: []uint16{11, 10}}}},
		{"key=value failure", sampleKeyFailed, KeyValue, &evidence.Connection{Time: at("2026-11-28T20:31:06Z"), Client: addr("127.0.0.1"), Server: "b",
			Outcome: failure("no shared cipher", ""), Offered: &evidence.Offered{Version: suite.TLS12, Suites: []suite.Code{0x3C, 0xFF}}}},
		{"key=value code", sampleKeyCode, KeyValue, &evidence.Connection{Client: addr("127.0.0.1"), Outcome: failure("alert from the client: unknown_ca", cause.CertificateUntrusted)}},
		{"key=value without TLS", sampleKeyPlain, KeyValue, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, d := range Formats() {
				if d.parse == nil {
					continue
				}
				var got evidence.Connection
				v := d.parse(newDecoder(), c.line, &got)
				switch {
				case d.Format != c.format:
					if v != bad {
						t.Errorf("read as %s too: %+v", d.Format, got)
					}
				case c.want == nil:
					if v != plain {
						t.Errorf("verdict %d, want plain", v)
					}
				case v != handshake || !reflect.DeepEqual(&got, c.want):
					t.Errorf("verdict %d\ngot  %+v\nwant %+v", v, got, *c.want)
				}
			}
		})
	}
}

// TestTruncated cuts a file in its second line, at every byte: what is left of the line may not say anything else than the
// whole one does.
func TestTruncated(t *testing.T) {
	for _, line := range []string{sampleALB, sampleSuccess, sampleFailed, sampleExpired, sampleNLB, sampleNLBAlert, sampleClassic, sampleHTTPSLog, sampleHandshake,
		sampleNginxError, sampleJSON, sampleKeyValue} {
		whole := len(line) + 1
		text := line + "\n" + line
		for i := whole; i <= len(text); i++ {
			r := NewReader(Options{})
			f := r.Read("x", strings.NewReader(text[:i]))
			clients := r.Tally.Clients()
			if len(clients) != 1 || clients[0].Seen() > 2 || f.Bad > 1 || f.Bad > 0 && f.FirstAt != int64(whole) {
				t.Errorf("cut after %d bytes: %+v, %+v", i-whole, f, clients)
			}
		}
	}
}
