package declared

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestBadInput holds for files that are no such files, or are made to cost much: an error of one line, soon.
func TestBadInput(t *testing.T) {
	deepJSON := strings.Repeat(`{"a":`, 300) + "1" + strings.Repeat("}", 300)
	bomb := "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'k'; c++ {
		bomb += fmt.Sprintf("%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat("*"+string(c-1)+",", 10), ","))
	}
	plan := func(text string) error { _, err := ReadPlan(File{"f.json", []byte(text)}); return err }
	hcl := func(text string) error { _, err := ReadTerraform([]File{{"f.tf", []byte(text)}}); return err }
	cfn := func(text string) error { _, err := ReadCloudFormation(File{"f.yaml", []byte(text)}); return err }
	kube := func(text string) error { _, err := ReadKubernetes([]File{{"f.yaml", []byte(text)}}); return err }
	for name, c := range map[string]struct {
		read func(string) error
		text string
		want string
	}{
		"plan, empty":          {plan, "", "f.json:1: not JSON"},
		"plan, cut":            {plan, "{\n\"format_version\": \"1.2\",\n\"planned_values\": {", "f.json:3: not JSON"},
		"plan, a plan file":    {plan, "PK\x03\x04tfplan", "terraform show -json"},
		"plan, other JSON":     {plan, `{"Resources":{}}`, "terraform show -json"},
		"plan, deep":           {plan, deepJSON, "nested more than"},
		"terraform, cut":       {hcl, "resource \"aws_lb_listener\" \"x\" {\n  port =\n", "f.tf:2"},
		"terraform, deep":      {hcl, "locals { a = " + strings.Repeat("[", 100_000), "nested more than"},
		"terraform, deep not":  {hcl, "locals { a = " + strings.Repeat("!", 100_000) + "true }", "nested more than"},
		"template, empty":      {cfn, "", "no Resources"},
		"template, list":       {cfn, "- a\n- b\n", "no Resources"},
		"template, tabs":       {cfn, "Resources:\n\tA: b\n", "f.yaml: not YAML"},
		"template, aliases":    {cfn, bomb + "Resources: *j\n", "aliases"},
		"template, JSON error": {cfn, "{\"Resources\": {\n,}}", "f.yaml:2: not JSON"},
		"manifest, helm":       {kube, "kind: Ingress\nmetadata:\n  {{- if .Values.x }}\n  a: b\n", "helm template"},
		"manifest, no kind":    {kube, "a: b\n", "no manifest"},
		"manifest, aliases":    {kube, bomb, "aliases"},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			err := c.read(c.text)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") || len(err.Error()) > 400 {
				t.Errorf("error %v, want one line with %q", err, c.want)
			}
			if d := time.Since(start); d > 10*time.Second {
				t.Errorf("took %v", d)
			}
		})
	}
}

// TestDoubling holds for configurations whose values are made of each other: they become unknown before they become large.
func TestDoubling(t *testing.T) {
	var b strings.Builder
	b.WriteString("locals {\n  a0 = \"xxxxxxxxxxxxxxxx\"\n")
	for i := 1; i < 60; i++ {
		fmt.Fprintf(&b, "  a%d = \"${local.a%d}${local.a%d}\"\n", i, i-1, i-1)
	}
	b.WriteString("  loop = local.pool\n  pool = local.loop\n}\n")
	for i, e := range []string{"local.a59", "local.loop", `[for x in [1,2] : [for y in [1,2] : y]]`, `format("%1000000000d", 1)`, `join("", [for x in [1,2] : x])`, "[1,2][*]"} {
		fmt.Fprintf(&b, "resource \"aws_lb_listener\" \"l%d\" {\n  protocol = \"HTTPS\"\n  ssl_policy = %s\n}\n", i, e)
	}
	r, err := ReadTerraform([]File{{"f.tf", []byte(b.String())}})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Listeners) != 6 {
		t.Fatalf("%d listeners, want 6", len(r.Listeners))
	}
	for _, l := range r.Listeners {
		if l.Unknown == "" || l.Policy != "" {
			t.Errorf("%s: policy %.40q, unknown %q; want it unknown", l.Resource, l.Policy, l.Unknown)
		}
	}
}

