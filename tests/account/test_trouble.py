"""What is said when no snapshot can be taken: one line that tells what to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.account.front import Front, Reply, error
from tests.account.taking import taken
from trailguard.commands.cli import main


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line with which a snapshot is refused."""
    capsys.readouterr()
    assert main(["snapshot", *arguments]) == 2
    text = capsys.readouterr().err
    assert text.count("\n") == 1, text
    assert text.startswith("error: ")
    return text.removeprefix("error: ").rstrip()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--only", "bukets"], '"bukets" is not known; did you mean "buckets"?'),
        (["--only", "AWS::S3::Buckt"], '"AWS::S3::Buckt" is not known; did you mean "AWS::S3::Bucket"?'),
        (["--aws-region", "europe"], '"europe" is not a Region such as eu-west-1'),
        (["--role-arn", "reader"], '"reader" is not the ARN of a role'),
        (["--endpoint-url", "localhost"], '"localhost" is not a URL'),
    ],
)
def test_options(tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str) -> None:
    assert main(["snapshot", str(tmp_path / "it"), *options]) == 2
    assert message in capsys.readouterr().err


def test_options_that_exclude_or_need_each_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(tmp_path / "it")
    told = said(capsys, folder, "--all-regions", "--aws-region", "eu-west-1")
    assert told == "--aws-region and --all-regions exclude each other"
    assert said(capsys, folder, "--organization-role", "Auditor") == "--organization-role needs --organization"
    assert said(capsys) == "name the folder that the snapshot is written to"
    assert said(capsys, folder, "--for", "no-such-folder").endswith("no-such-folder: is not there")


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    told = said(capsys, str(tmp_path))
    assert told.endswith("holds something else than a snapshot (notes.txt); name a new folder")
    told = said(capsys, str(tmp_path / "notes.txt"))
    assert told.endswith("is a file; a snapshot is a folder")
    (tmp_path / "snapshot.json").write_text('{"schema": "other/1"}', encoding="utf-8")
    assert said(capsys, str(tmp_path)).endswith("is not the record of a snapshot that this version can renew")
    assert {path.name for path in tmp_path.iterdir()} == {"notes.txt", "snapshot.json"}


