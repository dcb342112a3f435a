#!/bin/sh
# Builds a copy of the sources in another way:  tests/upkeep/copy.sh FOLDER [MAKE-ARGUMENT...]
# FOLDER must not exist; it gets what "make" and "bats tests/" need, without anything built.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$1
shift
mkdir "$folder"
cp -R "$root"/Makefile "$root"/common "$root"/day0[1-4] "$root"/tests "$folder"
make -s -C "$folder" clean
make -s -C "$folder" "$@"
