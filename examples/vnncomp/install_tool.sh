#!/bin/sh
# Installs bartizan as VNN-COMP asks for it: builds this copy of the repository, and gets a C compiler and a Rust toolchain first
# where there is none (Ubuntu's packages, rustup).
#
# Usage: install_tool.sh v1
# Exit codes: 0 installed, 1 not.
set -eu

if [ $# -ne 1 ] || [ "$1" != v1 ]; then
    echo "error: install_tool.sh: expected \`v1\` as the only argument, found \`$*\`" >&2
    exit 1
fi

repository=$(cd "$(dirname "$0")/../.." && pwd)
as_root=
[ "$(id -u)" -eq 0 ] || as_root=sudo

if ! command -v cc > /dev/null || ! command -v curl > /dev/null; then
    $as_root apt-get update
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes build-essential curl ca-certificates
fi

PATH=$PATH:$HOME/.cargo/bin
oldest=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' "$repository/Cargo.toml")
found=$(cargo --version 2> /dev/null | cut -d ' ' -f 2) || found=
if [ -z "$found" ] || [ "$(printf '%s\n' "$oldest" "$found" | sort -V | head -n 1)" != "$oldest" ]; then
    PATH=$HOME/.cargo/bin:$PATH
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal --default-toolchain stable
fi

cd "$repository"
CARGO_TARGET_DIR=$repository/target cargo build --release --locked
"$repository/target/release/bartizan" --version
