"""A report with one of everything, as the reporters' tests and docs see it."""

from __future__ import annotations

from typing import Any

from trailguard.findings import (
    CONDITIONAL,
    FAIL,
    NOT_APPLICABLE,
    PASS,
    UNKNOWN,
    ControlInfo,
    FileError,
    Finding,
    FrameworkInfo,
    Notice,
    Place,
    Prerequisites,
    Related,
    Report,
    RuleInfo,
    Span,
    Suppression,
    Verdict,
)

TRAIL = """\
Parameters:
  MultiRegion: {Type: String, AllowedValues: ["true", "false"], Default: "true"}
Resources:
  Trail:
    Type: AWS::CloudTrail::Trail
    DependsOn: LogBucketPolicy
    Properties:
      S3BucketName: !Ref LogBucket
      IsLogging: true
      IsMultiRegionTrail: !Ref MultiRegion
      EnableLogFileValidation: false
      KMSKeyId: !ImportValue audit-key
  LogBucketPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref LogBucket
      PolicyDocument:
        Statement:
          - Effect: Allow
            Principal: {Service: cloudtrail.amazonaws.com}
            Action: s3:GetBucketAcl
            Resource: !GetAtt LogBucket.Arn
          - Effect: Allow
            Principal: {Service: cloudtrail.amazonaws.com}
            Action: s3:PutObject
            Resource: !Sub "${LogBucket.Arn}/AWSLogs/${AWS::AccountId}/CloudTrail/*"
"""

BROKEN = """\
Resources:
  Trail:
    Type: AWS::CloudTrail::Trail
\tProperties: {}
"""

FILE = "templates/trail.yaml"
DOCS = "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/"

RULES = (
    RuleInfo(
        "TG101",
        "multi-region",
        "Trail covers every Region",
        "high",
        "Somebody who steals a key works in the Region that nobody watches.",
        "Set IsMultiRegionTrail to true.",
        {"cis-aws-5.0": ("3.1",), "aws-fsbp": ("CloudTrail.1",)},
        (DOCS + "receive-cloudtrail-log-files-from-multiple-regions.html",),
    ),
    RuleInfo(
        "TG103",
        "log-file-validation",
        "Log files can be proven unchanged",
        "medium",
        "Without digest files nobody can tell whether a log was edited.",
        "Set EnableLogFileValidation to true.",
        {"cis-aws-5.0": ("3.2",)},
        (DOCS + "cloudtrail-log-file-validation-intro.html",),
        changed=("severity is medium, not high",),
    ),
    RuleInfo(
        "TG108", "kms-encryption", "Logs are encrypted with a key of your own", "low", "Why.", "Set KMSKeyId.", {}, ()
    ),
    RuleInfo(
        "TG203",
        "log-write-allowed",
        "CloudTrail may write its logs",
        "critical",
        "A trail that cannot write records nothing, and CloudFormation refuses to make it.",
        "Let cloudtrail.amazonaws.com put objects under AWSLogs/ in the bucket, digests included.",
        {},
        (DOCS + "create-s3-bucket-policy-for-cloudtrail.html",),
    ),
)


MULTI_REGION = Span(10, 27, 10, 43)


def finding(
    rule: RuleInfo = RULES[0],
    verdict: Verdict = FAIL,
    span: Span = MULTI_REGION,
    file: str = FILE,
    path: tuple[str | int, ...] = ("Resources", "Trail"),
    **more: Any,
) -> Finding:
    """Build a finding; `more` replaces its fields."""
    made = Finding(
        rule=rule,
        verdict=verdict,
        place=Place(file, span, path),
        subject="trail",
        resource="Trail",
        message="holds",
        witness={},
        reason=None,
        related=(),
        fingerprint=f"{rule.id}-{verdict}-{span.line}",
    )
    return made._replace(**more)


