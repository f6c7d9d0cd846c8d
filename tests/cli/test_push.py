"""`amplify-jobs routes push`: what it asks, looks up and writes, and what it leaves alone."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from amplify_jobs_cli.cli import main
from local.amplify.addresses import Addresses
from local.amplify.context import AmplifyContext
from local.amplify.hosting import APP_ID_TAG
from local.amplify.service import LocalAmplify
from local.services.s3 import S3Service
from tests.support.aws_stand_in import AwsStandIn

if TYPE_CHECKING:
    from mypy_boto3_amplify.client import AmplifyClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_ssm.client import SSMClient

pytestmark = pytest.mark.usefixtures("_stack")

FILE = """\
sources:
  github: {provider: github, secrets: [/amplify-jobs/secrets/github]}
  cms: {provider: standard, secrets: [/amplify-jobs/secrets/cms]}
defaults:
  request: {operation: start_job, parameters: {appId: d1web, branchName: main, jobType: RELEASE}}
routes:
  web:
    source: github
    matrix: {app: {shop: {id: d1shop}, web: {id: d1web}}}
    when: {push: {repository: acme/web, branches: [main, "release/*"]}}
    request: {parameters: {appId: "{matrix.app.id}", branchName: "{branch}"}}
  nightly:
    when: {schedule: {expression: "cron(0 3 * * ? *)"}}
  refresh:
    source: cms
    when: {request: {}}
"""
FROM_CI = """\
  from-ci:
    when: {object: {bucket: builds, suffix: .zip}}
    request:
      operation: start_deployment
      parameters: {appId: d1manual, branchName: main, artifact: "s3://artifacts/{key}"}
"""
MIRRORED = FILE.replace(
    "secrets: [/amplify-jobs/secrets/github]",
    "secrets: [/amplify-jobs/secrets/github], "
    'git: {url: "https://git.example.com/{repository}.git", token: /amplify-jobs/secrets/fetch}',
).replace(
    '    request: {parameters: {appId: "{matrix',
    "    mirror: {to: https://git.example.com/mirrors/web.git, token: /amplify-jobs/secrets/push}\n"
    '    request: {parameters: {appId: "{matrix',
)
IN_CODECOMMIT = """\
  in-codecommit:
    source: aws.codecommit
    when: {push: {repository: shop}}
reports:
  comments: {kind: codecommit_comment}
"""
SECOND = FILE.replace("  cms: {provider: standard, secrets: [/amplify-jobs/secrets/cms]}\n", "").partition(
    "  refresh:"
)[0]
ADDED = [
    ("added", "source", "github"),
    ("added", "source", "cms"),
    ("added", "route", "web-shop"),
    ("added", "route", "web-web"),
    ("added", "route", "nightly"),
    ("added", "route", "refresh"),
    ("added", "schedule", "nightly"),
]


class Terminal(io.StringIO):
    """What a person types."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def amplify(aws: AwsStandIn, tmp_path: Path) -> Iterator[AmplifyClient]:
    """Amplify with an app d1web, whose main is built by routes alone, and d1shop, whose branches build themselves."""
    addresses = Addresses(account="123456789012", region="eu-west-1", base_url=aws.url)
    context = AmplifyContext(addresses, tmp_path / "amplify", lambda event: None, lambda: boto3.client("s3"))
    service = LocalAmplify(context)
    aws.services = {
        "amplify": service,
        # It knows, as moto does not, which buckets send their events to EventBridge.
        "s3": S3Service(aws.moto, lambda event: None),
    }
    client = boto3.Session("AKIATEST", "test", region_name="eu-west-1").client("amplify", endpoint_url=aws.url)
    for app_id, auto_build in (("d1web", False), ("d1shop", True)):
        client.create_app(name=app_id, tags={APP_ID_TAG: app_id})
        for branch in ("main", "release/1", "other"):
            client.create_branch(appId=app_id, branchName=branch, enableAutoBuild=auto_build)
    yield client
    aws.services = {}
    service.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "routes.yaml"
    file.write_text(FILE)
    return file


def versions(s3: S3Client) -> int:
    return len(s3.list_object_versions(Bucket="bucket", Prefix="routes.json").get("Versions", []))


def push(file: Path, *options: str) -> int:
    return main(["routes", "push", str(file), "--no-lookup", *options])


