package simulate

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// CBOR as Smithy's RPC v2 protocol uses it: keys are strings, tag 1 is a time. Source: RFC 8949; "Smithy RPC v2 CBOR protocol".

// maxDepth bounds how deep values may lie in each other: AWS's deepest parameter is at 6.
const maxDepth = 24

var errCBOR = errors.New("not the CBOR of a request")

// decodeCBOR reads the parameters of a request.
func decodeCBOR(b []byte) (tree, error) {
	if len(b) == 0 {
		return tree{}, nil
	}
	d := cborReader{b}
	v, err := d.value(0)
	t, ok := v.(tree)
	if err != nil || !ok || len(d.rest) > 0 {
		return nil, errCBOR
	}
	return t, nil
}

type cborReader struct{ rest []byte }

// Major types, and the additional information of items of indefinite length.
const (
	cborUint, cborNegative, cborBytes, cborText, cborList, cborMap, cborTag, cborSimple = 0, 1, 2, 3, 4, 5, 6, 7

	cborIndefinite = 31
)

// head reads the initial byte and the number that it says.
func (d *cborReader) head() (major, info byte, n uint64, err error) {
	if len(d.rest) == 0 {
		return 0, 0, 0, errCBOR
	}
	major, info = d.rest[0]>>5, d.rest[0]&31
	d.rest = d.rest[1:]
	switch {
	case info < 24:
		return major, info, uint64(info), nil
	case info == cborIndefinite:
		return major, info, 0, nil
	case info > 27:
		return 0, 0, 0, errCBOR
	}
	size := 1 << (info - 24)
	if len(d.rest) < size {
		return 0, 0, 0, errCBOR
	}
	for _, b := range d.rest[:size] {
		n = n<<8 | uint64(b)
	}
	d.rest = d.rest[size:]
	return major, info, n, nil
}

// ends reports and swallows the break that ends an item of indefinite length.
func (d *cborReader) ends() bool {
	if len(d.rest) > 0 && d.rest[0] == 0xff {
		d.rest = d.rest[1:]
		return true
	}
	return false
}

func (d *cborReader) value(depth int) (any, error) {
	major, info, n, err := d.head()
	if err != nil || depth > maxDepth {
		return nil, errCBOR
	}
	switch major {
	case cborUint:
		if n > math.MaxInt64 {
			return float64(n), nil
		}
		return int64(n), nil
	case cborNegative:
		if n > math.MaxInt64 {
			return -1 - float64(n), nil
		}
		return -1 - int64(n), nil
	case cborBytes, cborText:
		return d.text(major, info, n)
	case cborList:
		var l []any
		for i := uint64(0); info == cborIndefinite || i < n; i++ {
			if info == cborIndefinite && d.ends() {
				break
			}
			v, err := d.value(depth + 1)
			if err != nil {
				return nil, err
			}
			l = append(l, v)
		}
		return l, nil
	case cborMap:
		return d.fields(info, n, depth)
	case cborTag:
		v, err := d.value(depth + 1)
		if err == nil && n == 1 {
			return tree{"at": v}.timeOf("at")
		}
		return v, err
	}
	return simple(info, n)
}

// timeOf is the time that tag 1 makes of a number.
func (t tree) timeOf(name string) (any, error) {
	if _, isText := t[name].(string); !isText {
		if at, ok := t.when(name); ok {
			return at, nil
		}
	}
	return nil, errCBOR
}

func (d *cborReader) text(major, info byte, n uint64) (any, error) {
	if info != cborIndefinite {
		return d.take(n)
	}
	var whole strings.Builder
	for !d.ends() {
		m, i, n, err := d.head()
		if err != nil || m != major || i == cborIndefinite {
			return nil, errCBOR
		}
		part, err := d.take(n)
		if err != nil {
			return nil, err
		}
		whole.WriteString(part)
	}
	return whole.String(), nil
}

func (d *cborReader) take(n uint64) (string, error) {
	if n > uint64(len(d.rest)) {
		return "", errCBOR
	}
	s := string(d.rest[:n])
	d.rest = d.rest[n:]
	return s, nil
}

func (d *cborReader) fields(info byte, n uint64, depth int) (any, error) {
	t := tree{}
	for i := uint64(0); info == cborIndefinite || i < n; i++ {
		if info == cborIndefinite && d.ends() {
			break
		}
		key, err := d.value(maxDepth)
		if err != nil {
			return nil, err
		}
		name, ok := key.(string)
		if !ok {
			return nil, errCBOR
		}
		v, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		if v != nil {
			t[name] = v
		}
	}
	return t, nil
}

// simple is a boolean, nothing, or a floating-point number.
func simple(info byte, n uint64) (any, error) {
	switch info {
	case 20, 21:
		return info == 21, nil
	case 22, 23:
		return nil, nil
	case 25:
		return half(uint16(n)), nil
	case 26:
		return float64(math.Float32frombits(uint32(n))), nil
	case 27:
		return math.Float64frombits(n), nil
	}
	return nil, errCBOR
}

// half reads the 16-bit floating point of IEEE 754.
func half(n uint16) float64 {
	sign, exponent, fraction := 1.0, int(n>>10&31), float64(n&1023)
	if n>>15 == 1 {
		sign = -1
	}
	switch exponent {
	case 0:
		return sign * math.Ldexp(fraction, -24)
	case 31:
		if fraction != 0 {
			return math.NaN()
		}
		return sign * math.Inf(1)
	}
	return sign * math.Ldexp(1024+fraction, exponent-25)
}

// encodeCBOR writes an answer.
func encodeCBOR(v any) []byte { return appendCBOR(nil, v) }

func appendCBOR(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, cborSimple<<5|22)
	case bool:
		if v {
			return append(b, cborSimple<<5|21)
		}
		return append(b, cborSimple<<5|20)
	case string:
		return append(appendHead(b, cborText, uint64(len(v))), v...)
	case int64:
		if v < 0 {
			return appendHead(b, cborNegative, uint64(-1-v))
		}
		return appendHead(b, cborUint, uint64(v))
	case float64:
		return binary.BigEndian.AppendUint64(append(b, cborSimple<<5|27), math.Float64bits(v))
	case time.Time:
		return appendCBOR(appendHead(b, cborTag, 1), float64(v.UnixMilli())/1000)
	case []any:
		b = appendHead(b, cborList, uint64(len(v)))
		for _, m := range v {
			b = appendCBOR(b, m)
		}
		return b
	case tree:
		b = appendHead(b, cborMap, uint64(len(v)))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			b = appendCBOR(appendCBOR(b, name), v[name])
		}
		return b
	}
	panic(fmt.Sprintf("simulate: no CBOR for %T", v))
}

func appendHead(b []byte, major byte, n uint64) []byte {
	switch {
	case n < 24:
		return append(b, major<<5|byte(n))
	case n <= math.MaxUint8:
		return append(b, major<<5|24, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, major<<5|25), uint16(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(b, major<<5|26), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(b, major<<5|27), n)
}