def sample() -> Report:
    """Build the report."""
    multi, validation, kms, write = RULES
    results = (
        finding(
            multi,
            CONDITIONAL,
            message="records events of one Region only, because IsMultiRegionTrail can be false; it must be true",
            path=("Resources", "Trail", "Properties", "IsMultiRegionTrail"),
            witness={"MultiRegion": "false"},
            related=(Related(FILE, Span(2, 3, 2, 14), "this parameter decides it"),),
        ),
        finding(
            validation,
            FAIL,
            Span(11, 32, 11, 37),
            message="EnableLogFileValidation is false; it must be true",
            path=("Resources", "Trail", "Properties", "EnableLogFileValidation"),
        ),
        finding(
            kms,
            UNKNOWN,
            Span(12, 17, 12, 39),
            message="whether the key is set depends on an export",
            path=("Resources", "Trail", "Properties", "KMSKeyId"),
            reason='nothing that was scanned exports "audit-key"; scan the template that does, too',
        ),
        finding(
            write,
            FAIL,
            Span(23, 11, 26, 84),
            message="CloudTrail may not put …/AWSLogs/${AWS::AccountId}/CloudTrail-Digest/*, "
            "which it writes when EnableLogFileValidation is true",
            resource="LogBucketPolicy",
            contexts=("Network of parent.yaml",),
            subject_file="nested/trail.yaml",
            construct="Audit/Trail/Resource",
        ),
        finding(multi, PASS, Span(4, 3, 4, 8), resource="Other", subject="trail"),
        finding(kms, NOT_APPLICABLE, Span(4, 3, 4, 8), reason="no key in these templates"),
        finding(
            validation,
            FAIL,
            Span(4, 3, 4, 8),
            message="EnableLogFileValidation is missing",
            suppressed=Suppression("waiver", "moved to the archive account in spring", "2027-03-31"),
        ),
    )
    return Report(
        version="1.2.3",
        profile="default",
        rules=RULES,
        results=results,
        errors=(
            FileError("broken.yaml", 4, 1, "a tab cannot start an indentation"),
            FileError("gone.yaml", 0, 0, "no such file"),
        ),
        notices=(Notice(FILE, 5, "suppression of TG999 suppresses nothing"),),
        sources={FILE: tuple(TRAIL.splitlines()), "broken.yaml": tuple(BROKEN.splitlines())},
        files=5,
        templates=2,
        subjects=2,
        ignored=(("package.json", "not a CloudFormation template"),),
        how=(
            ("command", "trailguard scan templates --region eu-west-1"),
            ("profile", "default"),
            ("changed rules", "TG103: severity is medium, not high"),
            ("Region", "eu-west-1"),
        ),
    )


NEEDED = Prerequisites(
    "The trail records, and its logs arrive", "Else there is nothing to audit.", ("TG101",), ("TG203",)
)
FRAMEWORKS = (
    FrameworkInfo(
        "nist-800-53-r5",
        "NIST SP 800-53 Revision 5",
        "what concerns CloudTrail",
        "https://docs.aws.amazon.com/securityhub/latest/userguide/cloudtrail-controls.html",
        (
            ControlInfo("AC-2(4)", "Automated audit actions", None, ("TG101",), prerequisites=("TG203",)),
            ControlInfo("AU-2", "Event logging", None, ("TG108",)),
            ControlInfo("AU-9", "Protection of audit information", None, ("TG103",)),
            ControlInfo("AU-11", "Audit record retention", None, ("TG305",)),
        ),
        "2026-11-23",
        prerequisites=NEEDED,
        asked=True,
    ),
    FrameworkInfo(
        "cis-aws-5.0",
        "CIS AWS Foundations Benchmark 5.0.0",
        "CloudTrail and the bucket of its logs",
        "https://docs.aws.amazon.com/securityhub/latest/userguide/cis-aws-foundations-benchmark.html",
        (
            ControlInfo("2.1.2", "MFA delete is on", "CloudFormation has no property for it", ()),
            ControlInfo("3.1", "CloudTrail is on in all Regions", None, ("TG101",), ("TG101",)),
            ControlInfo("3.7", "Customer keys are rotated", None, ("TG404",)),
        ),
        "2026-11-23",
        unverified=(("https://example.com/mapping", "2026-11-29"),),
        asked=True,
    ),
    FrameworkInfo(
        "soc2", "SOC 2", "", "https://example.com/soc2", (ControlInfo("CC7.2", "Monitoring", None, ("TG101",)),)
    ),
)


def audited() -> Report:
    """The same report with what formats for auditors show: frameworks, a day, an account and a rule that holds."""
    held = RULES[0]._replace(
        id="TG404", name="key-rotation", title="Keys are rotated", controls={"cis-aws-5.0": ("3.7",)}
    )
    kept = finding(held, PASS, Span(4, 3, 4, 8), subject="key", resource="Key", message="Key is rotated")
    report = sample()
    return report._replace(
        rules=(*report.rules, held),
        results=(*report.results, kept),
        frameworks=FRAMEWORKS,
        date="2026-11-29",
        how=(*report.how, ("account", "123456789012")),
    )
