package query

import (
	"encoding/base64"
	"sort"
)

// Page returns the part of a list that a request asks for, and the marker of the next. The list is sorted by key; a marker
// holds the key that the next page begins behind, so that what is added or removed between two requests neither hides nor
// repeats anything else.
func Page[T any](all []T, key func(T) string, marker string, size *int, most int) ([]T, string, error) {
	from := 0
	if marker != "" {
		last, err := base64.RawURLEncoding.DecodeString(marker)
		if err != nil || len(last) == 0 {
			return nil, "", Invalid("Invalid marker")
		}
		from = sort.Search(len(all), func(i int) bool { return key(all[i]) > string(last) })
	}
	n := most
	if size != nil {
		n = *size
	}
	if all = all[from:]; len(all) <= n {
		return all, "", nil
	}
	return all[:n], base64.RawURLEncoding.EncodeToString([]byte(key(all[n-1]))), nil
}
