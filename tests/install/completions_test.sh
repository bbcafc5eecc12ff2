#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Completions of bash, zsh and fish know every option that --help of a tool shows, and
# every subcommand; bash's are tried out, the others are read by their shells where these
# are installed.
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
# shellcheck source=tests/support/shell.sh
. "$here/../support/shell.sh"
: "${LKL_BIN:?}" "${LKL_BUILD:?}"

# complete LINE...: what bash offers for the last word.
complete_words() {
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    "_${1//-/_}"
    printf '%s\n' "${COMPREPLY[@]}"
}

# check TOOL [SUBCOMMAND]
check() {
    local tool=$1 share=$LKL_BUILD/share option zsh fish pattern
    zsh=$(<"$share/zsh/site-functions/_$tool")
    fish=$(<"$share/fish/vendor_completions.d/$tool.fish")
    "$LKL_BIN/$1" "${@:2}" --help | grep -oE '^  (\[[^]]*\] )?-[^ ]*(, -[^ ]*)*' |
        grep -oE -e '--?[A-Za-z0-9][A-Za-z0-9-]*' | sort -u >expected
    [ -s expected ] || fail "$* --help shows no options"
    complete_words "$@" - | sort >offered
    option=$(comm -23 expected offered)
    [ -z "$option" ] || fail "bash does not offer $* $option"
    while read -r option; do
        [[ $zsh == *"*${option}["* ]] || fail "zsh does not offer $* $option"
        case $option in
        --*) pattern="-l ${option#--}\\b" ;;
        *) pattern="-[so] ${option#-}\\b" ;;
        esac
        [[ $fish =~ $pattern ]] || fail "fish does not offer $* $option"
    done <expected
}

directory=$(mktemp -d)
trap 'rm -r "$directory"' EXIT
cd "$directory"
count=0
for program in "$LKL_BIN"/*; do
    tool=$(basename "$program")
    [ -e "$LKL_SOURCE/tools/$tool/main.cpp" ] || continue
    count=$((count + 1))
    # shellcheck disable=SC1090  # of each tool in turn
    . "$LKL_BUILD/share/bash-completion/completions/$tool"
    complete -p "$tool" >/dev/null || fail "bash has no completion of $tool"
    check "$tool"
    if command -v zsh >/dev/null; then
        zsh -n "$LKL_BUILD/share/zsh/site-functions/_$tool" || fail "zsh cannot read it: $tool"
    fi
    if command -v fish >/dev/null; then
        fish -n "$LKL_BUILD/share/fish/vendor_completions.d/$tool.fish" || fail "fish cannot read it: $tool"
    fi
done
[ "$count" -ge 6 ] || fail "only $count tools"
complete_words lkl '' >commands
for file in "$LKL_SOURCE"/tools/lkl/commands/*.cpp; do
    command=$(basename "$file" .cpp)
    grep -qx "$command" commands || fail "bash does not offer lkl $command"
    check lkl "$command"
done
[ "$(complete_words lkl ls --rec)" = --recursive ] || fail "lkl ls --rec becomes nothing"
[ "$(complete_words lkl -q find -ina)" = -iname ] || fail "lkl find -ina becomes nothing"
