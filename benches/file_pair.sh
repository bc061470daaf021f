#!/bin/sh
# 1 GiB through each pair of file programs, from /dev/shm to /dev/shm, in turns; the files are compared.
# Build first: cargo build --release, and the originals (tests/originals/README.md).
#
#     benches/file_pair.sh [ROUNDS]
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
dir=$(mktemp -d -p /dev/shm)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/in"
head -c 1G /dev/urandom >"$dir/big"
cd "$dir/in"

pair() {
    "$1/file_server" >/dev/null 2>&1 &
    server=$!
    until ss -ltn | grep -q ':8005 '; do sleep 0.01; done
    start=$(date +%s%N)
    echo "$dir/big" | "$1/file_client" >/dev/null 2>&1
    wait $server
    end=$(date +%s%N)
    cmp big "$dir/big"
    rm big
    echo $((1024 * 1000000000 / (end - start)))
}

for _ in $(seq "${1:-5}"); do
    ours=$(pair "$root/target/release")
    go=$(pair "$root/target/originals")
    echo "threadline $ours MiB/s, go $go MiB/s"
done
