"""Files that something else writes: what is changed in them is lost, so their source has to change."""

from __future__ import annotations

import os
import re

# Folders that are written by a build, and by what.
# https://docs.aws.amazon.com/cdk/v2/guide/configure-synth.html
# https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-cli-using-build.html
_FOLDERS = {"cdk.out": "the CDK", ".serverless": "the Serverless Framework", ".aws-sam": "sam build"}
_MARK = re.compile(
    r"do not (?:edit|modify|change)|don'?t edit|@generated|auto-?\s?generated|generated (?:by|from|with)|is generated",
    re.IGNORECASE,
)
_COMMENT = re.compile(r'^\s*(?:#|//|"(?:Description|_?comment|//)"\s*:|Description\s*:)', re.IGNORECASE)
_SNAPSHOT = "written by trailguard snapshot"  # in the Description of what exists in an account
_HEAD = 30  # lines in which a mark may stand
_CONSTRUCT = re.compile("""aws:cdk:path["']?\\s*:""")


def generated(path: str, text: str) -> str:
    """By what a file is written: "" where nothing says that it is."""
    folders = os.path.realpath(path).split(os.sep)[:-1]
    for name in reversed(folders):
        if name in _FOLDERS:
            return _FOLDERS[name]
    if _CONSTRUCT.search(text):
        return "the CDK"
    if _SNAPSHOT in text:
        return "trailguard snapshot"
    head = text.splitlines()[:_HEAD]
    return "a program, as it says" if any(_COMMENT.match(line) and _MARK.search(line) for line in head) else ""
