"""`amplify-jobs completion`: the script that lets a shell complete commands and options."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from amplify_jobs_cli.commands.arguments import add_command

_EXAMPLES = """\
source <(amplify-jobs completion bash)                                    # in ~/.bashrc
source <(amplify-jobs completion zsh)                                     # in ~/.zshrc
amplify-jobs completion fish > ~/.config/fish/completions/amplify-jobs.fish"""

_BASH = """\
_amplify_jobs() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[$((COMP_CWORD-1))]}} path="" word
    for word in "${{COMP_WORDS[@]:1:$((COMP_CWORD-1))}}"; do
        case "$path $word" in
            {groups}) path="$path $word" ;;
        esac
    done
    case "$path $previous" in
{choices}
    esac
    case "$path" in
{words}
    esac
}}
complete -o default -F _amplify_jobs amplify-jobs
"""
_ZSH = "autoload -Uz compinit bashcompinit\n(( $+functions[compdef] )) || compinit\nbashcompinit\n"
_FISH = """\
function __amplify_jobs_at
    set -l path
    for word in (commandline -opc)[2..]
        switch "$path $word"
            case {groups}
                set path "$path $word"
        end
    end
    test "$path" = "$argv[1]"
end
"""


def add_completion(commands: Any, top: argparse.ArgumentParser) -> None:
    """Add the command."""
    command = add_command(commands, "completion", print_script, _EXAMPLES)
    command.add_argument("shell", choices=("bash", "zsh", "fish"), help="the shell to print the script for")
    command.set_defaults(top=top)


def print_script(options: argparse.Namespace) -> None:
    """Print the script that completes commands and options in a shell."""
    print(script(options.top, options.shell), end="")


def script(top: argparse.ArgumentParser, shell: str) -> str:
    """The script for bash, zsh or fish."""
    parsers = dict(_parsers("", top))
    if shell == "fish":
        return _fish(parsers)
    groups = " | ".join(f'"{path}"' for path in parsers if path)
    words = "\n".join(f'        "{path}") {_compgen(_words(parser))} ;;' for path, parser in parsers.items())
    choices = "\n".join(
        f'        "{path} {name}") {_compgen(action.choices)} return ;;'
        for path, parser in parsers.items()
        for action in _options(parser)
        if action.choices
        for name in action.option_strings
    )
    return (_ZSH if shell == "zsh" else "") + _BASH.format(groups=groups, words=words, choices=choices)


def _fish(parsers: dict[str, argparse.ArgumentParser]) -> str:
    lines = [_FISH.format(groups=" ".join(f'"{path}"' for path in parsers if path)), "complete -c amplify-jobs -f\n"]
    for path, parser in parsers.items():
        at = f"complete -c amplify-jobs -n '__amplify_jobs_at \"{path}\"'"
        lines += [f"{at} -a {name} -d '{_quoted(about)}'\n" for name, about in _commands(parser)]
        for action in _options(parser):
            name = next(name for name in action.option_strings if name.startswith("--"))
            lines.append(f"{at} -l {name[2:]}{_fish_values(action)} -d '{_quoted(action.help)}'\n")
        lines += [f"{at} -F\n"] if any("FILE" in (action.metavar or "") for action in parser._actions) else []
    return "".join(lines)


def _parsers(path: str, parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every parser by the words that lead to it, each after a blank."""
    yield path, parser
    for action in parser._actions:  # argparse has no public way to its own tree
        if isinstance(action, argparse._SubParsersAction):
            for name, sub in action.choices.items():
                yield from _parsers(f"{path} {name}", sub)


def _words(parser: argparse.ArgumentParser) -> list[str]:
    positional = (action for action in parser._actions if not action.option_strings)
    names = (name for action in _options(parser) for name in action.option_strings if name.startswith("--"))
    return [*(str(value) for action in positional for value in action.choices or ()), *names]


def _commands(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str | None]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from ((choice.dest, choice.help) for choice in action._choices_actions)
        elif not action.option_strings:
            yield from ((str(value), action.help) for value in action.choices or ())


def _options(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return [action for action in parser._actions if any(name.startswith("--") for name in action.option_strings)]


def _fish_values(action: argparse.Action) -> str:
    if action.choices:
        return f" -xa '{' '.join(map(str, action.choices))}'"
    return "" if action.nargs == 0 else " -rF"


def _compgen(words: Any) -> str:
    return f'COMPREPLY=($(compgen -W "{" ".join(map(str, words))}" -- "$current"));'


def _quoted(text: str | None) -> str:
    return (text or "").replace("\\", "\\\\").replace("'", "\\'")
