package accesslog

import (
	"net/netip"
	"strings"

	"github.com/parley-tls/parley/evidence"
	"github.com/parley-tls/parley/suite"
)

// maxCached bounds each memory of texts that were read before. A log has a few ciphers and versions; one with more was
// written to have them, and only costs time.
const maxCached = 4096

// decoder reads the values of lines. It remembers what it has read, since a log says the same things again and again. It is
// not safe for use by several goroutines.
type decoder struct {
	day      string // of the last time, and its first second
	midnight int64
	versions map[string]suite.Version
	suites   map[string]suite.Code
	groups   map[string]suite.Group
	offers   map[offerTexts]*evidence.Offered
	values   values // of the line that is being read
}

func newDecoder() *decoder {
	return &decoder{versions: map[string]suite.Version{}, suites: map[string]suite.Code{}, groups: map[string]suite.Group{}, offers: map[offerTexts]*evidence.Offered{}}
}

// none reports whether a value stands for nothing.
func none(s string) bool { return s == "-" || s == "" || s == "(NONE)" || s == "none" }

// remembered looks a text up in a memory, or reads it and remembers it where it can be read.
func remembered[T any](m map[string]T, s string, read func(string) (T, bool)) (T, bool) {
	if v, ok := m[s]; ok {
		return v, true
	}
	v, ok := read(s)
	if ok {
		if len(m) >= maxCached {
			clear(m)
		}
		m[strings.Clone(s)] = v // s is part of a line
	}
	return v, ok
}

// version reads a protocol version; 0 and true where the value stands for nothing.
func (d *decoder) version(s string) (suite.Version, bool) {
	if none(s) {
		return 0, true
	}
	return remembered(d.versions, s, func(s string) (suite.Version, bool) {
		if len(s) > 16 {
			return 0, false
		}
		if s == "SSLv3.0" { // Classic Load Balancers wrote it so
			return suite.SSLv3, true
		}
		v, err := suite.ParseVersion(s)
		return v, err == nil && v.Known()
	})
}

// suite reads the name of a cipher suite; 0 and true where the value stands for nothing.
func (d *decoder) suite(s string) (suite.Code, bool) {
	if none(s) {
		return 0, true
	}
	return remembered(d.suites, s, func(s string) (suite.Code, bool) {
		if i := suite.ByName(s); i != nil {
			return i.Code, true
		}
		return 0, false
	})
}

// group reads the name of a group, or its number as nginx writes one that OpenSSL has no name for.
func (d *decoder) group(s string) (suite.Group, bool) {
	if none(s) {
		return 0, true
	}
	return remembered(d.groups, s, func(s string) (suite.Group, bool) {
		if i := suite.GroupByName(s); i != nil {
			return i.Code, true
		}
		n, ok := hexNumber(s)
		return suite.Group(n), ok
	})
}

// client reads "address:port", "[address]:port" or an address alone. The address is invalid where the value stands for nothing.
func (d *decoder) client(s string) (netip.Addr, bool) {
	if none(s) || s == "unix:" {
		return netip.Addr{}, true
	}
	if len(s) > 80 { // no address and port are longer
		return netip.Addr{}, false
	}
	if s[0] == '[' {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return netip.Addr{}, false
		}
		s = s[1:end]
	} else if colon := strings.IndexByte(s, ':'); colon >= 0 && strings.LastIndexByte(s, ':') == colon {
		s = s[:colon]
	}
	if a, err := netip.ParseAddr(s); err == nil {
		return a.WithZone("").Unmap(), true
	}
	return netip.Addr{}, false
}

// clientPort reads "address:port" where there always is a port, so that an IPv6 address needs no brackets.
func (d *decoder) clientPort(s string) (netip.Addr, bool) {
	if i := strings.LastIndexByte(s, ':'); i > 0 {
		return d.client(s[:i])
	}
	return d.client(s)
}
