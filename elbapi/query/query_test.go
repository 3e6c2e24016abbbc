package query

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type tag struct {
	Key   string `query:"required,min=1,max=4"`
	Value string
}

type input struct {
	Name     string   `query:"required,max=10" pattern:"[a-z]+"`
	Names    []string `query:"max=3" pattern:"[a-z]+"`
	Kind     string   `query:"enum=a|b"`
	Kinds    []string `query:"enum=a|b"`
	Size     *int     `query:"min=1,max=400"`
	Long     int64
	On       *bool
	Tags     []tag
	One      *tag
	Map      map[string]string
	Flat     []string `query:"flat"`
	FlatTags []tag    `query:"flat"`
}

func TestDecode(t *testing.T) {
	one, yes := 1, true
	for _, c := range []struct {
		text string
		want input
	}{
		{"Name=x", input{Name: "x"}},
		{"Name=x&Names.member.2=b&Names.member.1=a&Names.member.10=c", input{Name: "x", Names: []string{"a", "b", "c"}}},
		{"Name=x&Names=", input{Name: "x", Names: []string{}}},
		{"Name=x&Size=1&On=true&Long=-9223372036854775808", input{Name: "x", Size: &one, On: &yes, Long: -1 << 63}},
		{"Name=x&Tags.member.1.Key=k&Tags.member.1.Value=v%3D%26&Tags.member.2.Key=l", input{Name: "x", Tags: []tag{{"k", "v=&"}, {"l", ""}}}},
		{"Name=x&One.Key=k", input{Name: "x", One: &tag{Key: "k"}}},
		{"Name=x&Map.entry.1.key=a&Map.entry.1.value=b", input{Name: "x", Map: map[string]string{"a": "b"}}},
		{"Name=x&Flat.1=a&Flat.2=b&FlatTags.1.Key=c", input{Name: "x", Flat: []string{"a", "b"}, FlatTags: []tag{{Key: "c"}}}},
		{"Name=x&Kind=b&Kinds.member.1=a&X-Amz-Date=20150830T123600Z", input{Name: "x", Kind: "b", Kinds: []string{"a"}}},
		{"Name=x&&Kind=a&", input{Name: "x", Kind: "a"}},
	} {
		v, err := Parse("Action=X&Version=1", c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		var in input
		if err := v.Decode(&in); err != nil {
			t.Errorf("%s: %v", c.text, err)
		} else if diff := cmp.Diff(c.want, in); diff != "" {
			t.Errorf("%s: %s", c.text, diff)
		}
	}
}

func TestBadInput(t *testing.T) {
	const one = "ValidationError: 1 validation error detected: "
	for text, want := range map[string]string{
		"":                                 one + "Value null at 'name' failed to satisfy constraint: Member must not be null",
		"Size=401":                         "ValidationError: 2 validation errors detected: Value null at 'name' failed to satisfy constraint: Member must not be null; Value '401' at 'size' failed to satisfy constraint: Member must have value less than or equal to 400",
		"Name=x&Size=0":                    one + "Value '0' at 'size' failed to satisfy constraint: Member must have value greater than or equal to 1",
		"Name=x&Size=":                     "MalformedInput: the parameter Size must be a number, not \"\"",
		"Name=x&Size=1.5":                  "MalformedInput: ",
		"Name=x&Size=99999999999999999999": "MalformedInput: ",
		"Name=x&On=maybe":                  "MalformedInput: ",
		"Name=X":                           one + "Value 'X' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-z]+",
		"Name=x%0a":                        one + "Value 'x\n' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-z]+",
		"Name=abcdefghijk":                 one + "Value 'abcdefghijk' at 'name' failed to satisfy constraint: Member must have length less than or equal to 10",
		"Name=x&Kind=c":                    one + "Value 'c' at 'kind' failed to satisfy constraint: Member must satisfy enum value set: [a, b]",
		"Name=x&Kinds.member.1=c":          one + "Value 'c' at 'kinds.1.member' failed to satisfy constraint: Member must satisfy enum value set: [a, b]",
		"Name=x&Names.member.1=a&Names.member.2=a&Names.member.3=a&Names.member.4=a": one + "Value '[...]' at 'names' failed to satisfy constraint: Member must have length less than or equal to 3",
		"Name=x&Tags.member.1.Value=v":                        one + "Value null at 'tags.1.member.key' failed to satisfy constraint: Member must not be null",
		"Name=x&Tags.member.1.Key=":                           one + "Value '' at 'tags.1.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1",
		"Name=x&Other=1":                                      "ValidationError: the parameter Other is not known to this service",
		"Name=x&Tags.member.1.Key=k&Tags.member.1.Colour=red": "ValidationError: the parameter Tags.1.member.Colour is not known to this service",
		"Name=x&Names.1=a":                                    "MalformedInput: the parameter Names is a list: its members are Names.member.1 and so on",
		"Name=x&Names=a":                                      "MalformedInput: ",
		"Name=x&Names.member.0=a":                             "MalformedInput: the parameter Names has a member \"0\": they are numbered from 1",
		"Name=x&Names.member.01=a":                            "MalformedInput: ",
		"Name=x&Names.member.-1=a":                            "MalformedInput: ",
		"Name=x&Names.member.10001=a":                         "MalformedInput: ",
		"Name=x&Names.member.a=a":                             "MalformedInput: ",
		"Name=x&Names.member.1.x=a":                           "MalformedInput: ",
		"Name.x=a":                                            "MalformedInput: the parameter Name has a single value",
		"Name=x&One=a&One.Key=k":                              "MalformedInput: the parameter One is a structure and cannot have a value of its own",
		"Name=x&Map.entry.1.key=a":                            "MalformedInput: ",
		"Name=x&Map.a=b":                                      "MalformedInput: ",
		"Name=x&Name=y":                                       "InvalidParameterCombination: The parameter Name is given more than once",
		"Name=%zz":                                            "MalformedQueryString: ",
		"Name=%ff":                                            "MalformedInput: the parameter Name is not UTF-8",
		"Name=x&.=a":                                          "MalformedInput: ",
		"Name=x&a.b.c.d.e.f.g.h.i.j.k.l.m=a":                  "MalformedInput: ",
		"Name=" + strings.Repeat("x", MaxBody):                "RequestEntityTooLarge: ",
		"Name=x" + many():                                     "MalformedQueryString: the request has more than",
	} {
		v, err := Parse("Action=X", text)
		if err == nil {
			err = v.Decode(&input{})
		}
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.60q: %v, want %s", text, err, want)
		} else if AsError(err).HTTPStatus() >= 500 {
			t.Errorf("%.60q: %v is no error of the caller", text, err)
		}
	}
	if _, err := Parse("Version=1"); err == nil || !strings.HasPrefix(err.Error(), "MissingAction: ") {
		t.Errorf("no action: %v", err)
	}
}