def test_without_boto3(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "sys.modules['boto3'] = sys.modules['botocore'] = None\n"
        "from trailguard.commands.cli import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    command = [sys.executable, "-c", script, "snapshot", str(tmp_path / "it"), "--aws-region", "eu-west-1"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    install = 'pip install "trailguard[aws]"'
    assert result.stderr == f"error: trailguard snapshot needs boto3, which is not installed: {install}\n"


@pytest.mark.parametrize("command", [["scan", "."], ["rules"], ["snapshot", "--iam-policy"], ["snapshot", "--help"]])
def test_nothing_else_imports_boto3(tmp_path: Path, command: list[str]) -> None:
    """Nor does a scan import what takes snapshots."""
    (tmp_path / "t.yaml").write_text("Resources: {B: {Type: AWS::S3::Bucket}}\n", encoding="utf-8")
    script = (
        "import sys\n"
        "from trailguard.commands.cli import main\n"
        "status = main(sys.argv[1:])\n"
        "loaded = [name for name in sys.modules if name.split('.')[0] in ('boto3', 'botocore', 'urllib3')]\n"
        "loaded += [name for name in sys.modules if name.startswith('trailguard.account') and sys.argv[1] == 'scan']\n"
        "assert not loaded, loaded\n"
        "sys.exit(status)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, *command], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


def refusing(name: str, code: str) -> Reply:
    """Have one call refused."""
    return lambda call: error(call, 403, code) if call.name == name else None


@pytest.mark.aws
class TestWithAServer:
    """Those that need somebody to answer."""

    def test_no_credentials(
        self, front: Front, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        told = said(capsys, str(tmp_path / "it"))
        assert told == "there are no AWS credentials: set AWS_PROFILE or --aws-profile, or sign in (aws sso login)"

    def test_no_region(
        self, front: Front, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.delenv("AWS_DEFAULT_REGION")
        told = said(capsys, str(tmp_path / "it"))
        assert told == "no Region is set: name some with --aws-region, or take --all-regions"

    def test_no_such_profile(self, front: Front, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        told = said(capsys, str(tmp_path / "it"), "--aws-profile", "prod")
        assert told == "AWS: The config profile (prod) could not be found"

    def test_a_profile(self, front: Front, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        config = f"[profile prod]\nregion = us-east-1\nendpoint_url = {front.url}\n"
        (tmp_path / "config").write_text(config, encoding="utf-8")
        keys = "[prod]\naws_access_key_id = AKIAPROD\naws_secret_access_key = y\n"
        (tmp_path / "credentials").write_text(keys, encoding="utf-8")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
        for name in ("AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION"):
            monkeypatch.delenv(name)
        record = taken(tmp_path / "it", "--aws-profile", "prod", "--only", "topics")
        assert {call.key for call in front.calls} == {"AKIAPROD"}
        assert [account["regions"] for account in record["accounts"].values()] == [["us-east-1"]]

    def test_an_endpoint_by_option(self, front: Front, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        taken(tmp_path / "it", "--endpoint-url", front.url, "--only", "topics")
        assert front.calls

    @pytest.mark.parametrize("code", ["ExpiredToken", "ExpiredTokenException"])
    def test_credentials_that_expire(
        self, front: Front, tmp_path: Path, capsys: pytest.CaptureFixture[str], code: str
    ) -> None:
        """At once, or while the snapshot is taken: what was read is kept."""
        for name in ("sts:GetCallerIdentity", "sns:GetTopicAttributes"):
            with front.replying(refusing(name, code)):
                told = said(capsys, str(tmp_path / "it"), "--only", "topics,roles")
            assert told == f"the AWS credentials have expired ({code}): sign in again"
        assert not (tmp_path / "it" / "snapshot.json").exists()

    def test_credentials_that_are_wrong(self, front: Front, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        with front.replying(lambda call: error(call, 403, "InvalidClientTokenId", "The security token is invalid.")):
            told = said(capsys, str(tmp_path / "it"))
        assert told == "AWS does not accept the credentials: InvalidClientTokenId: The security token is invalid."

    def test_nobody_answers(
        self, front: Front, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
        told = said(capsys, str(tmp_path / "it"), "--endpoint-url", "http://127.0.0.1:9")
        assert told == 'AWS cannot be reached: Could not connect to the endpoint URL: "http://127.0.0.1:9/"'

    def test_an_endpoint_that_is_none(
        self, front: Front, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "nowhere")
        assert said(capsys, str(tmp_path / "it")) == "AWS: Invalid endpoint: nowhere"

    def test_a_folder_that_cannot_be_written(
        self, front: Front, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "file").write_text("", encoding="utf-8")
        told = said(capsys, str(tmp_path / "file" / "it"), "--only", "topics")
        assert "Not a directory" in told or "is a file" in told

    def test_what_users_keep_beside_a_snapshot_stays(self, front: Front, tmp_path: Path) -> None:
        """A snapshot may be kept in git; only what a former snapshot wrote is taken away."""
        folder = tmp_path / "it"
        (folder / ".git").mkdir(parents=True)
        (folder / ".git" / "HEAD").write_text("ref: refs/heads/main\n", encoding="utf-8")
        taken(folder, "--only", "topics,stacks")
        (folder / "README.md").write_text("ours", encoding="utf-8")
        stale = folder / "123456789012" / "eu-west-3" / "existing-1.yaml"
        stale.parent.mkdir(parents=True)
        stale.write_text("", encoding="utf-8")
        taken(folder, "--only", "topics")
        assert (folder / ".git" / "HEAD").exists()
        assert (folder / "README.md").exists()
        assert not stale.parent.exists()
        assert not (folder / "123456789012" / "eu-west-1" / "stacks").exists()
