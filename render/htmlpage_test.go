package render

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/parley-tls/parley/inspect"
	"github.com/parley-tls/parley/suite"
	"github.com/parley-tls/parley/vuln"
)

// TestPagesEscape puts hostile text into every string of a report, enumerations too: a page must have the elements and attributes that it has
// with harmless text, and show the text as it stands.
func TestPagesEscape(t *testing.T) {
	pages := map[string]func(text string) string{
		"scan": func(text string) string { return scanPageOf(t, hostileReport(text)) },
		"matrix": func(text string) string {
			var m matrix
			fill(reflect.ValueOf(&m).Elem(), text)
			return written(t, &m)
		},
		"matrix of many policies": func(text string) string {
			var m matrix
			fill(reflect.ValueOf(&m).Elem(), text)
			m.One = false
			return written(t, &m)
		},
	}
	for name, page := range pages {
		plain := outline(t, page("plain"))
		for _, c := range []struct{ text, shown string }{
			{`<script>alert(1)</script>`, `<script>alert(1)</script>`},
			{`"><img src=x onerror=alert(1)>`, `"><img src=x onerror=alert(1)>`},
			{`' onmouseover='alert(1)`, `' onmouseover='alert(1)`},
			{`x" style="display:none`, `x" style="display:none`},
			{`javascript:alert(1)`, `javascript:alert(1)`},
			{`</style></title></table><!--`, `</style></title></table><!--`},
			{`--><a href="javascript:x">`, `--><a href="javascript:x">`},
			{`&lt;b&gt;&#60;b&#62;`, `&lt;b&gt;&#60;b&#62;`},
			{"a\x1b[31mb\x07c\rd\x7fe", `a\x1b[31mb\x07c\x0dd\x7fe`},
			{"a\u202eb\u0085c\u2028d\xffe", `a\u202eb\u0085c\u2028d\xffe`},
		} {
			doc := page(c.text)
			if got := outline(t, doc); !slices.Equal(got, plain) {
				t.Errorf("%s with %q has other elements: %s", name, c.text, firstDifference(got, plain))
			}
			if !strings.Contains(shownText(doc), c.shown) {
				t.Errorf("%s does not show %q as %q", name, c.text, c.shown)
			}
			if strings.ContainsFunc(doc, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f || r == 0x202e }) {
				t.Errorf("%s with %q has control characters", name, c.text)
			}
		}
		if doc := page("a\x00b"); strings.Contains(doc, "\x00") || !slices.Equal(outline(t, doc), plain) {
			t.Errorf("%s: a zero byte passes", name)
		}
	}
}

// hostileReport has the text in all that is text, and each part that a page can have.
func hostileReport(text string) *inspect.Report {
	var r inspect.Report
	fill(reflect.ValueOf(&r).Elem(), text)
	finding := r.Vulnerabilities[0]
	r.Vulnerabilities = nil
	for _, v := range []vuln.Verdict{vuln.Vulnerable, vuln.Unsure, vuln.NotTested, vuln.NotVulnerable} {
		finding.Verdict, finding.Severity = v, vuln.High
		r.Vulnerabilities = append(r.Vulnerabilities, finding)
	}
	return &r
}

// fill sets all that a value has: strings to text, lists to two items, numbers to 1.
func fill(v reflect.Value, text string) {
	switch v.Addr().Interface().(type) {
	case *time.Time:
		v.Set(reflect.ValueOf(time.Unix(1<<30, 0).UTC()))
		return
	case *suite.Version:
		v.Set(reflect.ValueOf(suite.TLS12))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(1)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(1)
	case reflect.Float64:
		v.SetFloat(1)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), text)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), text)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(v.Field(i), text)
			}
		}
	default:
		panic(fmt.Sprintf("fill knows nothing of %s", v.Type()))
	}
}

func scanPageOf(t *testing.T, r *inspect.Report) string {
	t.Helper()
	var b strings.Builder
	w := NewScanHTML(&b, OpenSSLNames)
	if err := w.Report(r); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func written(t *testing.T, m *matrix) string {
	t.Helper()
	var b strings.Builder
	if err := writeHTML(&b, m.document()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// outline is the tags of a page in their order, with the names of their attributes, as a browser reads them. It fails where an element is not
// closed by its own end tag.
func outline(t *testing.T, doc string) []string {
	t.Helper()
	var tags, open []string
	tokens(doc, func(k html.Token) {
		switch k.Type {
		case html.StartTagToken:
			tag := k.Data
			for _, a := range k.Attr {
				tag += " " + a.Key
			}
			tags = append(tags, tag)
			if k.Data != "br" && k.Data != "meta" {
				open = append(open, k.Data)
			}
		case html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != k.Data {
				t.Fatalf("</%s> closes none of %v", k.Data, open)
			}
			open = open[:len(open)-1]
			tags = append(tags, "/"+k.Data)
		case html.CommentToken:
			tags = append(tags, "comment")
		}
	})
	if len(open) > 0 {
		t.Fatalf("not closed: %v", open)
	}
	return tags
}

// shownText is the text between the tags.
func shownText(doc string) string {
	var b strings.Builder
	tokens(doc, func(k html.Token) {
		if k.Type == html.TextToken {
			b.WriteString(k.Data)
		}
	})
	return b.String()
}

func tokens(doc string, each func(html.Token)) {
	z := html.NewTokenizer(strings.NewReader(doc))
	for z.Next() != html.ErrorToken {
		each(z.Token())
	}
	if z.Err() != io.EOF {
		panic(z.Err())
	}
}

func firstDifference(got, want []string) string {
	for i := range got {
		if i >= len(want) || got[i] != want[i] {
			return fmt.Sprintf("<%s>, the %dth", got[i], i+1)
		}
	}
	return fmt.Sprintf("%d, want %d", len(got), len(want))
}
