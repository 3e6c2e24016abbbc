package simulate

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// wire is a protocol of AWS's: how a request says what it wants, and how the answer is written.
type wire interface {
	// read finds the operation and its parameters.
	read(r *http.Request, body []byte) (action string, in tree, err error)
	answer(w http.ResponseWriter, c *call, out tree)
	fail(w http.ResponseWriter, c *call, f *fault)
}

// queryWire is the AWS Query protocol: a form, answered by XML in which lists have members.
type queryWire struct{ namespace string }

func (queryWire) read(r *http.Request, body []byte) (string, tree, error) {
	form, err := formOf(r, body)
	if err != nil {
		return "", nil, err
	}
	in, err := parseForm(form)
	return form.Get("Action"), in, err
}

func (q queryWire) answer(w http.ResponseWriter, c *call, out tree) {
	x := xmlWriter{member: "member"}
	x.open(c.action + `Response xmlns="` + q.namespace + `"`)
	x.value(c.action+"Result", out)
	x.value("ResponseMetadata", tree{"RequestId": c.id})
	x.close(c.action + "Response")
	x.send(w, c, http.StatusOK)
}

func (q queryWire) fail(w http.ResponseWriter, c *call, f *fault) {
	x := xmlWriter{}
	x.open(`ErrorResponse xmlns="` + q.namespace + `"`)
	x.open("Error")
	x.value("Type", faulty(f))
	x.value("Code", f.code)
	x.value("Message", f.message)
	x.close("Error")
	x.value("RequestId", c.id)
	x.close("ErrorResponse")
	x.send(w, c, f.status)
}

// faulty says whose fault an error is.
func faulty(f *fault) string {
	if f.status >= http.StatusInternalServerError {
		return "Receiver"
	}
	return "Sender"
}

// ec2Wire is EC2's dialect of it: lists are numbered without "member", and named otherwise in the answer.
type ec2Wire struct{ queryWire }

func (q ec2Wire) answer(w http.ResponseWriter, c *call, out tree) {
	x := xmlWriter{member: "item", name: ec2Name}
	x.open(c.action + `Response xmlns="` + q.namespace + `"`)
	x.raw("requestId", c.id)
	for _, name := range slices.Sorted(maps.Keys(out)) {
		x.value(name, out[name])
	}
	x.close(c.action + "Response")
	x.send(w, c, http.StatusOK)
}

func (ec2Wire) fail(w http.ResponseWriter, c *call, f *fault) {
	x := xmlWriter{}
	x.open("Response")
	x.value("Errors", tree{"Error": tree{"Code": f.code, "Message": f.message}})
	x.raw("RequestID", c.id)
	x.close("Response")
	x.send(w, c, f.status)
}

// jsonWire is AWS's JSON 1.0 and 1.1: the operation is in a header.
type jsonWire struct{ version string }

func (jsonWire) read(r *http.Request, body []byte) (string, tree, error) {
	_, action, _ := strings.Cut(lastDotted(r.Header.Get("X-Amz-Target")), ".")
	in := tree{}
	if len(body) > 0 {
		if err := json.Unmarshal(body, &in); err != nil {
			return action, nil, refuse("SerializationException", "the body is not a JSON object")
		}
	}
	return action, in, nil
}

// lastDotted cuts a target down to its last dot but one: services' names have dots too.
func lastDotted(target string) string {
	if i := strings.LastIndexByte(target, '.'); i >= 0 {
		return target[strings.LastIndexByte(target[:i], '.')+1:]
	}
	return target
}

func (j jsonWire) answer(w http.ResponseWriter, c *call, out tree) { j.send(w, c, http.StatusOK, out) }

func (j jsonWire) fail(w http.ResponseWriter, c *call, f *fault) {
	out := tree{"__type": f.model()}
	if f.message != "" {
		out["message"] = f.message
	}
	w.Header().Set("x-amzn-ErrorType", f.model())
	j.send(w, c, f.status, out)
}

// model is the error's name in the service's model.
func (f *fault) model() string {
	if f.shape != "" {
		return f.shape
	}
	return f.code
}