def report(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def changes(report: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(change["change"], change["what"], change["name"]) for change in report["changes"]]


class TestWrites:
    def test_the_expanded_routes_are_stored(self, file: Path, s3: S3Client) -> None:
        assert push(file) == 0
        stored = json.loads(s3.get_object(Bucket="bucket", Key="routes.json")["Body"].read())
        assert list(stored["routes"]) == ["web-shop", "web-web", "nightly", "refresh"]
        assert stored["routes"]["web-shop"]["request"]["parameters"]["appId"] == "d1shop"
        assert not {"defaults", "matrix"} & {*stored, *stored["routes"]["web-shop"]}

    def test_nothing_is_written_where_the_stack_has_it_already(
        self, file: Path, aws: AwsStandIn, s3: S3Client, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert push(file) == 0
        aws.writes.clear()
        capsys.readouterr()
        assert push(file) == 0
        assert aws.writes == []
        assert versions(s3) == 1
        out = capsys.readouterr().out
        assert out.startswith("No change: the stack has these routes already.\n")
        assert "Pushed" not in out
        # What is written out by hand is the same.
        written_out = FILE.replace("matrix: {app: {shop: {id: d1shop}, web: {id: d1web}}}", "supersede: false")
        by_hand = written_out.replace("  web:\n", "  web-shop:\n").replace("{matrix.app.id}", "d1shop")
        file.write_text(
            by_hand
            + by_hand[by_hand.index("  web-shop:") : by_hand.index("  nightly:")]
            .replace("web-shop", "web-web")
            .replace("d1shop", "d1web")
        )
        assert push(file) == 0
        assert aws.writes == []

    def test_the_object_bears_who_pushed_it(self, file: Path, s3: S3Client) -> None:
        assert push(file) == 0
        caller = boto3.client("sts", region_name="eu-west-1").get_caller_identity()["Arn"]
        assert s3.head_object(Bucket="bucket", Key="routes.json")["Metadata"] == {"pushed-by": caller}

    def test_only_what_differs_is_written(self, file: Path, aws: AwsStandIn, ssm: SSMClient, s3: S3Client) -> None:
        assert push(file) == 0
        aws.writes.clear()
        ssm.delete_parameter(Name="/amplify-jobs/sources/cms")
        aws.writes.clear()
        assert push(file) == 0
        assert aws.writes == ["ssm"]
        assert versions(s3) == 1
        file.write_text(FILE.replace("release/*", "release/**"))
        aws.writes.clear()
        assert push(file) == 0
        assert aws.writes == ["s3"]

    def test_a_dry_run_shows_the_same_changes_and_writes_nothing(
        self, file: Path, aws: AwsStandIn, s3: S3Client, capsys: pytest.CaptureFixture[str]
    ) -> None:
        aws.writes.clear()
        assert push(file, "--dry-run") == 0
        assert aws.writes == []
        shown = capsys.readouterr().out
        assert "+ route web-shop\n" in shown
        assert "+ schedule nightly: cron(0 3 * * ? *) UTC\n" in shown
        assert "A dry run: nothing was written.\n" in shown
        assert push(file) == 0
        assert capsys.readouterr().out.startswith(shown.partition("A dry run")[0])
        file.write_text(SECOND)
        aws.writes.clear()
        assert push(file, "--dry-run") == 0
        assert aws.writes == []
        assert "- source cms\n" in capsys.readouterr().out


class TestConsent:
    @pytest.fixture(autouse=True)
    def _pushed(self, _stack: None, file: Path, aws: AwsStandIn) -> None:
        assert push(file) == 0
        file.write_text(SECOND)
        aws.writes.clear()

    def test_without_a_terminal_a_removal_is_refused(
        self, file: Path, aws: AwsStandIn, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert push(file) == 1
        assert aws.writes == []
        refused = "the push would remove source cms, route refresh; nothing was written. Use --yes to remove without"
        assert refused in capsys.readouterr().err

    @pytest.mark.parametrize("answer", ["", "\n", "n\n", "no\n", "nein\n"])
    def test_on_a_terminal_only_yes_removes(
        self, file: Path, aws: AwsStandIn, monkeypatch: pytest.MonkeyPatch, answer: str
    ) -> None:
        monkeypatch.setattr("sys.stdin", Terminal(answer))
        assert push(file) == 1
        assert aws.writes == []

    @pytest.mark.parametrize("answer", ["y\n", "yes\n", "Y\n"])
    def test_yes_removes(self, file: Path, ssm: SSMClient, s3: S3Client, answer: str) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.stdin", Terminal(answer))
            assert push(file) == 0
        assert "refresh" not in json.loads(s3.get_object(Bucket="bucket", Key="routes.json")["Body"].read())["routes"]
        names = [result["Name"] for result in ssm.get_parameters_by_path(Path="/amplify-jobs/sources")["Parameters"]]
        assert names == ["/amplify-jobs/sources/github"]

    def test_the_question_names_what_is_removed(
        self, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("sys.stdin", Terminal("y\n"))
        capsys.readouterr()
        assert push(file, "--json") == 0
        written = capsys.readouterr()
        assert "The push removes source cms, route refresh. Continue? [y/N]" in written.err
        assert ("removed", "route", "refresh") in changes(json.loads(written.out))

    def test_the_option_yes_needs_no_terminal(self, file: Path, s3: S3Client) -> None:
        assert push(file, "--yes") == 0
        assert versions(s3) == 2

    def test_routes_of_a_newer_version_are_not_removed_in_silence(self, file: Path, s3: S3Client) -> None:
        newer: Any = {"routes": {"theirs": {"when": {"moon": {}}}}}
        s3.put_object(Bucket="bucket", Key="routes.json", Body=json.dumps(newer).encode())
        assert push(file) == 1

    def test_what_is_only_added_or_changed_is_not_asked_for(self, file: Path) -> None:
        file.write_text(FILE.replace("release/*", "release/**") + FROM_CI)
        assert push(file) == 0


class TestJson:
    def test_it_says_what_changed_and_what_is_still_to_do(
        self, file: Path, s3: S3Client, ssm: SSMClient, capsys: pytest.CaptureFixture[str]
    ) -> None:
        ssm.put_parameter(Name="/amplify-jobs/secrets/cms", Type="SecureString", Value="s3cret")
        assert push(file, "--json") == 0
        result = report(capsys)
        assert changes(result) == ADDED
        assert result["version"] == s3.head_object(Bucket="bucket", Key="routes.json")["VersionId"]
        assert (result["stack"], result["region"], result["dryRun"]) == ("amplify-jobs", "eu-west-1", False)
        assert result["object"] == "s3://bucket/routes.json"
        assert result["webhooks"] == [
            {
                "source": "github",
                "url": "https://api.example.com/webhooks/github",
                "events": ["Pushes"],
                "missingSecrets": ["/amplify-jobs/secrets/github"],
            },
            {"source": "cms", "url": "https://api.example.com/webhooks/cms", "events": [], "missingSecrets": []},
        ]

    def test_members_have_their_values_before_and_after(self, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert push(file) == 0
        file.write_text(FILE.replace("    source: cms\n", "    source: cms\n    retry: 2\n"))
        capsys.readouterr()
        assert push(file, "--json", "--dry-run") == 0
        result = report(capsys)
        assert result["dryRun"] is True
        assert result["version"] is None
        assert result["changes"] == [
            {
                "change": "changed",
                "what": "route",
                "name": "refresh",
                "members": [{"path": "retry", "before": 0, "after": 2}],
            }
        ]

    def test_no_change_is_no_version(self, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert push(file) == 0
        capsys.readouterr()
        assert push(file, "--json") == 0
        result = report(capsys)
        assert (result["changes"], result["version"]) == ([], None)


REPORTS = """\
reports:
  team:
    kind: slack
    webhook: /amplify-jobs/secrets/slack
    when: {outcomes: [FAILED]}
  statuses: {kind: commit_status, source: github, token: /amplify-jobs/secrets/token}
  hook: {kind: webhook, url: "https://example.com/jobs", secret: /amplify-jobs/secrets/hook}
"""


class TestTargets:
    def test_they_are_in_the_plan_and_in_what_is_stored(
        self, file: Path, s3: S3Client, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file.write_text(FILE + REPORTS)
        assert push(file) == 0
        out = capsys.readouterr().out
        assert "+ target team\n+ target statuses\n+ target hook\n" in out
        assert "Pushed 2 sources, 4 routes and 3 targets to " in out
        stored = json.loads(s3.get_object(Bucket="bucket", Key="routes.json")["Body"].read())
        assert stored["reports"]["team"]["webhook"] == "/amplify-jobs/secrets/slack"
        file.write_text(FILE + REPORTS.replace("[FAILED]", "[FAILED, TIMED_OUT]"))
        assert push(file) == 0
        assert '~ target team\n    when.outcomes: ["FAILED"] -> ["FAILED", "TIMED_OUT"]\n' in capsys.readouterr().out

    def test_one_that_goes_is_asked_for(self, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
        file.write_text(FILE + REPORTS)
        assert push(file) == 0
        file.write_text(FILE)
        assert push(file) == 1
        assert "the push would remove target team, target statuses, target hook; nothing" in capsys.readouterr().err
        assert push(file, "--yes") == 0
        assert "- target team\n" in capsys.readouterr().out

    def test_a_missing_secret_has_the_command_that_creates_it(
        self, file: Path, ssm: SSMClient, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for name in ("github", "cms", "token"):
            ssm.put_parameter(Name=f"/amplify-jobs/secrets/{name}", Type="SecureString", Value="s3cret")
        file.write_text(FILE + REPORTS)
        assert push(file) == 0
        out = capsys.readouterr().out
        assert "/amplify-jobs/secrets/token" not in out
        assert (
            "team: /amplify-jobs/secrets/slack is missing. Run this, paste the webhook's address, and press Enter:\n"
            '    read -rs SECRET && printf %s "$SECRET" | aws ssm put-parameter --type SecureString --name '
            "/amplify-jobs/secrets/slack --region eu-west-1 --value file:///dev/stdin\n"
        ) in out
        assert "hook: /amplify-jobs/secrets/hook is missing. Create it, and show it to copy it to the receiver" in out
        assert '--value "whsec_$(openssl rand -base64 32)"' in out

    def test_a_missing_token_of_git_has_the_command_that_stores_it(
        self, file: Path, ssm: SSMClient, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for name in ("github", "cms", "fetch"):
            ssm.put_parameter(Name=f"/amplify-jobs/secrets/{name}", Type="SecureString", Value="s3cret")
        file.write_text(MIRRORED)
        assert push(file, "--no-lookup") == 0
        out = capsys.readouterr().out
        assert "/amplify-jobs/secrets/fetch" not in out
        assert "mirror of route web-shop: /amplify-jobs/secrets/push is missing. Run this, paste the token" in out
        ssm.delete_parameter(Name="/amplify-jobs/secrets/fetch")
        assert push(file, "--no-lookup", "--json") == 0
        assert report(capsys)["gitTokens"] == [
            {"place": "git of source github", "missingSecrets": ["/amplify-jobs/secrets/fetch"]},
            {"place": "mirror of route web-shop", "missingSecrets": ["/amplify-jobs/secrets/push"]},
            {"place": "mirror of route web-web", "missingSecrets": ["/amplify-jobs/secrets/push"]},
        ]

    def test_the_json_names_what_is_missing(self, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
        file.write_text(FILE + REPORTS)
        assert push(file, "--json") == 0
        assert report(capsys)["targets"] == [
            {"target": "team", "kind": "slack", "missingSecrets": ["/amplify-jobs/secrets/slack"]},
            {"target": "statuses", "kind": "commit_status", "missingSecrets": ["/amplify-jobs/secrets/token"]},
            {"target": "hook", "kind": "webhook", "missingSecrets": ["/amplify-jobs/secrets/hook"]},
        ]


def warnings(file: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert main(["routes", "push", str(file), "--dry-run"]) == 0
    prefix = f"{file}: warning: "
    return [
        line.removeprefix(prefix) for line in capsys.readouterr().err.splitlines() if "whoever may sign" not in line
    ]


class TestLookup:
    def test_what_fits_is_not_spoken_of(
        self, file: Path, amplify: AmplifyClient, s3: S3Client, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for branch in ("main", "release/1"):
            amplify.update_branch(appId="d1shop", branchName=branch, enableAutoBuild=False)
        amplify.create_app(name="manual", tags={APP_ID_TAG: "d1manual"})
        amplify.create_branch(appId="d1manual", branchName="main")
        for bucket in ("builds", "artifacts"):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        s3.put_bucket_notification_configuration(
            Bucket="builds", NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
        file.write_text(FILE + FROM_CI)
        assert warnings(file, capsys) == []

    def test_what_is_not_there_or_builds_twice_is_warned_of_and_pushed(
        self, file: Path, amplify: AmplifyClient, s3: S3Client, capsys: pytest.CaptureFixture[str]
    ) -> None:
        amplify.delete_branch(appId="d1web", branchName="main")
        s3.create_bucket(Bucket="builds", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        file.write_text(FILE + FROM_CI)
        lines = warnings(file, capsys)
        assert [warning.partition(";")[0] for warning in lines] == [
            "routes.web-shop: auto-build of the branch main of d1shop is on, so Amplify builds each push as well",
            "routes.web-shop: auto-build of the branch release/1 of d1shop is on, so Amplify builds each push as well",
            "routes.web-web, routes.nightly, routes.refresh: the app d1web has no branch main",
            "routes.from-ci: Amplify has no app d1manual in this account and Region eu-west-1",
            "routes.from-ci: there is no bucket artifacts",
            "routes.from-ci: the bucket builds sends no events to EventBridge, so the route never starts a job",
        ]
        assert main(["routes", "push", str(file), "--json"]) == 0
        written = capsys.readouterr()
        reported = json.loads(written.out)["warnings"]
        assert {warning["message"] for warning in reported} == {text.partition(": ")[2] for text in lines}
        assert [warning["path"] for warning in reported if "d1web has no branch" in warning["message"]] == [
            "routes.web-web",
            "routes.nightly",
            "routes.refresh",
        ]
        assert written.err == ""
        assert versions(s3) == 1

    def test_a_repository_of_codecommit_that_no_parameter_names_is_warned_of(
        self, file: Path, amplify: AmplifyClient, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for app_id in ("d1shop", "d1web"):
            for branch in ("main", "release/1"):
                amplify.update_branch(appId=app_id, branchName=branch, enableAutoBuild=False)
        mirrored = MIRRORED.replace("{to: https://git.example.com/mirrors/web.git,", '{to: "codecommit::web",')
        file.write_text(mirrored + IN_CODECOMMIT)
        deploy = "deploy the stack with the parameter"
        assert [line.partition(":")[0] + ": " + line.partition("; ")[2] for line in warnings(file, capsys)] == [
            f"routes.web-shop, routes.web-web: {deploy} MirrorRepositories=docs,web",
            f"reports.comments: {deploy} CommentRepositories=docs,shop",
            f"routes.in-codecommit: {deploy} ReconcileRepositories=docs,shop",
        ]

    @pytest.mark.usefixtures("amplify")
    def test_nothing_is_looked_up_with_no_lookup(self, file: Path, aws: AwsStandIn) -> None:
        aws.calls.clear()
        assert push(file) == 0
        assert "amplify" not in aws.calls

    @pytest.mark.usefixtures("amplify")
    @pytest.mark.parametrize(
        ("call", "warning"),
        [
            ("amplify /apps/d1shop?", "the app d1shop was not looked up: the IAM action amplify:GetApp"),
            (
                "amplify /apps/d1web/branches",
                "the list of branches of d1web was not looked up: the IAM action amplify:ListBranches",
            ),
            ("s3 /builds?notification", "the bucket builds was not looked up: the IAM action s3:GetBucketNotification"),
            ("s3 /artifacts?", "the bucket artifacts was not looked up: the IAM action s3:ListBucket"),
        ],
    )
    def test_a_missing_permission_is_a_warning_that_names_it(
        self, file: Path, aws: AwsStandIn, capsys: pytest.CaptureFixture[str], call: str, warning: str
    ) -> None:
        file.write_text(FILE + FROM_CI)
        aws.refusals[call] = "AccessDenied" if call.startswith("s3") else "AccessDeniedException"
        assert f"{warning} is not allowed; allow it or use --no-lookup" in warnings(file, capsys)

    @pytest.mark.parametrize("service", ["amplify", "s3"])
    def test_a_service_that_fails_is_a_warning(
        self, file: Path, aws: AwsStandIn, capsys: pytest.CaptureFixture[str], service: str
    ) -> None:
        file.write_text(FILE + FROM_CI)
        aws.refusals["amplify /" if service == "amplify" else "s3 /builds"] = "ExpiredTokenException"
        lines = warnings(file, capsys)
        assert any("not looked up" in warning and "ExpiredTokenException" in warning for warning in lines), lines
