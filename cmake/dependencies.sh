#!/usr/bin/env bash
# Makes a Debian or Ubuntu machine ready to build Kaon: packages, then Kokkos and Kokkos Kernels.
#
#   cmake/dependencies.sh            everything; needs root or sudo only when a package is missing
#   cmake/dependencies.sh --hip      instead a Kokkos for Debian's hipcc: enough to compile for AMD GPUs, to check that it compiles
#
# Prints, as its last line on standard output, the CMAKE_PREFIX_PATH to configure with (empty when CMake finds Kokkos alone).
# All progress goes to standard error. Settings, from the environment:
#   KAON_CACHE     where the built Kokkos is kept (default: ${XDG_CACHE_HOME:-~/.cache}/kaon)
#   KAON_JOBS      parallel compile jobs (default: number of cores)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
jobs=${KAON_JOBS:-$(nproc)}
cache=${KAON_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kaon}
say() { printf 'dependencies: %s\n' "$*" >&2; }
die() { printf 'dependencies: error: %s\n' "$*" >&2; exit 1; }

hip=
case "${1:-}" in
  '') ;;
  --hip) hip=1 ;;
  *) die "unknown argument '$1'; the only one is --hip" ;;
esac

packages=(build-essential cmake ninja-build pkg-config git ca-certificates dpkg-dev xz-utils
  mpich libmpich-dev libhdf5-mpich-dev libopenblas-dev liblapack-dev
  libboost-program-options-dev libfmt-dev nlohmann-json3-dev libxxhash-dev libzip-dev librandom123-dev
  libgtest-dev libbenchmark-dev clang-format procps iproute2 python3 python3-h5py python3-numpy)

if [ -n "$hip" ]; then packages+=(hipcc libamdhip64-dev); fi

command -v dpkg-query >/dev/null || die "this is not a Debian or Ubuntu machine; install what docs/install.md lists and configure with CMake"

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else die "packages are missing and neither root nor sudo is at hand: ask your administrator for: apt-get install ${missing[*]}"
  fi
}

missing=()
for p in "${packages[@]}" ${KAON_EXTRA_PACKAGES:-}; do
  dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'install ok installed' || missing+=("$p")
done
if [ ${#missing[@]} -gt 0 ]; then
  say "installing ${missing[*]}"
  as_root apt-get update -q >&2
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}" >&2
fi

# A Kokkos with Kokkos Kernels that CMake finds by itself (module, spack, CMAKE_PREFIX_PATH) wins.
probe=$(mktemp -d)
trap 'rm -rf "$probe"' EXIT
cp "$here/probe/CMakeLists.txt" "$probe/"
if [ -z "$hip" ] && cmake -S "$probe" -B "$probe/build" >"$probe/log" 2>&1; then
  say "using the Kokkos that CMake finds: $(grep -h -o 'found: .*' "$probe/log" | head -n 1)"
  printf '\n'
  exit 0
fi

. /etc/os-release
recipe=$(cat "${BASH_SOURCE[0]}" "$here/probe/CMakeLists.txt" | cksum | cut -d' ' -f1)
prefix=$cache/kokkos${hip:+-hip}-$ID$VERSION_ID-$(dpkg --print-architecture)-gcc$(g++ -dumpversion)-$recipe
if [ -e "$prefix/complete" ]; then
  say "using $prefix"
  printf '%s\n' "$prefix"
  exit 0
fi

# Kokkos and Kokkos Kernels stand inside Debian's trilinos source package. Its index is fetched through a private source
# list made from the machine's own, so that the machine's apt configuration stays as it is.
if [ -n "$hip" ]; then
  parallel='HIP (gfx908)'
  backend=(-DCMAKE_CXX_COMPILER=hipcc -DKokkos_ENABLE_HIP=ON -DKokkos_ARCH_VEGA908=ON)
  compiler=(-DCMAKE_CXX_COMPILER=hipcc)
else
  parallel=OpenMP
  backend=(-DKokkos_ENABLE_OPENMP=ON)
  compiler=()
fi
say "building Kokkos with $parallel and Serial from Debian's source package into $prefix (a few minutes, once)"
work=$cache/work-$$
mkdir -p "$work/lists/partial" "$work/src"
trap 'rm -rf "$probe" "$work"' EXIT
python3 - "$work/sources.list" <<'PY'
import glob, sys
out = []
for name in ["/etc/apt/sources.list"] + sorted(glob.glob("/etc/apt/sources.list.d/*.list")):
    try:
        lines = open(name).read().splitlines()
    except OSError:
        continue
    out += ["deb-src" + l[3:] for l in lines if l.startswith("deb ") or l.startswith("deb [")]
for name in sorted(glob.glob("/etc/apt/sources.list.d/*.sources")):
    for stanza in open(name).read().split("\n\n"):
        fields = {}
        for line in stanza.splitlines():
            if ":" in line and not line.startswith(("#", " ")):
                key, value = line.split(":", 1)
                fields[key.strip().lower()] = value.strip()
        if fields.get("enabled", "yes") == "no" or "deb" not in fields.get("types", ""):
            continue
        opts = "[signed-by=%s] " % fields["signed-by"] if fields.get("signed-by", "").startswith("/") else ""
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                out.append("deb-src %s%s %s %s" % (opts, uri, suite, fields.get("components", "")))
open(sys.argv[1], "w").write("\n".join(out) + "\n")
PY
apt_private=(-o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null
  -o Dir::State::Lists="$work/lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root)
apt-get "${apt_private[@]}" update -q >&2
(cd "$work/src" && apt-get "${apt_private[@]}" source -q --download-only trilinos >&2) ||
  die "the source package 'trilinos' could not be downloaded; bring a Kokkos of your own and set CMAKE_PREFIX_PATH"
tarball=$(ls "$work"/src/trilinos_*.orig.tar.* | head -n 1)
say "unpacking $(basename "$tarball")"
top=$(tar -tf "$tarball" 2>/dev/null | sed -n 1p | cut -d/ -f1) || true
tar -xf "$tarball" -C "$work/src" "$top/packages/kokkos" "$top/packages/kokkos-kernels"

build() { # NAME SOURCE OPTION...
  local name=$1 source=$2; shift 2
  say "building $name"
  cmake -S "$source" -B "$work/$name" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$prefix" \
    -DCMAKE_PREFIX_PATH="$prefix" -DBUILD_SHARED_LIBS=ON -DCMAKE_CXX_EXTENSIONS=OFF "$@" >"$work/$name.log" 2>&1 &&
    cmake --build "$work/$name" -j "$jobs" --target install >>"$work/$name.log" 2>&1 ||
    { tail -n 40 "$work/$name.log" >&2; die "$name did not build"; }
}
rm -rf "$prefix"
build kokkos "$work/src/$top/packages/kokkos" -DKokkos_ENABLE_SERIAL=ON "${backend[@]}" -DCMAKE_CXX_STANDARD=17
build kokkos-kernels "$work/src/$top/packages/kokkos-kernels" "${compiler[@]}" -DCMAKE_CXX_STANDARD=17 \
  -DKokkosKernels_ADD_DEFAULT_ETI=OFF -DKokkosKernels_ENABLED_COMPONENTS=BLAS \
  -DKokkosKernels_ENABLE_TPL_BLAS=ON -DKokkosKernels_ENABLE_TPL_LAPACK=ON
touch "$prefix/complete"
say "done: $prefix"
printf '%s\n' "$prefix"