func many() string {
	var b strings.Builder
	for i := range MaxParameters {
		fmt.Fprintf(&b, "&Names.member.%d=a", i+1)
	}
	return b.String()
}

// A value in the message keeps its size, whatever was sent.
func TestMessagesAreShort(t *testing.T) {
	v, err := Parse("Action=X&" + strings.Repeat("a", 5000) + "=1&Name=" + strings.Repeat("B", 5000))
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Decode(&input{}); err == nil || len(err.Error()) > 500 {
		t.Errorf("%d bytes of message", len(err.Error()))
	}
}

type output struct {
	Text   string
	Always string `answer:"always"`
	Number int
	Zero   *int
	Yes    *bool
	When   time.Time
	List   []string
	Empty  []string
	Tags   []tag
	One    *tag
	Map    map[string]string
	Named  string `xml:"other"`
}

func TestResult(t *testing.T) {
	zero, yes := 0, true
	out := &output{Text: "<&\">\x00ü", Number: 1, Zero: &zero, Yes: &yes, When: time.Date(2026, 11, 28, 1, 2, 3, 4e6, time.FixedZone("", 3600)), List: []string{"a", "b"}, Empty: []string{},
		Tags: []tag{{"k", "v"}, {"l", ""}}, One: &tag{Key: "m"}, Map: map[string]string{"y": "2", "x": "1"}, Named: "n"}
	body := `<Text>&lt;&amp;&#34;&gt;` + "\uFFFD" + `ü</Text><Always></Always><Number>1</Number><Zero>0</Zero><Yes>true</Yes><When>2026-11-28T00:02:03.004Z</When>` +
		`<List><member>a</member><member>b</member></List><Empty></Empty><Tags><member><Key>k</Key><Value>v</Value></member><member><Key>l</Key></member></Tags><One><Key>m</Key></One>` +
		`<Map><entry><key>x</key><value>1</value></entry><entry><key>y</key><value>2</value></entry></Map><other>n</other>`
	want := `<DoResponse xmlns="http://example.com/"><DoResult>` + body + `</DoResult><ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></DoResponse>` + "\n"
	if got := string(Result(Wrapped, "Do", "http://example.com/", "id", out)); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	want = `<DoResponse xmlns="http://example.com/"><requestId>id</requestId>` + strings.ReplaceAll(body, "member>", "item>") + `</DoResponse>` + "\n"
	if got := string(Result(Flat, "Do", "http://example.com/", "id", out)); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if got := string(Result(Wrapped, "Do", "u", "id", (*output)(nil))); got != `<DoResponse xmlns="u"><DoResult></DoResult><ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></DoResponse>`+"\n" {
		t.Error(got)
	}
}

