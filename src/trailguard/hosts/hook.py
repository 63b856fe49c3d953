"""trailguard as a CloudFormation Lambda Hook: judges what is about to be deployed, and answers within its time.

`trailguard.hosts.hook.handler` is the handler of a Lambda function to which an AWS::CloudFormation::LambdaHook sends
STACK, CHANGE_SET, RESOURCE and CLOUD_CONTROL operations. `trailguard init --hook` prints a template that deploys it.
Source: https://docs.aws.amazon.com/cloudformation-cli/latest/hooks-userguide/lambda-hooks.html
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
import traceback
from contextlib import suppress
from functools import partial
from typing import Any

from trailguard import __version__
from trailguard.errors import UserError
from trailguard.hosts.hook_answer import Answer, answer, failure, success
from trailguard.hosts.hook_event import Event, HookError, read, token_of
from trailguard.hosts.hook_parameters import Actual, actual, client
from trailguard.hosts.hook_payload import template_of
from trailguard.hosts.hook_settings import configured, for_deployment, left_out, own_files, package
from trailguard.hosts.hook_watch import within
from trailguard.hosts.hook_world import VARIABLE, is_remote, is_snapshot, world
from trailguard.reading.collected import markers_of
from trailguard.reading.discovery import may_hold
from trailguard.rulebook.shelf import load as load_rules
from trailguard.scanning import scan
from trailguard.settings.settings import Settings

# CloudFormation waits 30 s for a Hook, the start of the function included.
# https://docs.aws.amazon.com/cloudformation-cli/latest/hooks-userguide/hooks-concepts.html#hook-timeout-and-retry-limits
PATIENCE = 25.0  # seconds
RESERVE = 1.5  # seconds, between the answer and the end of Lambda's own patience


def handler(event: object, context: object = None) -> Answer:
    """Judge a deployment: SUCCESS, or FAILED with NonCompliant for findings and InternalFailure for faults of its own.

    `event` is what CloudFormation sends, `context` is Lambda's. Never raises. Whether a FAILED stops the deployment or
    is a warning is the failure mode of the Hook.
    """
    began = time.monotonic()
    try:
        told = _answered(event, context)
    except Exception as error:
        _log_fault(error)
        told = failure(token_of(event), error)
    _log(told, time.monotonic() - began)
    return told


def _answered(event: object, context: object) -> Answer:
    asked = read(event, str(getattr(context, "invoked_function_arn", "")))
    if asked.operation == "delete":
        return success(asked.token, f"trailguard: {asked.title} is deleted, which is not judged")
    folder = package()
    settings = configured(folder, os.environ)
    load_rules(settings)  # what is wrong with them is said before anything is fetched
    _warm(asked)
    work = partial(_judged, asked, settings, folder)
    found: Answer = json.loads(within(_patience(context), work))
    return found


def _patience(context: object) -> float:
    """The seconds until there has to be an answer."""
    left = getattr(context, "get_remaining_time_in_millis", None)
    return max(min(PATIENCE, left() / 1000 - RESERVE), 0.1) if callable(left) else PATIENCE


def _warm(event: Event) -> None:
    """Make once, here, what every call needs: the process of each call has it from this one."""
    services = [] if event.target == "RESOURCE" else ["cloudformation"]
    services += ["s3"] if is_remote(os.environ.get(VARIABLE, "")) else []
    with suppress(Exception):  # whoever asks for one says what is wrong
        for service in services:
            client(service, event.region)


def _judged(event: Event, settings: Settings, folder: str) -> bytes:
    """The answer as JSON; this runs in a process of its own."""
    gc.set_threshold(50_000, 20, 100)  # as in the command line
    try:
        told = _judge(event, settings, folder)
    except Exception as error:
        _log_fault(error)
        told = failure(event.token, error)
    return json.dumps(told).encode()


def _judge(event: Event, settings: Settings, folder: str) -> Answer:
    template, note = template_of(event)
    known = world(os.environ.get(VARIABLE, ""), folder, event.region)
    # Most stacks have nothing to do with trails, and CloudFormation takes so many calls only.
    matters = bool(known) or may_hold(template, markers_of(load_rules(settings).selected))
    parameters = actual(event) if matters else Actual()
    notes = [note, *parameters.notes]
    if not parameters.is_known and any(map(is_snapshot, known)):
        known = []
        notes.append("the snapshot is left out, as its stacks have the values from before")
    if known:
        os.chdir(known[0])  # so that findings name its files from there
    report = scan(
        ["-"],
        for_deployment(settings, event, parameters.values),
        stdin=template,
        stdin_filename=event.name,
        world=[os.curdir] if known else [],
    )
    skipped = left_out(settings, event) if report.subjects else ()
    alone = f"not asked of a resource by itself, as it shows nothing of it: {', '.join(skipped)}" if skipped else ""
    return answer(event, report, [text for text in (*notes, alone) if text], own_files(settings))


def _log(told: Answer, seconds: float) -> None:
    """One line of JSON for the function's log group."""
    line: dict[str, Any] = {
        "trailguard": __version__,
        "seconds": round(seconds, 3),
        "annotations": len(told.get("annotations", ())),
        **{key: told[key] for key in ("clientRequestToken", "hookStatus", "errorCode", "message") if key in told},
    }
    sys.stderr.write(json.dumps(line) + "\n")
    sys.stderr.flush()


def _log_fault(error: Exception) -> None:
    """The way to a fault of our own, for the person who fixes it; what a user has to change is in the answer."""
    if not isinstance(error, UserError | HookError):
        traceback.print_exception(error)
        sys.stderr.flush()


def main() -> int:
    """Try it out: an event on standard input, the answer on standard output; 1 when it is FAILED."""
    told = handler(json.load(sys.stdin))
    sys.stdout.write(json.dumps(told, indent=1) + "\n")
    return int(told["hookStatus"] == "FAILED")


if __name__ == "__main__":
    sys.exit(main())
