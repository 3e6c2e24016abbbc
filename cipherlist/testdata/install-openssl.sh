#!/usr/bin/env bash
# Unpacks Debian's OpenSSL 1.1.1 (bullseye) and 3.5 (trixie) under .peers/openssl, with the libraries they
# need, for live_test.go. Nothing is installed: apt-get works in a directory of its own, on the archive
# that this machine's apt already uses.
set -euo pipefail
cd "$(dirname "$0")/../.."
for tool in apt-get dpkg-deb; do
  command -v "$tool" >/dev/null || { echo "install-openssl: $tool is missing" >&2; exit 1; }
done
archive=$(apt-get indextargets --format '$(REPO_URI) $(COMPONENT)' | sed -n 's,^\(.*/debian/\) main$,\1,p' | sort -u | head -n 1)
[[ -n $archive ]] || { echo "install-openssl: apt knows no Debian archive" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# unpack RELEASE SUITE PACKAGE… puts the packages' files under .peers/openssl/RELEASE.
unpack() {
  local target=$PWD/.peers/openssl/$1 suite=$2 dir=$work/$1
  shift 2
  if [[ -x $target/usr/bin/openssl ]]; then return; fi
  mkdir -p "$dir"/{lists/partial,cache/archives/partial,parts,debs,tree}
  touch "$dir/status"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $archive $suite main" >"$dir/sources.list"
  local apt=(apt-get -qq -o Dir::Etc::sourcelist="$dir/sources.list" -o Dir::Etc::sourceparts="$dir/parts" -o Dir::State="$dir"
    -o Dir::State::lists="$dir/lists" -o Dir::State::status="$dir/status" -o Dir::Cache="$dir/cache"
    -o Acquire::Languages=none -o APT::Sandbox::User=root)
  "${apt[@]}" update
  (cd "$dir/debs" && "${apt[@]}" download "$@")
  local deb
  for deb in "$dir"/debs/*.deb; do dpkg-deb -x "$deb" "$dir/tree"; done
  mkdir -p "$(dirname "$target")"
  rm -rf "$target" && mv "$dir/tree" "$target"
}

unpack 1.1.1 bullseye openssl libssl1.1
unpack 3.5 trixie openssl libssl3t64 libc6 libzstd1 zlib1g # with its own C library: trixie's is newer than bookworm's