// TestModulesDoubling holds for modules that call each other, two times two times two.
func TestModulesDoubling(t *testing.T) {
	twice := func(name string) []byte {
		return fmt.Appendf(nil, "module \"x\" {\n  source = \"../%[1]s\"\n}\nmodule \"y\" {\n  source = \"../%[1]s\"\n}\n", name)
	}
	start := time.Now()
	_, err := ReadTerraform([]File{{"root/main.tf", twice("a")}, {"a/main.tf", twice("b")}, {"b/main.tf", twice("a")}})
	if err == nil || !strings.Contains(err.Error(), "call each other") {
		t.Errorf("%v", err)
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("took %v", d)
	}
}

// TestConditionsDoubling holds for conditions that are made of each other.
func TestConditionsDoubling(t *testing.T) {
	var b strings.Builder
	b.WriteString("Conditions:\n  C0: !Equals [a, a]\n")
	for i := 1; i < 38; i++ {
		fmt.Fprintf(&b, "  C%d: !And [{Condition: C%d}, {Condition: C%d}]\n", i, i-1, i-1)
	}
	b.WriteString("Resources:\n  L:\n    Type: AWS::ElasticLoadBalancingV2::Listener\n    Properties: {Protocol: HTTPS, SslPolicy: !If [C37, a, b]}\n")
	start := time.Now()
	r, err := ReadCloudFormation(File{"f.yaml", []byte(b.String())})
	if err != nil || len(r.Listeners) != 1 || r.Listeners[0].Unknown == "" {
		t.Errorf("%+v, %v; want one listener whose policy is unknown", r, err)
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("took %v", d)
	}
}

// check holds for whatever a reader answers to whatever bytes.
func check(t *testing.T, r *Result, err error) {
	t.Helper()
	if err != nil {
		if s := err.Error(); len(s) > 1000 || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7F }) {
			t.Fatalf("no short line: %q", s)
		}
		return
	}
	for _, l := range r.Listeners {
		if l.Unknown != "" && l.Accepts == nil && l.Default {
			t.Fatalf("unknown and a default: %+v", l)
		}
		if l.TLS() && l.Policy == "" && l.Unknown == "" {
			t.Fatalf("neither a policy nor a reason: %+v", l)
		}
		if l.Port < 0 || l.Port > 65535 {
			t.Fatalf("port %d", l.Port)
		}
		for _, s := range append(l.Notes, l.Resource, l.Unknown) {
			if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7F }) {
				t.Fatalf("control characters: %q", s)
			}
		}
	}
}

func FuzzReadPlan(f *testing.F) {
	f.Add(files(f, "plan.json")[0].Data)
	f.Add([]byte(`{"format_version":"1.0","values":{"root_module":{"resources":[{"type":"aws_elb","values":{"listener":[{}]}}]}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := ReadPlan(File{"f.json", data})
		check(t, r, err)
	})
}

func FuzzReadTerraform(f *testing.F) {
	for _, file := range files(f, "terraform/*.tf") {
		f.Add(file.Data, false)
	}
	f.Add([]byte(`{"resource":{"aws_lb_listener":{"x":{"port":443,"protocol":"HTTPS","ssl_policy":"${var.p}"}}},"variable":{"p":{"default":"a"}}}`), true)
	f.Fuzz(func(t *testing.T, data []byte, json bool) {
		name := "f.tf"
		if json {
			name = "f.tf.json"
		}
		r, err := ReadTerraform([]File{{name, data}})
		check(t, r, err)
	})
}

func FuzzReadCloudFormation(f *testing.F) {
	for _, file := range files(f, "cloudformation/*") {
		f.Add(file.Data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := ReadCloudFormation(File{"f.yaml", data})
		check(t, r, err)
	})
}

func FuzzReadKubernetes(f *testing.F) {
	for _, file := range files(f, "kubernetes/*") {
		f.Add(file.Data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := ReadKubernetes([]File{{"f.yaml", data}})
		check(t, r, err)
	})
}
