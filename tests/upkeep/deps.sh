#!/bin/sh
# Installs what is missing:  tests/upkeep/deps.sh        to build and to run the tests
#                            tests/upkeep/deps.sh lint   for make lint as well; so bench, replay, grade,
#                                                        liburing, kernels, fresh, arm64, 32, musl
# Does nothing when nothing is missing. POSIX sh: a fresh Alpine has no bash.
set -eu

# Busybox's tools do less than those of the same name that the tests call.
have() {
    path=$(command -v "$1" 2>/dev/null) || return 1
    [ "$1" = busybox ] || case $(readlink -f "$path") in */busybox) return 1 ;; esac
}

# The first package manager there is decides the names of the packages.
for manager in apt-get dnf pacman apk zypper none; do
    if have "$manager"; then break; fi
done

# need TOOL APT DNF PACMAN APK ZYPPER: the package of each that brings TOOL ("-": none there).
missing=
need() {
    tool=$1
    shift
    case $tool in
    liburing) if have pkg-config && pkg-config --exists 'liburing >= 2.3'; then return; fi ;;
    libuv | libevent) if have pkg-config && pkg-config --exists "$tool"; then return; fi ;;
    *) if have "$tool"; then return; fi ;;
    esac
    case $manager in
    apt-get) package=$1 ;;
    dnf) package=$2 ;;
    pacman) package=$3 ;;
    apk) package=$4 ;;
    zypper) package=$5 ;;
    *) package=$tool ;;
    esac
    if [ "$package" != - ]; then missing="$missing $package"; fi
}

#    tool        apt               dnf               pacman       apk             zypper
need cc "gcc libc6-dev" gcc gcc "gcc musl-dev linux-headers" gcc
need make        make              make              make         make            make
need pkg-config  pkg-config        pkgconf-pkg-config pkgconf     pkgconf         pkgconf-pkg-config
need liburing    liburing-dev      liburing-devel    liburing     liburing-dev    liburing-devel
need bash        bash              bash              bash         bash            bash
need bats        bats              bats              bats         bats            bats
need strace      strace            strace            strace       strace          strace
need pkill       procps            procps-ng         procps-ng    procps          procps
need nc          netcat-openbsd    nmap-ncat         openbsd-netcat netcat-openbsd netcat-openbsd
need ss          iproute2          iproute           iproute2     iproute2-ss     iproute2
need setpriv     util-linux        util-linux        util-linux   setpriv         util-linux
need patch       patch             patch             patch        patch           patch
need diff        diffutils         diffutils         diffutils    diffutils       diffutils
if [ "${1-}" = lint ]; then
    need clang-format clang-format clang-tools-extra clang        clang-extra-tools clang-tools
    need clang-tidy  clang-tidy    clang-tools-extra clang        clang-extra-tools clang-tools
    need cppcheck    cppcheck      cppcheck          cppcheck     cppcheck        cppcheck
    need shellcheck  shellcheck    ShellCheck        shellcheck   shellcheck      ShellCheck
    need libuv       libuv1-dev        libuv-devel       libuv        libuv-dev       libuv-devel
fi
if [ "${1-}" = bench ]; then
    need libuv       libuv1-dev        libuv-devel       libuv        libuv-dev       libuv-devel
    need gnuplot     gnuplot-nox       gnuplot           gnuplot      gnuplot         gnuplot
fi
if [ "${1-}" = replay ]; then
    need chromium    chromium          chromium          chromium     chromium        chromium
fi
if [ "${1-}" = grade ]; then
    need python3     python3           python3           python       python3         python3
    need perl        perl              perl              perl         perl            perl
    need node        nodejs            nodejs            nodejs       nodejs          nodejs
    need javac       default-jdk-headless java-latest-openjdk-devel jdk-openjdk openjdk21-jdk java-21-openjdk-devel
    need rustc       rustc             rust              rust         rust            rust
    need go          golang-go         golang            go           go              go
    need libevent    libevent-dev      libevent-devel    libevent     libevent-dev    libevent-devel
    need libuv       libuv1-dev        libuv-devel       libuv        libuv-dev       libuv-devel
fi
if [ "${1-}" = liburing ]; then
    need clang       clang             clang             clang        clang           clang
fi
# These suites take Debian's packages, by apt: tests/upkeep/kernels/debian.sh
case ${1-} in
kernels) need qemu-system-x86_64 qemu-system-x86 - - - - ;;
arm64)
    need qemu-system-aarch64 qemu-system-arm - - - -
    need aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu - - - -
    ;;
32) need i686-linux-gnu-gcc gcc-i686-linux-gnu - - - - ;; # gcc-multilib is at odds with arm64's compiler
musl) need musl-gcc musl-tools - - - - ;;
fresh) need mmdebstrap mmdebstrap - - - - ;;
esac
case ${1-} in
kernels | arm64 | musl) need busybox busybox-static - - - - ;;
esac
[ -n "$missing" ] || exit 0

case $manager in
apt-get) install="apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends" ;;
dnf) install="dnf install -y -q" ;;
pacman) # not with -y, which without -u is an update of a part, what Arch does not support
    install="pacman -S --noconfirm --needed"
    echo "deps: if pacman does not find a package, your system wants an update first: pacman -Syu"
    ;;
apk) install="apk add --quiet" ;;
zypper) install="zypper --non-interactive --quiet install" ;;
none)
    echo "deps: no apt-get, dnf, pacman, apk or zypper here: install these yourself:$missing" >&2
    exit 1
    ;;
esac

echo "deps: installing$missing"
if [ "$(id -u)" -eq 0 ]; then
    sh -c "$install $missing"
elif have sudo; then
    sudo sh -c "$install $missing"
elif have doas; then
    doas sh -c "$install $missing"
else
    echo "deps: as root, run:  $install$missing" >&2
    exit 1
fi
