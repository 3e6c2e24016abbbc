package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/parley-tls/parley/aws/declared"
	"github.com/parley-tls/parley/render"
)

// Bounds of what one audit reads.
const (
	maxDeclaredFiles = 20_000
	maxDeclaredBytes = 512 << 20
)

// declaredReader collects files within bounds.
type declaredReader struct {
	files int
	bytes int
}

// readDeclared reads all files and folders that the flags name. What is named itself and cannot be read is an error; in a folder
// it is a problem, where it looks as if it were about load balancers of AWS.
func readDeclared(f *awsAuditFlags) (*declared.Result, []render.AWSAuditProblem, error) {
	all := &declared.Result{}
	var problems []render.AWSAuditProblem
	r := &declaredReader{}
	add := func(res *declared.Result, err error) error {
		if err == nil {
			all.Listeners, all.Unseen = append(all.Listeners, res.Listeners...), append(all.Unseen, res.Unseen...)
		}
		return err
	}
	var hcl, manifests []declared.File
	for _, name := range f.terraform {
		named, walked, err := r.collect(name, isTerraform)
		if err != nil {
			return nil, nil, err
		}
		hcl = append(hcl, walked...)
		for _, file := range named {
			if isTerraform(file.Name) || strings.HasSuffix(file.Name, ".tfvars") {
				hcl = append(hcl, file)
			} else if err := add(declared.ReadPlan(file)); err != nil {
				return nil, nil, err
			}
		}
	}
	if len(hcl) > 0 {
		if err := add(declared.ReadTerraform(hcl)); err != nil {
			return nil, nil, err
		}
	}
	for _, name := range f.cloudformation {
		named, walked, err := r.collect(name, isTemplate)
		if err != nil {
			return nil, nil, err
		}
		for _, file := range named {
			if err := add(declared.ReadCloudFormation(file)); err != nil {
				return nil, nil, err
			}
		}
		for _, file := range walked {
			if !bytes.Contains(file.Data, []byte("AWS::ElasticLoadBalancing")) && !bytes.Contains(file.Data, []byte("AWS::CloudFormation::Stack")) {
				continue
			}
			if err := add(declared.ReadCloudFormation(file)); err != nil {
				problems = append(problems, render.AWSAuditProblem{Where: file.Name, Error: strings.TrimPrefix(err.Error(), file.Name+": ")})
			}
		}
	}
	for _, name := range f.kubernetes {
		named, walked, err := r.collect(name, isManifest)
		if err != nil {
			return nil, nil, err
		}
		manifests = append(manifests, named...)
		for _, file := range walked {
			_, err := declared.ReadKubernetes([]declared.File{file})
			switch {
			case err == nil:
				manifests = append(manifests, file)
			case !errors.Is(err, declared.ErrNoManifest) && aboutLoadBalancers(file.Data):
				problems = append(problems, render.AWSAuditProblem{Where: file.Name, Error: strings.TrimPrefix(err.Error(), file.Name+": ")})
			}
		}
	}
	if len(manifests) > 0 {
		if err := add(declared.ReadKubernetes(manifests)); err != nil {
			return nil, nil, err
		}
	}
	return all, problems, nil
}

// isTerraform reports whether Terraform reads a file of that name by itself.
func isTerraform(name string) bool {
	base := filepath.Base(name)
	return strings.HasSuffix(base, ".tf") || strings.HasSuffix(base, ".tf.json") || base == "terraform.tfvars" || base == "terraform.tfvars.json" ||
		strings.HasSuffix(base, ".auto.tfvars") || strings.HasSuffix(base, ".auto.tfvars.json") || strings.HasSuffix(filepath.ToSlash(name), ".terraform/modules/modules.json")
}

func isManifest(name string) bool {
	switch filepath.Ext(name) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return false
}

func isTemplate(name string) bool { return isManifest(name) || filepath.Ext(name) == ".template" }

// aboutLoadBalancers reports whether a manifest has to do with load balancers of AWS.
func aboutLoadBalancers(data []byte) bool {
	for _, word := range []string{"alb.ingress.kubernetes.io/", "service.beta.kubernetes.io/aws-load-balancer", "IngressClassParams", "gateway.k8s.aws/"} {
		if bytes.Contains(data, []byte(word)) {
			return true
		}
	}
	return false
}

// collect reads what a name stands for: a file, which is named then, or the files of a folder and of those in it that want takes.
func (r *declaredReader) collect(name string, want func(string) bool) (named, walked []declared.File, err error) {
	if name == "-" {
		f, err := r.read(name)
		return []declared.File{f}, nil, err
	}
	st, err := os.Stat(name)
	if err != nil {
		return nil, nil, err
	}
	if !st.IsDir() {
		f, err := r.read(name)
		return []declared.File{f}, nil, err
	}
	err = filepath.WalkDir(name, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != name && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules"):
			if d.Name() == ".terraform" && want("main.tf") { // modules that terraform init has fetched; no providers
				_, modules, err := r.collect(filepath.Join(path, "modules"), want)
				if err == nil {
					walked = append(walked, modules...)
				} else if !errors.Is(err, fs.ErrNotExist) {
					return err
				}
			}
			return fs.SkipDir
		case !d.Type().IsRegular() || !want(path):
			return nil
		}
		f, err := r.read(path)
		walked = append(walked, f)
		return err
	})
	return nil, walked, err
}

// read reads a file, or standard input.
func (r *declaredReader) read(name string) (declared.File, error) {
	in := os.Stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return declared.File{}, err
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, declared.MaxJSON+1))
	if r.files, r.bytes = r.files+1, r.bytes+len(data); r.files > maxDeclaredFiles || r.bytes > maxDeclaredBytes {
		return declared.File{}, fmt.Errorf("%s: more than %d files or %d MB in all, the most that is read at once: name fewer", name, maxDeclaredFiles, maxDeclaredBytes>>20)
	}
	return declared.File{Name: filepath.ToSlash(name), Data: data}, err
}
