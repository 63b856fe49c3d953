"""The commands, each in a line, and the help of the program itself."""

from __future__ import annotations

COMMANDS = {
    "scan": "judge templates",
    "fix": "write fixes that are proven by judging again, or show them as a diff",
    "rules": "list the rules of a profile",
    "explain": "explain one rule: why, remedy, controls, examples",
    "baseline": "record today's findings, so that only new ones count",
    "snapshot": "write down what exists in AWS accounts, as templates",
    "graph": "draw the delivery chain of each trail, with verdicts",
    "facts": "print the facts that rules see in a template",
    "test": "run each rule against its own examples",
    "init": "print a template of an audit trail that passes every rule",
    "lsp": "serve an editor: findings, fixes and explanations while somebody types",
    "mcp": "serve an assistant, such as Claude or Copilot, over the Model Context Protocol",
    "path": "print where the checks for another linter or a schema are",
    "completion": "print what makes a shell complete commands and options",
}


HELP = """\
usage: trailguard COMMAND [OPTION…] [ARGUMENT…]

Proves that CloudFormation templates record and keep an AWS CloudTrail audit trail, and shows what breaks it.

commands:
{commands}

options:
  -h, --help     show this help; `trailguard COMMAND --help` lists the options of a command
  -V, --version  show the version

examples:
  trailguard scan                          judge every template below this folder
  trailguard scan trail.yaml               judge one
  trailguard scan --profile cis-aws-5.0    with the rules of a framework
  trailguard fix --diff                    show proven fixes, and write nothing
  trailguard explain TG104                 explain why a rule matters and what to do
  trailguard init > trail.yaml             start with a template that passes every rule

exit status: 0 no findings, 1 findings, 2 something could not be judged
"""


def overview() -> str:
    """Write the help of the program itself."""
    return HELP.format(commands="\n".join(f"  {name:<13}  {text}" for name, text in COMMANDS.items()))