func (j jsonWire) send(w http.ResponseWriter, c *call, status int, out tree) {
	b, err := json.Marshal(out)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"__type":"InternalFailure"}`)
	}
	send(w, c, status, "application/x-amz-json-"+j.version, b)
}

// cborWire is Smithy's RPC v2: the operation is in the path, everything else CBOR. CloudWatch's newer clients speak it.
type cborWire struct{}

func (cborWire) read(r *http.Request, body []byte) (string, tree, error) {
	in, err := decodeCBOR(body)
	if err != nil {
		err = refuse("SerializationException", "%v", err)
	}
	return r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:], in, err
}

func (cborWire) answer(w http.ResponseWriter, c *call, out tree) {
	w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	send(w, c, http.StatusOK, "application/cbor", encodeCBOR(out))
}

func (cborWire) fail(w http.ResponseWriter, c *call, f *fault) {
	w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	w.Header().Set("X-Amzn-Query-Error", f.code+";"+faulty(f))
	send(w, c, f.status, "application/cbor", encodeCBOR(tree{"__type": "com.amazonaws.cloudwatch#" + f.model(), "message": f.message}))
}

func send(w http.ResponseWriter, c *call, status int, kind string, body []byte) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("x-amzn-RequestId", c.id)
	w.WriteHeader(status)
	w.Write(body)
}

// formOf reads the parameters of a query request: of the address for GET, of the body for POST.
func formOf(r *http.Request, body []byte) (url.Values, error) {
	text := string(body)
	if r.Method == http.MethodGet {
		text = r.URL.RawQuery
	}
	form, err := url.ParseQuery(text)
	if err != nil {
		return nil, refuse("MalformedQueryString", "the request is no form: %v", err)
	}
	return form, nil
}

// maxIndex bounds the numbers of a list's members in a form.
const maxIndex = 5000

// parseForm puts the flat parameters of a form (Filters.member.1.Name, in EC2 Filter.1.Name) into their order.
func parseForm(form url.Values) (tree, error) {
	root := tree{}
	for name, values := range form {
		parts := strings.Split(name, ".")
		if len(parts) > maxDepth {
			return nil, refuse("MalformedInput", "the parameter is too deep")
		}
		at := root
		for _, p := range parts[:len(parts)-1] {
			below, ok := at[p].(tree)
			if !ok {
				below = tree{}
				at[p] = below
			}
			at = below
		}
		if _, taken := at[parts[len(parts)-1]].(tree); !taken {
			at[parts[len(parts)-1]] = values[0]
		}
	}
	in, _ := lists(root).(tree)
	if in == nil {
		return tree{}, nil
	}
	return in, nil
}

// lists turns what is numbered into lists, by the order of the numbers.
func lists(v any) any {
	t, ok := v.(tree)
	if !ok {
		return v
	}
	if inner, ok := t["member"].(tree); ok && len(t) == 1 {
		t = inner
	}
	numbers := make([]int, 0, len(t))
	for name, below := range t {
		t[name] = lists(below)
		if n, err := strconv.Atoi(name); err == nil && 0 < n && n <= maxIndex {
			numbers = append(numbers, n)
		}
	}
	if len(numbers) != len(t) || len(t) == 0 {
		return t
	}
	slices.Sort(numbers)
	l := make([]any, 0, len(t))
	for _, n := range numbers {
		if m, ok := t[strconv.Itoa(n)]; ok { // not for 01
			l = append(l, m)
		}
	}
	return l
}

// xmlWriter writes trees as the answers of the query protocol.
type xmlWriter struct {
	b      strings.Builder
	member string
	name   func(string) string // how EC2 calls what the model calls so; nil for the others
}

func (x *xmlWriter) open(tag string)  { x.b.WriteString("<" + tag + ">") }
func (x *xmlWriter) close(tag string) { x.b.WriteString("</" + tag + ">") }

func (x *xmlWriter) raw(tag, text string) {
	x.open(tag)
	xml.EscapeText(&x.b, []byte(text))
	x.close(tag)
}

func (x *xmlWriter) value(name string, v any) {
	tag := name
	if x.name != nil {
		tag = x.name(name)
	}
	switch v := v.(type) {
	case tree:
		x.open(tag)
		for _, below := range slices.Sorted(maps.Keys(v)) {
			x.value(below, v[below])
		}
		x.close(tag)
	case []any:
		x.open(tag)
		for _, m := range v {
			x.value(x.member, m)
		}
		x.close(tag)
	case nil:
	default:
		x.raw(tag, plain(v))
	}
}

func (x *xmlWriter) send(w http.ResponseWriter, c *call, status int) {
	var b strings.Builder
	io.WriteString(&b, xml.Header)
	b.WriteString(x.b.String())
	send(w, c, status, "text/xml", []byte(b.String()))
}
