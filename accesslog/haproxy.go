package accesslog

import (
	"strings"
	"sync"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/evidence"
)

// httpsLog is the format of HAProxy's "option httpslog" (configuration manual, section 8.2.4).
var httpsLog = sync.OnceValue(func() *Template {
	t, err := ParseTemplate(`%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r ` +
		`%[fc_err]/%[ssl_fc_err,hex]/%[ssl_c_err]/%[ssl_c_ca_err]/%[ssl_fc_is_resumed] %[ssl_fc_sni]/%sslv/%sslc`)
	if err != nil {
		panic("accesslog: " + err.Error())
	}
	return t
})

// parseHAProxy reads lines of "option httpslog", and those that HAProxy writes by itself of connections that fail before a
// request (section 8.2.5; since 2.7 with OpenSSL's reason):
//
//	203.0.113.7:33283 [28/Feb/2025:02:07:51.623] web/1: SSL handshake failure (error:0A0000C1:SSL routines::no shared cipher)
//	203.0.113.7:33284 [28/Feb/2025:02:07:52.001] web/1: Connection closed during SSL handshake
func parseHAProxy(d *decoder, line string, c *evidence.Connection) verdict {
	if v := httpsLog().parse(d, line, c); v != bad {
		return v
	}
	*c = evidence.Connection{}
	f := fields{line}
	client, _ := f.next()
	accepted, _ := f.next()
	listener, message, ok := strings.Cut(f.rest, ": ")
	if !ok || strings.IndexByte(accepted, '[') != 0 || strings.IndexByte(listener, ' ') >= 0 {
		return bad
	}
	if c.Client, ok = d.clientPort(client); !ok || !c.Client.IsValid() {
		return bad
	}
	if c.Time, ok = d.time(accepted); !ok {
		return bad
	}
	if !strings.Contains(message, "SSL handshake") {
		return plain // such as a header of the PROXY protocol that is missing
	}
	c.Server, _, _ = strings.Cut(listener, "/")
	c.Outcome.Result = evidence.Failed
	c.Outcome.Failure, c.Outcome.Cause = opensslFailure(message)
	return handshake
}

// handshaking is how nginx says what it was doing when an error came.
const handshaking = " while SSL handshaking, client: "

// parseNginxError reads nginx's error log. Lines about other things than handshakes with clients are plain.
//
//	2026/11/20 09:14:03 [info] 7#7: *5 SSL_do_handshake() failed (SSL: error:0A0000C1:SSL routines::no shared cipher) while SSL handshaking, client: 203.0.113.7, server: 0.0.0.0:443
func parseNginxError(d *decoder, line string, c *evidence.Connection) verdict {
	if len(line) < 22 || line[4] != '/' || line[19:21] != " [" {
		return bad
	}
	var ok bool
	if c.Time, ok = d.time(line[:19]); !ok {
		return bad
	}
	_, message, ok := strings.Cut(line, "#")
	if !ok {
		return bad
	}
	_, message, ok = strings.Cut(message, ": ")
	if !ok {
		return bad
	}
	if i := strings.IndexByte(message, ' '); i > 0 && message[0] == '*' { // the number of the connection
		message = message[i+1:]
	}
	what, who, found := strings.Cut(message, handshaking)
	if !found {
		const plainHTTP = "client sent plain HTTP request to HTTPS port"
		if _, who, found = strings.Cut(message, ", client: "); !found || !strings.HasPrefix(message, plainHTTP) {
			return plain
		}
		c.Outcome.Failure, c.Outcome.Cause = plainHTTP, cause.HTTPSentToTLS
	} else {
		c.Outcome.Failure, c.Outcome.Cause = opensslFailure(what)
	}
	client, server, _ := strings.Cut(who, ", server: ")
	if c.Client, ok = d.client(client); !ok {
		return bad
	}
	server, _, _ = strings.Cut(server, ",")
	c.Server = strings.TrimSuffix(server, "\r")
	c.Outcome.Result = evidence.Failed
	return handshake
}
