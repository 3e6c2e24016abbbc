package simulate

import (
	"encoding/base64"
	"strconv"
	"strings"
)

// page cuts one page out of an answer, and gives the token of the next; "" where there is none. ok is false for a token that
// no page gave out.
func page[T any](all []T, token string, size int) (part []T, next string, ok bool) {
	from := 0
	if token != "" {
		b, err := base64.RawURLEncoding.DecodeString(token)
		text, found := strings.CutPrefix(string(b), "from ")
		n, notNumber := strconv.Atoi(text)
		if err != nil || !found || notNumber != nil || n < 0 || n > len(all) {
			return nil, "", false
		}
		from = n
	}
	if size <= 0 || from+size >= len(all) {
		return all[from:], "", true
	}
	return all[from : from+size], base64.RawURLEncoding.EncodeToString([]byte("from " + strconv.Itoa(from+size))), true
}

// sizeOf is the size of page that a request asks for, within the bounds of the API; bad is what is out of them.
func (t tree) sizeOf(name string, least, most, otherwise int) (size int, bad bool) {
	n, ok := t.number(name)
	switch {
	case t[name] == nil:
		return otherwise, false
	case !ok || n < float64(least) || n > float64(most):
		return 0, true
	}
	return int(n), false
}
