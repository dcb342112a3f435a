#!/bin/sh
# Installs what is missing:  tests/deps.sh        to build and to run the tests
#                            tests/deps.sh lint   for make lint as well; so bench, kernels, fresh
# Does nothing when nothing is missing. POSIX sh: a fresh Alpine has no bash.
set -eu

have() { command -v "$1" >/dev/null 2>&1; }

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
    libuv) if have pkg-config && pkg-config --exists libuv; then return; fi ;;
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
if [ "${1-}" = kernels ]; then # these suites take Debian's packages, by apt: tests/kernels/debian.sh
    need qemu-system-x86_64 qemu-system-x86 -          -            -               -
    need busybox     busybox-static    -                 -            -               -
fi
if [ "${1-}" = fresh ]; then
    need mmdebstrap  mmdebstrap        -                 -            -               -
fi
[ -n "$missing" ] || exit 0

case $manager in
apt-get) install="apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends" ;;
dnf) install="dnf install -y -q" ;;
pacman) install="pacman -Sy --noconfirm --needed" ;;
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
