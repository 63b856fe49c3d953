"""Shell completion: a script for bash, zsh or fish, made from the parsers of the commands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from trailguard.commands.options import parser_of
from trailguard.commands.overview import COMMANDS


class _Word(NamedTuple):
    """An option or an argument: its names, its help, and the values that it takes (none where anything goes)."""

    names: tuple[str, ...]
    text: str
    values: tuple[str, ...]
    takes_value: bool


def script(shell: str, profiles: Sequence[str], rules: Sequence[str]) -> str:
    """The script for a shell; `profiles` and `rules` are what `--profile` and rule options can name."""
    known = {"--profile": tuple(profiles), "--select": tuple(rules), "--ignore": tuple(rules), "rule": tuple(rules)}
    commands = {name: list(_words(name, known)) for name in COMMANDS}
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](commands)


def _words(command: str, known: Mapping[str, tuple[str, ...]]) -> Iterator[_Word]:
    for action in parser_of(command)._actions:
        names = tuple(action.option_strings)
        values = tuple(map(str, action.choices or ()))
        metavar = action.metavar
        if not values and isinstance(metavar, str) and "|" in metavar and metavar == metavar.lower():
            values = tuple(metavar.split("|"))
        values = values or next((known[name] for name in (*names, action.dest) if name in known), ())
        yield _Word(names, (action.help or "").replace("%%", "%"), values, action.nargs != 0)


def _bash(commands: Mapping[str, list[_Word]]) -> str:
    cases = []
    for command, words in commands.items():
        for word in words:
            if word.names and word.takes_value:
                pattern = "|".join(f'"{command} {name}"' for name in word.names)
                reply = f'compgen -W "{" ".join(word.values)}" -- "$cur"' if word.values else 'compgen -f -- "$cur"'
                cases.append(f"    {pattern}) mapfile -t COMPREPLY < <({reply}); return ;;")
    options = [
        f'    {command}) words="{" ".join(name for word in words for name in word.names)}";'
        f' values="{" ".join(value for word in words if not word.names for value in word.values)}" ;;'
        for command, words in commands.items()
    ]
    return f"""\
# bash completion for trailguard: source <(trailguard completion bash)
_trailguard() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}} command=${{COMP_WORDS[1]}} words="" values=""
  if ((COMP_CWORD == 1)); then
    mapfile -t COMPREPLY < <(compgen -W "{" ".join(commands)} --help --version" -- "$cur")
    return
  fi
  case "$command $prev" in
{chr(10).join(cases)}
  esac
  case "$command" in
{chr(10).join(options)}
  esac
  if [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
  elif [[ -n $values ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$values" -- "$cur")
  else
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
  fi
}}
complete -F _trailguard trailguard
"""


def _zsh(commands: Mapping[str, list[_Word]]) -> str:
    lines = ["#compdef trailguard", "", "_trailguard() {", "  local -a commands", "  commands=("]
    lines += [f"    {_quoted(f'{_bare(name)}:{_bare(text)}')}" for name, text in COMMANDS.items()]
    lines += ["  )", "  if (( CURRENT == 2 )); then", "    _describe command commands", "    return", "  fi"]
    lines += ["  local command=$words[2]", "  shift words", "  (( CURRENT-- ))", "  case $command in"]
    for command, words in commands.items():
        lines.append(f"    {command})")
        specs = []
        for word in words:
            values = f"({' '.join(word.values)})" if word.values else "_files"
            text = _bare(word.text)
            if not word.names:
                specs.append(_quoted(f"*:{text}:{values}"))
            value = f":value:{values}" if word.takes_value else ""
            specs += [_quoted(f"*{name}[{text}]{value}") for name in word.names]
        lines += ["      _arguments -S \\", *(f"        {spec} \\" for spec in specs[:-1]), f"        {specs[-1]} ;;"]
    lines += ["  esac", "}", "", 'if [ "$funcstack[1]" = _trailguard ]; then', '  _trailguard "$@"', "else"]
    return "\n".join([*lines, "  compdef _trailguard trailguard", "fi", ""])


def _bare(text: str) -> str:
    """Text without what `_arguments` takes for its own."""
    return "".join(" " if char in "[]:\\" else char for char in text)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _fish(commands: Mapping[str, list[_Word]]) -> str:
    first = "complete -c trailguard -n __fish_use_subcommand"
    lines = ["# fish completion for trailguard", f"{first} -f"]
    lines += [f"{first} -a {name} -d {_fish_text(text)}" for name, text in COMMANDS.items()]
    for command, words in commands.items():
        condition = f"-n '__fish_seen_subcommand_from {command}'"
        for word in words:
            values = f" -x -a {_fish_text(' '.join(word.values))}" if word.values else " -r" if word.takes_value else ""
            if not word.names:
                if word.values:
                    lines.append(f"complete -c trailguard {condition}{values.replace(' -x', ' -f')}")
                continue
            flags = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in word.names)
            lines.append(f"complete -c trailguard {condition} {flags}{values} -d {_fish_text(word.text)}")
    return "\n".join(lines) + "\n"


def _fish_text(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
