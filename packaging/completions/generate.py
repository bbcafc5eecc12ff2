#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Writes completions for bash, zsh and fish from what the tools' own --help says.

    generate.py PROGRAM OUTPUT

OUTPUT gets bash-completion/completions/NAME, zsh/site-functions/_NAME and
fish/vendor_completions.d/NAME.fish, as below /usr/share.
"""

import argparse
import pathlib
import re
import subprocess

# "  -x,--exclude PATTERN        Leave out what matches"; long options may be followed by
# one blank.
OPTION = re.compile(r"  (?:\[[^]]*\] )?(-[^\s,]+(?:, ?-[^\s,]+)*)"
                    r"(?: ([A-Z\[][A-Z0-9:.=\[\]]*)(?=\s|$))?(?: \.\.\.)?(?:\s+(.*))?$")
COMMAND = re.compile(r"  ([a-z][a-z0-9-]*)\s{2,}(.*)$")
# The words of an expression, that stand in running text.
WORD = re.compile(r"(?<![^\s(])-[a-z][a-z0-9]*\b")


def main():
    """Writes the three files of one program."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("program")
    parser.add_argument("output", type=pathlib.Path)
    options = parser.parse_args()
    name = pathlib.Path(options.program).name
    tool = describe([options.program])
    for path, text in (("bash-completion/completions/" + name, bash(name, tool)),
                       ("zsh/site-functions/_" + name, zsh(name, tool)),
                       (f"fish/vendor_completions.d/{name}.fish", fish(name, tool))):
        file = options.output / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(with_licence(text), encoding="utf-8")


def with_licence(text):
    """zsh wants its own mark in the first line."""
    first, rest = text.split("\n", maxsplit=1)
    licence = "# SPDX-License-Identifier: GPL-2.0-only"
    return "\n".join((first, licence, rest) if first.startswith("#compdef") else
                     (licence, first, rest))


class Tool:
    """Options, as (names, argument, description), and subcommands, likewise described."""

    def __init__(self):
        self.options = []
        self.commands = {}


def describe(command):
    """What --help says of a program or of a subcommand."""
    text = subprocess.run([*command, "--help"], check=True, capture_output=True, text=True).stdout
    tool = Tool()
    section = ""
    for line in text.splitlines():
        if re.fullmatch(r"[A-Z][a-z]+:", line):
            section = line
        elif section != "Subcommands:" and (found := OPTION.match(line)) and \
                not re.search(r"\s-[a-z]+ -[a-z]", line):
            names = [re.sub(r"\{.*\}", "", part.strip()) for part in found[1].split(",")]
            tool.options.append((names, found[2], found[3] or ""))
        elif section == "Subcommands:" and (found := COMMAND.match(line)):
            tool.commands[found[1]] = (found[2], describe([*command, found[1]]))
        elif section == "Options:" and not line.startswith("Example") and len(command) > 1 and \
                command[-1] == "find":
            tool.options += [([word], None, "") for word in WORD.findall(line)
                             if [word] not in [option[0] for option in tool.options]]
    return tool


def words(tool):
    """All spellings of a tool's options."""
    return " ".join(sorted({name for names, _, _ in tool.options for name in names}))


def bash(name, tool):
    """A function for bash: options behind a dash, files are the shell's own matter."""
    function = "_" + re.sub(r"\W", "_", name)
    lines = [f"{function}() {{",
             "    local current=${COMP_WORDS[COMP_CWORD]} word command= options",
             "    COMPREPLY=()"]
    if tool.commands:
        lines += ["    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do",
                  "        case $word in",
                  f"        {' | '.join(tool.commands)})",
                  "            command=$word",
                  "            break",
                  "            ;;",
                  "        esac",
                  "    done"]
    lines += ["    case $command in"]
    for command, (_, described) in tool.commands.items():
        lines += [f"    {command}) options=\"{words(described)} {words(tool)}\" ;;"]
    lines += [f"    *) options=\"{words(tool)}\" ;;", "    esac",
              "    if [[ $current == -* ]]; then",
              "        mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$current\")"]
    if tool.commands:
        lines += ["    elif [[ -z $command ]]; then",
                  f"        mapfile -t COMPREPLY < <(compgen -W \"{' '.join(tool.commands)}\" "
                  "-- \"$current\")"]
    lines += ["    fi", "}", f"complete -o bashdefault -o default -F {function} {name}", ""]
    return "\n".join(lines)


def zsh_text(text):
    """A description inside of single quotes and brackets."""
    return text.replace("'", "’").replace("[", "(").replace("]", ")").replace(":", "\\:")


def zsh_options(tool):
    """Arguments of _arguments, one an option."""
    result = []
    for names, argument, description in tool.options:
        for option in names:
            value = f":{zsh_text(argument)}:_files" if argument else ""
            result.append(f"'*{option}[{zsh_text(description)}]{value}'")
    return result


def zsh(name, tool):
    """A file for zsh's own completion system."""
    lines = [f"#compdef {name}"]
    if not tool.commands:
        lines += ["_arguments \\"] + [f"    {option} \\" for option in zsh_options(tool)]
        return "\n".join([*lines, "    '*:file:_files'", ""])
    lines += ["local context state line", "local -a commands", "commands=("]
    lines += [f"    '{command}:{zsh_text(description)}'"
              for command, (description, _) in tool.commands.items()]
    lines += [")", "_arguments -C \\"]
    lines += [f"    {option} \\" for option in zsh_options(tool)]
    lines += ["    '1:command:->command' '*::argument:->argument'",
              "case $state in",
              "command) _describe command commands ;;",
              "argument)",
              "    case $line[1] in"]
    for command, (_, described) in tool.commands.items():
        lines += [f"    {command})", "        _arguments \\"]
        lines += [f"            {option} \\" for option in zsh_options(described)]
        lines += ["            '*:file:_files'", "        ;;"]
    lines += ["    esac", "    ;;", "esac", ""]
    return "\n".join(lines)


def fish_text(text):
    """A text in single quotes."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def fish_options(prefix, tool):
    """One complete command an option."""
    result = []
    for names, argument, description in tool.options:
        line = prefix
        for option in names:
            if option.startswith("--"):
                line += f" -l {option[2:]}"
            elif len(option) == 2:
                line += f" -s {option[1:]}"
            else:
                line += f" -o {option[1:]}"
        if argument:
            line += " -r"
        result.append(f"{line} -d {fish_text(description)}")
    return result


def fish(name, tool):
    """Lines for fish."""
    lines = fish_options(f"complete -c {name}", tool)
    for command, (description, described) in tool.commands.items():
        lines.append(f"complete -c {name} -n __fish_use_subcommand -f -a {command} "
                     f"-d {fish_text(description)}")
        lines += fish_options(f"complete -c {name} -n '__fish_seen_subcommand_from {command}'",
                              described)
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
