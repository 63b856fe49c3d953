"""The rules of trailguard for `cfn-lint -a FOLDER`; `trailguard path cfn-lint` prints this folder."""

from trailguard.hosts.cfn_lint import *  # noqa: F403