func TestFailure(t *testing.T) {
	e := &Error{Code: "Bad", Message: "<no>"}
	if got := string(Failure(Wrapped, "u", "id", e)); got != `<ErrorResponse xmlns="u"><Error><Type>Sender</Type><Code>Bad</Code><Message>&lt;no&gt;</Message></Error><RequestId>id</RequestId></ErrorResponse>`+"\n" {
		t.Error(got)
	}
	own := AsError(fmt.Errorf("disk full"))
	if got := string(Failure(Wrapped, "u", "id", own)); !strings.Contains(got, "<Type>Receiver</Type><Code>InternalFailure</Code><Message>disk full</Message>") || own.HTTPStatus() != 500 {
		t.Error(got)
	}
	if got := string(Failure(Flat, "", "id", e)); got != `<Response><Errors><Error><Code>Bad</Code><Message>&lt;no&gt;</Message></Error></Errors><RequestID>id</RequestID></Response>`+"\n" {
		t.Error(got)
	}
}

// FuzzDecode: whatever is sent, the answer is an input that holds its rules or an error of the caller, in XML that can be read.
func FuzzDecode(f *testing.F) {
	f.Add("Action=X&Name=x&Names.member.1=a")
	f.Add("Action=X&Name=x&Tags.member.1.Key=k&Tags.member.1.Value=%3C")
	f.Add("Action=X&Name=x&Map.entry.1.key=a&Map.entry.1.value=b&One.Key=q")
	f.Add("Action=X&Size=1&Flat.1=a&On=FALSE")
	f.Add("Action=X&Name.member.member.1.1=&Names=")
	f.Fuzz(func(t *testing.T, text string) {
		v, err := Parse(text)
		var in input
		if err == nil {
			err = v.Decode(&in)
		}
		if err != nil {
			e := AsError(err)
			if e.HTTPStatus() >= 500 {
				t.Fatalf("%q: %v", text, err)
			}
			wellFormed(t, Failure(Wrapped, "u", "id", e))
			return
		}
		if in.Name == "" && len(in.Names) > 3 || in.Size != nil && (*in.Size < 1 || *in.Size > 400) || in.Kind != "" && in.Kind != "a" && in.Kind != "b" {
			t.Fatalf("%q: %+v", text, in)
		}
		wellFormed(t, Result(Wrapped, "Do", "u", "id", &in))
		// What was read can be sent again.
		again := url.Values{"Action": {"X"}}
		encode(again, "", reflect.ValueOf(in))
		w, err := Parse(again.Encode())
		if err != nil {
			t.Fatalf("%q: %v", again.Encode(), err)
		}
		var copied input
		if err := w.Decode(&copied); err != nil {
			t.Fatalf("%q again as %q: %v", text, again.Encode(), err)
		}
		if diff := cmp.Diff(in, copied); diff != "" {
			t.Fatalf("%q: %s", text, diff)
		}
	})
}

// encode writes a value as a client would.
func encode(to url.Values, path string, v reflect.Value) {
	set := func(text string) { to.Set(path, text) }
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			encode(to, path, v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			field := v.Field(i)
			if field.IsZero() && f.Tag.Get("query") == "" && field.Kind() != reflect.Slice {
				continue
			}
			if field.IsZero() && !strings.Contains(f.Tag.Get("query"), "required") {
				continue
			}
			at := join(path, f.Name)
			if f.Type.Kind() == reflect.Slice && !strings.Contains(f.Tag.Get("query"), "flat") && field.Len() > 0 {
				at += ".member"
			}
			encode(to, at, field)
		}
	case reflect.Slice:
		if v.Len() == 0 {
			set("")
		}
		for i := range v.Len() {
			encode(to, fmt.Sprintf("%s.%d", path, i+1), v.Index(i))
		}
	case reflect.Map:
		if v.Len() == 0 {
			set("")
		}
		for i, key := range v.MapKeys() {
			to.Set(fmt.Sprintf("%s.entry.%d.key", path, i+1), key.String())
			to.Set(fmt.Sprintf("%s.entry.%d.value", path, i+1), v.MapIndex(key).String())
		}
	default:
		set(fmt.Sprint(v.Interface()))
	}
}

func wellFormed(t *testing.T, data []byte) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(string(data)))
	for {
		if _, err := d.Token(); err == io.EOF {
			return
		} else if err != nil {
			t.Fatalf("%q: %v", data, err)
		}
	}
}
