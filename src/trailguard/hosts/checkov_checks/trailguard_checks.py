"""The checks of trailguard. checkov runs this file in each of its processes, one for each language.

checkov goes on without checks that it cannot load, and ends with status 0. So that is told as a failure too; it needs
nothing but checkov here, which may be installed where trailguard is not.
"""

import sys

from checkov.cloudformation.runner import Runner
from checkov.common.models.enums import CheckResult
from checkov.common.output.record import Record


def tell(error: Exception) -> None:
    """Have each report on CloudFormation fail."""
    message = f"trailguard's checks cannot be loaded: {type(error).__name__}: {error}"
    reported = Runner.get_graph_checks_report

    def get_graph_checks_report(this, root_folder, runner_filter):  # type: ignore[no-untyped-def]
        report = reported(this, root_folder, runner_filter)
        result = {"result": CheckResult.FAILED, "evaluated_keys": []}
        report.add_record(Record("CKV_TG_000", message, result, [], "/", [1, 1], "trailguard", {}, __name__, "/"))
        return report

    Runner.get_graph_checks_report = get_graph_checks_report


frame = sys._getframe()
while frame.f_back is not None and frame.f_code.co_name != "load_external_checks":
    frame = frame.f_back
if getattr(frame.f_locals.get("self"), "report_type", "cloudformation") == "cloudformation":  # the others need none
    try:
        from trailguard.hosts.checkov import load

        load()
    except Exception as error:  # whatever it is
        tell(error)
