package query

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"time"
)

// Style is how a service writes its answers.
type Style int

// Styles.
const (
	Wrapped Style = iota // <XResponse><XResult>…, lists of <member>: all but EC2
	Flat                 // <XResponse>… with the request id beside, lists of <item>, names in lower case: EC2
)

// Result returns the XML of an answer. out is a struct or a pointer to one; its fields are elements under their own names,
// or under the name in the tag `xml:"name"`:
//
//	string, int, int64, bool, time.Time   left out where zero, unless the tag is `answer:"always"`; pointers to them where nil
//	[]T                                   a list; left out where nil, an empty element where empty
//	map[string]string                     <entry><key/><value/></entry>, by key
//	struct, *struct                       left out where nil
func Result(s Style, action, namespace, requestID string, out any) []byte {
	w := &writer{member: "member"}
	w.WriteString("<" + action + "Response xmlns=\"" + namespace + "\">")
	if s == Flat {
		w.member = "item"
		w.element("requestId", reflect.ValueOf(requestID))
		w.fields(out)
	} else {
		w.WriteString("<" + action + "Result>")
		w.fields(out)
		w.WriteString("</" + action + "Result><ResponseMetadata>")
		w.element("RequestId", reflect.ValueOf(requestID))
		w.WriteString("</ResponseMetadata>")
	}
	w.WriteString("</" + action + "Response>\n")
	return w.Bytes()
}

// Failure returns the XML of an error.
func Failure(s Style, namespace, requestID string, e *Error) []byte {
	w := &writer{}
	if s == Flat {
		w.WriteString("<Response><Errors><Error>")
		w.element("Code", reflect.ValueOf(e.Code))
		w.element("Message", reflect.ValueOf(e.Message))
		w.WriteString("</Error></Errors>")
		w.element("RequestID", reflect.ValueOf(requestID))
		w.WriteString("</Response>\n")
		return w.Bytes()
	}
	kind := "Sender"
	if e.HTTPStatus() >= 500 {
		kind = "Receiver"
	}
	w.WriteString("<ErrorResponse xmlns=\"" + namespace + "\"><Error>")
	w.element("Type", reflect.ValueOf(kind))
	w.element("Code", reflect.ValueOf(e.Code))
	w.element("Message", reflect.ValueOf(e.Message))
	w.WriteString("</Error>")
	w.element("RequestId", reflect.ValueOf(requestID))
	w.WriteString("</ErrorResponse>\n")
	return w.Bytes()
}

type writer struct {
	bytes.Buffer
	member string
}

func (w *writer) fields(out any) {
	v := reflect.ValueOf(out)
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return
		}
		v = v.Elem()
	}
	if v.IsValid() {
		w.structure(v)
	}
}

func (w *writer) structure(v reflect.Value) {
	t := v.Type()
	for i := range t.NumField() {
		tag := t.Field(i).Tag
		name := tag.Get("xml")
		if name == "" {
			name = t.Field(i).Name
		}
		f := v.Field(i)
		switch f.Kind() {
		case reflect.Slice, reflect.Map, reflect.Pointer, reflect.Interface:
			if f.IsNil() {
				continue
			}
		default:
			if f.IsZero() && tag.Get("answer") != "always" {
				continue
			}
		}
		w.element(name, f)
	}
}

func (w *writer) element(name string, v reflect.Value) {
	w.WriteString("<" + name + ">")
	w.content(v)
	w.WriteString("</" + name + ">")
}

func (w *writer) content(v reflect.Value) {
	if t, ok := v.Interface().(time.Time); ok {
		w.WriteString(t.UTC().Format("2006-01-02T15:04:05.000Z"))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		w.content(v.Elem())
	case reflect.String:
		xml.EscapeText(w, []byte(v.String())) // writing to memory does not fail
	case reflect.Int, reflect.Int64:
		w.WriteString(strconv.FormatInt(v.Int(), 10))
	case reflect.Bool:
		w.WriteString(strconv.FormatBool(v.Bool()))
	case reflect.Struct:
		w.structure(v)
	case reflect.Slice:
		for i := range v.Len() {
			w.element(w.member, v.Index(i))
		}
	case reflect.Map:
		m := v.Interface().(map[string]string)
		for _, key := range slices.Sorted(maps.Keys(m)) {
			w.WriteString("<entry>")
			w.element("key", reflect.ValueOf(key))
			w.element("value", reflect.ValueOf(m[key]))
			w.WriteString("</entry>")
		}
	default:
		panic(fmt.Sprintf("query: cannot write fields of type %s", v.Type()))
	}
}
