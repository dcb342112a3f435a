#!/bin/bash
# Downloads packages of any Debian suite and unpacks them into a folder; installs nothing, and leaves
# this machine's own apt as it was.
#   tests/upkeep/kernels/debian.sh SUITE FOLDER PATTERN PACKAGE...
# takes the packages and what they need, as far as the names match PATTERN (as grep -xE takes it), of
# this machine's architecture or of ARCHITECTURE.
#   tests/upkeep/kernels/debian.sh SUITE FOLDER source PACKAGE
# takes the source of one, as its authors released it.
#   tests/upkeep/kernels/debian.sh mirror
# says where from: the mirror this machine's apt uses, or DEBIAN_MIRROR. Needs apt and dpkg.
set -euo pipefail

# shellcheck disable=SC2016 # apt fills these in
mirror=${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(RELEASE) $(REPO_URI)' \
    'Created-By: Packages' 'Component: main' | awk '$1 !~ /[-\/]/ { print $2; exit }')}
[ -n "$mirror" ] || { echo "debian.sh: apt names no mirror here: set DEBIAN_MIRROR" >&2; exit 1; }
if [ "$*" = mirror ]; then
    echo "$mirror"
    exit
fi
suite=$1 folder=$2 pattern=$3
shift 3

keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -e "$keyring" ] || { echo "debian.sh: no $keyring: install debian-archive-keyring" >&2; exit 1; }

apt=$(mktemp -d)
trap 'rm -rf "$apt"' EXIT
trap 'exit 143' HUP INT TERM
mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial" "$apt/packages" "$folder"
folder=$(cd "$folder" && pwd)
touch "$apt/status"
kind=deb
[ "$pattern" != source ] || kind=deb-src
echo "$kind [signed-by=$keyring] $mirror $suite main" >"$apt/sources.list"
private=(-qq -o Dir::State="$apt/state" -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache"
    -o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null
    -o APT::Sandbox::User="$(id -un)" -o APT::Install-Recommends=false)
[ -z "${ARCHITECTURE-}" ] ||
    private+=(-o APT::Architecture="$ARCHITECTURE" -o APT::Architectures::="$ARCHITECTURE")

apt-get "${private[@]}" update >&2
cd "$apt/packages"
if [ "$pattern" = source ]; then
    apt-get "${private[@]}" source --download-only "$1" >&2
    tar -C "$folder" --strip-components=1 -xf ./*.orig.tar.*[!c] # not its signature, .asc
    exit
fi
# On a machine that has nothing, what belongs to them would be all of this.
packages=$(apt-get "${private[@]}" --simulate install "$@" | awk '/^Inst/ { print $2 }' | grep -xE "$pattern")
# shellcheck disable=SC2086 # a list of names
apt-get "${private[@]}" download $packages >&2
for file in *.deb; do
    dpkg -x "$file" "$folder"
done
