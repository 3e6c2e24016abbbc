package symptom

import (
	"net/netip"
	"strconv"
	"strings"
)

// maxEndpointText is how much of a text is looked through for a host.
const maxEndpointText = 64 << 10

// findEndpoint is the first host that the text names: in a URL, as HOST:PORT, or as "HOST port N".
func findEndpoint(text string) Endpoint {
	if len(text) > maxEndpointText {
		text = text[:maxEndpointText]
	}
	words := strings.FieldsFunc(text, func(r rune) bool {
		return strings.ContainsRune(" \t\r\n\"'`<>(),;|{}=", r)
	})
	var best Endpoint
	rank := 0
	better := func(r int, e Endpoint) {
		if r > rank && e.Host != "" {
			rank, best = r, e
		}
	}
	for i, w := range words {
		if at := strings.Index(w, "://"); at > 0 {
			better(4, fromURL(w, at))
			continue
		}
		if i > 0 && beforePeer[strings.ToLower(words[i-1])] {
			continue // a server's log names its client
		}
		host, port, ok := strings.Cut(strings.TrimRight(w, ".:/"), ":")
		if ok && isPort(port) && isHost(host) {
			r := 2
			if i > 0 && (words[i-1] == "-connect" || words[i-1] == "connect") {
				r = 5
			}
			better(r, Endpoint{Host: host, Port: port})
			continue
		}
		if w == "port" && i > 0 && i+1 < len(words) {
			port := strings.TrimRight(words[i+1], ".:,")
			if host := words[i-1]; isPort(port) && isHost(host) {
				better(3, Endpoint{Host: host, Port: port})
			}
		}
		if host := strings.TrimRight(w, ".:/"); strings.Count(host, ".") >= 2 && isHost(host) && !isVersion(host) && !isCode(host) {
			better(1, Endpoint{Host: host})
		}
	}
	if best.Port == "" {
		best.Port = portIn(words)
	}
	return best
}

// beforePeer are words of servers' logs behind which the client's address stands.
var beforePeer = map[string]bool{"from": true, "client:": true, "[client": true, "rip": true, "peer": true, "remote:": true}

// portIn is a port that stands by itself: "port: 587", "port 443".
func portIn(words []string) string {
	for i, w := range words {
		if i+1 == len(words) || !strings.EqualFold(strings.TrimRight(w, ":"), "port") {
			continue
		}
		if port := strings.TrimRight(words[i+1], ".,:;)"); isPort(port) {
			return port
		}
	}
	return ""
}

func fromURL(w string, at int) Endpoint {
	scheme := strings.TrimLeft(w[:at], "[(*")
	rest := w[at+3:]
	if end := strings.IndexAny(rest, "/?#\\"); end >= 0 {
		rest = rest[:end]
	}
	if user := strings.LastIndexByte(rest, '@'); user >= 0 {
		rest = rest[user+1:]
	}
	rest = strings.TrimRight(rest, ".:]")
	host, port, ok := strings.Cut(rest, ":")
	if !isHost(host) && !isLabel(host) || ok && !isPort(port) {
		return Endpoint{}
	}
	if !ok {
		port = schemePorts[scheme]
	}
	return Endpoint{Host: host, Port: port, plain: scheme == "http"}
}

var schemePorts = map[string]string{
	"https": "443", "wss": "443", "http": "80", "ldaps": "636", "ldap": "389", "imaps": "993", "smtps": "465", "amqps": "5671",
	"postgres": "5432", "postgresql": "5432", "mysql": "3306", "rediss": "6379", "mqtts": "8883", "ftps": "990",
}

func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0
}

// isHost reports whether s can be a host: an address, localhost or a name with a dot and a top level of letters.
func isHost(s string) bool {
	if s == "localhost" {
		return true
	}
	if len(s) < 4 || len(s) > 253 || !strings.Contains(s, ".") {
		return false
	}
	if a, err := netip.ParseAddr(s); err == nil {
		return !a.IsUnspecified()
	}
	for _, label := range strings.Split(s, ".") {
		if label == "" || len(label) > 63 {
			return false
		}
		for i := 0; i < len(label); i++ {
			if c := label[i]; !isWord(c) && c != '-' || c == '_' && i > 0 {
				return false
			}
		}
	}
	top := s[strings.LastIndexByte(s, '.')+1:]
	for i := 0; i < len(top); i++ {
		if isDigit(top[i]) {
			return false
		}
	}
	return len(top) >= 2 && !notTop[strings.ToLower(top)]
}

// isLabel reports whether s can be a name without a dot, as containers and machines of one network have: in a URL alone.
func isLabel(s string) bool {
	if len(s) < 2 || len(s) > 63 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if !isWord(s[i]) && s[i] != '-' {
			return false
		}
	}
	return !isDigit(s[0])
}

// isVersion tells 1.2.3 from an address: a release has fewer parts.
func isVersion(s string) bool {
	_, err := netip.ParseAddr(s)
	return err != nil && isDigit(s[0])
}

// isCode tells a class or method of a trace from a host.
func isCode(s string) bool {
	first, _, _ := strings.Cut(s, ".")
	return strings.ToLower(s) != s || codeRoots[first]
}

var codeRoots = map[string]bool{
	"java": true, "javax": true, "sun": true, "jdk": true, "org": true, "com": true, "io": true, "net": true, "android": true, "kotlin": true,
	"ssl": true, "requests": true, "urllib3": true, "http": true, "github": true, "crypto": true, "system": true, "tls": true, "self": true,
}

// notTop are the ends of file and class names in traces.
var notTop = map[string]bool{
	"js": true, "go": true, "c": true, "cpp": true, "cc": true, "h": true, "java": true, "py": true, "rb": true, "rs": true, "cs": true,
	"pem": true, "crt": true, "key": true, "conf": true, "cnf": true, "yml": true, "yaml": true, "json": true, "php": true, "exe": true,
	"dll": true, "so": true, "jar": true, "log": true, "txt": true, "html": true, "sh": true, "ts": true, "erl": true, "hs": true, "pm": true,
	"ssl": true, "security": true, "net": false, "http": true, "local": false, "lang": true, "handler": true, "jks": true, "cer": true,
	"pl": true, "mjs": true, "tsv": true, "xml": true, "zip": true, "gz": true, "p12": true, "pfx": true, "kt": true, "swift": true, "m": true,
}

// fromEndpoint adds what the host and the port say.
func (t *tables) fromEndpoint(r *reading, e Endpoint) {
	if n, err := strconv.Atoi(e.Port); err == nil {
		if name := t.ports[n]; name != "" {
			r.add(t.signals[name], "port "+e.Port)
		}
	}
	if e.plain && e.Port != "80" {
		r.add(t.signals["plain-url"], "http://"+e.Host)
	}
	if e.plain && strings.HasSuffix(e.Port, "443") {
		r.add(t.signals["http-on-443"], "http://"+e.Host+":"+e.Port)
	}
	if _, err := netip.ParseAddr(e.Host); err == nil {
		r.add(t.signals["by-address"], e.Host)
	}
}

// add notes a signal that the text gives by a value in it.
func (r *reading) add(s *signal, quote string) {
	for _, old := range r.all {
		if old.signal == s {
			return
		}
	}
	r.all = append(r.all, &sighting{signal: s, count: 1, quote: quote})
}
