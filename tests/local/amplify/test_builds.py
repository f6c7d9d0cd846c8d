"""Jobs from start to end: what they build, how they fail, and that nothing of them is left over."""

from __future__ import annotations

import io
import json
import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import pytest
from botocore.exceptions import ClientError

from tests.support.amplify_world import ACCOUNT, REGION, World


def spec(*commands: str, more: str = "", artifacts: str = "{baseDirectory: dist}") -> str:
    listed = json.dumps(list(commands))
    return f"version: 1\nfrontend:\n  phases: {{build: {{commands: {listed}}}}}\n  artifacts: {artifacts}\n{more}"


CASES = Path(__file__).parents[4] / "shared" / "cases" / "buildspecs"
SITE = "mkdir -p dist && echo built > dist/index.html"


def test_a_build_runs_the_spec_and_serves_what_it_made(world: World) -> None:
    commit = world.repository.commit(
        {
            "amplify.yml": """
version: 1
frontend:
  phases:
    preBuild:
      commands:
        - cd tools
        - export GREETING=hello
    build:
      commands:
        - mkdir ../dist
        - echo "$GREETING from $(basename "$PWD")" > ../dist/index.html
    postBuild:
      commands:
        - cat ../dist/index.html
  artifacts:
    baseDirectory: dist
    files: ['**/*']
""",
            "tools/x": "",
        }
    )
    app_id = world.app()
    world.client.create_branch(appId=app_id, branchName="main", stage="PRODUCTION")
    job = world.built(app_id)
    assert job["summary"]["status"] == "SUCCEED", world.log(job)
    assert [(step["stepName"], step["status"]) for step in job["steps"]] == [
        ("BUILD", "SUCCEED"),
        ("DEPLOY", "SUCCEED"),
        ("VERIFY", "SUCCEED"),
    ]
    times = [time for step in job["steps"] for time in (step["startTime"], step["endTime"])]
    assert times == sorted(times)
    assert job["summary"]["startTime"] <= times[0]
    assert times[-1] <= job["summary"]["endTime"]
    assert job["steps"][0]["context"]

    texts = [line.partition("]: ")[2] for line in world.log(job).splitlines()]
    assert texts[0] == f"# Cloning repository: {world.repository.path}"
    assert texts[texts.index("# Starting phase: preBuild") - 3 :][:3] == [
        f"# Switching to commit: {commit} Change main",
        "# Using the build spec of the repository, amplify.yml",
        "## Starting Frontend Build",
    ]
    tail = texts[texts.index("# Starting phase: postBuild") :]
    assert tail == [
        "# Starting phase: postBuild",
        "# Executing command: cat ../dist/index.html",
        "hello from tools",
        "# Completed phase: postBuild",
        "## Completed Frontend Build",
        "# Artifacts of frontend: 1 files",
        "# Build completed successfully",
    ]
    assert all(
        re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \[(INFO|WARNING|ERROR)\]: ", line)
        for line in world.log(job).splitlines()
    )

    assert world.get(f"/_local/sites/{app_id}/main/") == (200, "hello from tools\n")
    with urlopen(job["steps"][0]["artifactsUrl"]) as answer, zipfile.ZipFile(io.BytesIO(answer.read())) as opened:
        assert opened.read("index.html") == b"hello from tools\n"
    branch = world.client.get_branch(appId=app_id, branchName="main")["branch"]
    assert (branch["activeJobId"], branch["totalNumberOfJobs"]) == ("1", "1")
    assert world.client.get_app(appId=app_id)["app"]["productionBranch"]["branchName"] == "main"
    assert not list(world.state_dir.glob("jobs/*/work")), "the clone is gone"


def test_calls_that_end_jobs_are_told_as_cloudtrail_does(world: World) -> None:
    app_id = world.branch()
    world.built(app_id)
    place = {"appId": app_id, "branchName": "main"}
    world.client.list_jobs(**place)
    with pytest.raises(world.client.exceptions.ClientError):
        world.client.delete_job(**place, jobId="99")
    world.client.delete_job(**place, jobId="1")
    world.client.delete_branch(**place)
    world.client.delete_app(appId=app_id)
    assert [(call["source"], call["detail"]["eventSource"]) for call in world.calls] == [
        ("aws.amplify", "amplify.amazonaws.com")
    ] * 3
    assert [(call["detail"]["eventName"], call["detail"]["requestParameters"]) for call in world.calls] == [
        ("DeleteJob", {**place, "jobId": "1"}),
        ("DeleteBranch", place),
        ("DeleteApp", {"appId": app_id}),
    ]


def test_events_tell_of_start_and_end(world: World) -> None:
    app_id = world.branch(name="feature/menu")
    world.built(app_id, "feature/menu")
    assert world.told(app_id, 2) == ["STARTED", "SUCCEED"]
    event = world.events[-1]
    assert set(event) == {"version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"}
    assert (event["source"], event["detail-type"], event["version"]) == (
        "aws.amplify",
        "Amplify Deployment Status Change",
        "0",
    )
    assert (event["account"], event["region"]) == (ACCOUNT, REGION)
    assert event["resources"] == [
        f"arn:aws:amplify:{REGION}:{ACCOUNT}:apps/{app_id}/branches/feature/menu/jobs/0000000001"
    ]
    assert event["detail"] == {"appId": app_id, "branchName": "feature/menu", "jobId": "1", "jobStatus": "SUCCEED"}


@pytest.mark.parametrize(
    ("files", "reason", "logged"),
    [
        (
            {"amplify.yml": spec("echo one", "echo two >&2; exit 3", "echo three")},
            "frontend, build: the command 'echo two >&2; exit 3' failed with exit code 3",
            ["one", "two", "!!! Non-Zero Exit Code detected"],
        ),
        ({"amplify.yml": spec("false")}, "frontend, build: the command 'false' failed with exit code 1", []),
        (
            {"amplify.yml": spec("kill -9 $$")},
            "frontend, build: the command 'kill -9 $$' failed with exit code 137",
            [],
        ),
        (
            {"amplify.yml": spec("no-such-tool")},
            "frontend, build: the command 'no-such-tool' failed with exit code 127: no-such-tool is not on this",
            [],
        ),
        (
            {"amplify.yml": spec("sh -c no-such-tool")},
            "frontend, build: the command 'sh -c no-such-tool' failed with exit code 127: no-such-tool is not on this",
            [],
        ),
        (
            {"amplify.yml": spec("echo one && amplifyPush --simple", "echo three")},
            "frontend, build: the command 'echo one && amplifyPush --simple' failed with exit code 127: "
            "amplifyPush is on Amplify's build image, not on this machine",
            ["one"],
        ),
        (
            {"amplify.yml": spec("nvm use 20")},
            "frontend, build: the command 'nvm use 20' failed with exit code 127: nvm is on Amplify's build image",
            [],
        ),
        (
            {"amplify.yml": spec("exit 127")},
            "frontend, build: the command 'exit 127' failed with exit code 127",
            [],
        ),
        (
            {
                "amplify.yml": "backend: {phases: {build: {commands: [cd x, 'exit 4']}}}\n" + spec("echo three"),
                "x/y": "",
            },
            "backend, build: the command 'exit 4' failed with exit code 4",
            [],
        ),
        ({"amplify.yml": spec("echo 'open", "echo two")}, 'frontend, build: the command "echo \'open" failed', []),
        ({"amplify.yml": spec("true")}, "Artifact directory doesn't exist: dist", []),
        ({"amplify.yml": spec("mkdir dist")}, "no file in dist matches **/*", []),
        ({"amplify.yml": "version: 2"}, "frontend: is missing", []),
        ({"amplify.yml": "version: 1\nfrontend: ["}, "Unable to parse build spec: ", []),
        (
            {"amplify.yml": spec(SITE, artifacts="{baseDirectory: dist}\n  buildPath: no/such")},
            "the repository has no directory 'no/such' to build in",
            [],
        ),
        (
            {
                "amplify.yml": spec(
                    "mkdir -p dist/a dist/b; touch dist/a/x dist/b/x",
                    artifacts="{baseDirectory: dist, discard-paths: yes}",
                )
            },
            "discard-paths leaves one name for a/x and b/x: x",
            [],
        ),
    ],
)
def test_a_build_that_fails_says_where_and_why(
    world: World, files: dict[str, str], reason: str, logged: list[str]
) -> None:
    app_id = world.branch(files)
    job = world.built(app_id)
    assert [(step["stepName"], step["status"]) for step in job["steps"]] == [
        ("BUILD", "FAILED"),
        ("DEPLOY", "CANCELLED"),
        ("VERIFY", "CANCELLED"),
    ]
    assert job["summary"]["status"] == "FAILED"
    assert job["steps"][0]["statusReason"].startswith(reason)
    log = world.log(job)
    texts = [line.partition("]: ")[2] for line in log.splitlines()]
    assert texts[-1].startswith(f"!!! Build failed: {reason}")
    assert set(logged) <= set(texts)
    assert "three" not in texts
    assert world.told(app_id, 2) == ["STARTED", "FAILED"]
    assert world.get(f"/_local/sites/{app_id}/main/")[0] == 404


def test_a_failed_build_leaves_the_site_that_was_there(world: World) -> None:
    app_id = world.branch({"index.html": "the first"})
    world.built(app_id)
    world.repository.commit({"amplify.yml": spec("false")})
    assert world.built(app_id)["summary"]["status"] == "FAILED"
    assert world.get(f"/_local/sites/{app_id}/main/") == (200, "the first")
    assert world.client.get_branch(appId=app_id, branchName="main")["branch"]["activeJobId"] == "1"


def test_without_a_spec_the_files_are_served_as_they_are(world: World) -> None:
    app_id = world.branch({"index.html": "plain", "a/b.txt": "b"})
    job = world.built(app_id)
    assert "No build spec" in world.log(job)
    assert world.get(f"/_local/sites/{app_id}/main/a/b.txt") == (200, "b")
    assert world.get(f"/_local/sites/{app_id}/main/.git/config")[0] == 404


@pytest.mark.parametrize(
    ("in_repository", "of_branch", "of_app", "expected"),
    [
        (True, True, True, "repository"),
        (False, True, True, "branch"),
        (False, False, True, "app"),
        (False, True, False, "branch"),
    ],
)
def test_the_repositorys_spec_comes_before_the_branchs_and_the_apps(
    world: World, in_repository: bool, of_branch: bool, of_app: bool, expected: str
) -> None:
    def says(noun: str) -> str:
        return spec(f"mkdir dist; echo -n {noun} > dist/index.html")

    world.repository.commit({"amplify.yml": says("repository")} if in_repository else {"x": ""})
    app_id = world.app(**({"buildSpec": says("app")} if of_app else {}))
    world.client.create_branch(appId=app_id, branchName="main", **({"buildSpec": says("branch")} if of_branch else {}))
    job = world.built(app_id)
    assert job["summary"]["status"] == "SUCCEED", world.log(job)
    assert world.get(f"/_local/sites/{app_id}/main/") == (200, expected)


def test_the_environment_is_the_documented_one_and_no_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "ours")
    monkeypatch.setenv("SECRET_OF_OURS", "hush")
    spec_of_env = "version: 1\nenv: {variables: {A: spec, B: spec, C: spec}}\n" + spec(
        "mkdir dist; env -0 > dist/env.txt"
    ).removeprefix("version: 1\n")
    world.repository.commit({"amplify.yml": spec_of_env}, "feature/menu")
    app_id = world.app(environmentVariables={"B": "app", "C": "app"})
    world.client.create_branch(appId=app_id, branchName="feature/menu", environmentVariables={"C": "branch $HOME"})
    job = world.built(app_id, "feature/menu")
    assert job["summary"]["status"] == "SUCCEED", world.log(job)
    text = world.get(f"/_local/sites/{app_id}/feature%2Fmenu/env.txt")[1]
    seen = dict(line.split("=", 1) for line in text.split("\0") if line)
    assert seen.pop("HOME").startswith(str(world.state_dir))
    assert seen.pop("PATH") == os.environ["PATH"]
    for shells_own in ("PWD", "OLDPWD", "SHLVL", "_", "LANG"):
        seen.pop(shells_own, None)
    assert seen == {
        "A": "spec",
        "B": "app",
        "C": "branch $HOME",
        "AWS_APP_ID": app_id,
        "AWS_BRANCH": "feature/menu",
        "AWS_BRANCH_ARN": f"arn:aws:amplify:{REGION}:{ACCOUNT}:apps/{app_id}/branches/feature/menu",
        "AWS_CLONE_URL": str(world.repository.path),
        "AWS_COMMIT_ID": "HEAD",
        "AWS_JOB_ID": "0000000001",
    }


def test_a_monorepos_application_is_built_in_its_own_directory(world: World) -> None:
    monorepo = """
version: 1
applications:
  - appRoot: apps/shop
    frontend:
      phases: {build: {commands: ['mkdir out; basename "$PWD" > out/index.html']}}
      artifacts: {baseDirectory: out}
  - appRoot: apps/blog
    frontend:
      buildPath: /
      phases: {build: {commands: ['mkdir out; ls > out/index.html']}}
      artifacts: {baseDirectory: out}
"""
    world.repository.commit({"amplify.yml": monorepo, "apps/shop/x": "", "apps/blog/x": ""})
    sites = []
    for root in ("apps/shop", "apps/blog"):
        app_id = world.app(environmentVariables={"AMPLIFY_MONOREPO_APP_ROOT": root})
        world.client.create_branch(appId=app_id, branchName="main")
        assert world.built(app_id)["summary"]["status"] == "SUCCEED"
        sites.append(world.get(f"/_local/sites/{app_id}/main/")[1])
    assert sites == ["shop\n", "amplify.yml\napps\nout\n"]


@pytest.mark.parametrize(
    ("text", "root"),
    [
        # The state of the shell holds over all sections, in a monorepo too.
        (
            "backend:\n"
            "  phases: {preBuild: {commands: [cd back, export STAGE=prod, 'PATH=$PWD:$PATH', 'f() { hello; }']}}\n"
            "frontend:\n"
            "  phases: {build: {commands: ['test $STAGE = prod', 'mkdir ../dist; f > ../dist/index.html']}}\n"
            "  artifacts: {baseDirectory: dist}\n"
            "test: {phases: {test: {commands: ['test $(basename $PWD) = back', 'f | grep hello']}}}\n",
            None,
        ),
        (
            "applications:\n- appRoot: web\n"
            "  backend:\n"
            "    phases: {build: {commands: ['test $(basename $PWD) = web', 'cd ../back', export STAGE=prod]}}\n"
            "  frontend:\n    phases: {build: {commands: ['test $(basename $PWD) = back', 'test $STAGE = prod', "
            "'mkdir ../dist; ./hello > ../dist/index.html']}}\n"
            "    artifacts: {baseDirectory: ../dist}\n",
            "web",
        ),
        # A section that names its path is built there, and so is an application after one that did.
        (
            "backend: {buildPath: back, phases: {build: {commands: [./hello]}}}\n"
            "frontend:\n  buildPath: web\n"
            "  phases: {build: {commands: ['test $(basename $PWD) = web', 'mkdir d; ../back/hello > d/index.html']}}\n"
            "  artifacts: {baseDirectory: d}\n",
            None,
        ),
        (
            "applications:\n- appRoot: web\n"
            "  backend: {buildPath: /, phases: {build: {commands: [cd back, ./hello]}}}\n"
            "  frontend:\n    phases: {build: {commands: ['mkdir d; ../back/hello > d/index.html']}}\n"
            "    artifacts: {baseDirectory: d}\n",
            "web",
        ),
        # A path that a section before made.
        (
            "backend: {phases: {build: {commands: [mkdir -p made/dist]}}}\n"
            "frontend:\n  buildPath: made\n  phases: {build: {commands: ['../back/hello > dist/index.html']}}\n"
            "  artifacts: {baseDirectory: dist}\n",
            None,
        ),
        # What bash itself is told stays told.
        (
            "backend: {phases: {build: {commands: ['set -euo pipefail; set -o noclobber']}}}\n"
            "frontend:\n  phases: {build: {commands: ['mkdir dist; back/hello > dist/index.html']}}\n"
            "  artifacts: {baseDirectory: dist}\n",
            None,
        ),
    ],
)
def test_sections_share_a_shell(world: World, text: str, root: str | None) -> None:
    world.repository.commit({"amplify.yml": text, "back/hello": "#!/bin/sh\necho hello\n", "web/x": ""})
    hello = world.repository.path / "back/hello"
    hello.chmod(0o755)
    world.repository._git("add", "--all")
    world.repository._git("commit", "--quiet", "--message", "Make it a program")
    app_id = world.app(environmentVariables={"AMPLIFY_MONOREPO_APP_ROOT": root} if root else {})
    world.client.create_branch(appId=app_id, branchName="main")
    job = world.built(app_id)
    assert job["summary"]["status"] == "SUCCEED", world.log(job)
    assert world.get(f"/_local/sites/{app_id}/main/") == (200, "hello\n")


@pytest.mark.parametrize("name", ["sections-share-a-shell", "basedir-climbs-inside-repo", "version-0.1"])
@pytest.mark.skipif(not CASES.is_dir(), reason="the recorded build specs are not here")
def test_recorded_specs_are_built(world: World, name: str) -> None:
    world.repository.commit({"amplify.yml": (CASES / f"{name}.yml").read_text(), "apps/web/x": ""})
    root = {"AMPLIFY_MONOREPO_APP_ROOT": "apps/web"} if name.startswith("basedir") else {}
    app_id = world.app(environmentVariables=root)
    world.client.create_branch(appId=app_id, branchName="main")
    job = world.built(app_id)
    assert job["summary"]["status"] == "SUCCEED", world.log(job)
    assert world.get(f"/_local/sites/{app_id}/main/") == (200, "hi\n")


@pytest.mark.parametrize(
    ("command", "warning"),
    [
        ("exit 0", "backend, build: the command 'exit 0' ended the shell; 2 commands were not run"),
        ("exec true", "backend, build: the command 'exec true' ended the shell; 2 commands were not run"),
    ],
)
def test_a_command_that_ends_the_shell_is_told(world: World, command: str, warning: str) -> None:
    text = (
        f"backend: {{phases: {{build: {{commands: [mkdir dist, touch dist/x, {command}]}}}}}}\n"
        "frontend: {phases: {preBuild: {commands: [echo three]}, build: {commands: [echo four]}}, "
        "artifacts: {baseDirectory: dist}}\n"
    )
    app_id = world.branch({"amplify.yml": text})
    job = world.built(app_id)
    assert job["summary"]["status"] == "SUCCEED", world.log(job)
    assert f"[WARNING]: {warning}\n" in world.log(job)
    assert "four" not in world.log(job)


def test_a_build_path_behind_a_link_that_leads_out_is_refused(world: World, tmp_path: Path) -> None:
    world.repository.commit({"amplify.yml": spec(SITE, artifacts="{baseDirectory: dist}\n  buildPath: out")})
    (world.repository.path / "out").symlink_to(tmp_path)
    world.repository._git("add", "--all")
    world.repository._git("commit", "--quiet", "--message", "Link")
    app_id = world.app()
    world.client.create_branch(appId=app_id, branchName="main")
    job = world.built(app_id)
    assert job["steps"][0]["statusReason"].startswith("the repository has no directory 'out' to build in")
    assert not (tmp_path / "dist").exists()


def test_the_tests_artifacts_are_kept_apart_and_tests_can_be_left_out(world: World) -> None:
    text = (
        spec(SITE) + "test: {phases: {test: {commands: ['mkdir report; cp dist/index.html report/seen.txt']}}, "
        "artifacts: {baseDirectory: report}}\n"
    )
    app_id = world.branch({"amplify.yml": text})
    job = world.built(app_id)
    assert job["summary"]["status"] == "SUCCEED", world.log(job)
    result = world.client.list_artifacts(appId=app_id, branchName="main", jobId="1")["artifacts"]
    assert [one["artifactFileName"] for one in result] == ["artifacts.zip", "test/seen.txt"]
    url = world.client.get_artifact_url(artifactId=result[1]["artifactId"])["artifactUrl"]
    assert world.get(url) == (200, "built\n")

    world.client.update_app(appId=app_id, environmentVariables={"USER_DISABLE_TESTS": "true"})
    assert "USER_DISABLE_TESTS" in world.log(world.built(app_id))
    result = world.client.list_artifacts(appId=app_id, branchName="main", jobId="2")["artifacts"]
    assert [one["artifactFileName"] for one in result] == ["artifacts.zip"]


def test_the_cache_is_kept_from_job_to_job_and_branch_by_branch(world: World) -> None:
    counting = spec(
        "mkdir -p node_modules dist; echo x >> node_modules/runs; wc -l < node_modules/runs > dist/index.html",
        artifacts="{baseDirectory: dist}\n  cache: {paths: [node_modules/**/*, ../outside, /etc/hostname]}",
    )
    app_id = world.branch({"amplify.yml": counting})
    world.branch({"amplify.yml": counting}, name="other", app=app_id)
    for branch, runs in (("main", "1"), ("main", "2"), ("other", "1"), ("main", "3")):
        job = world.built(app_id, branch)
        assert world.get(f"/_local/sites/{app_id}/{branch}/")[1].strip() == runs, world.log(job)
    assert "/etc/hostname is outside of the project and is not cached" in world.log(job)


def test_a_build_that_takes_too_long_is_ended(make_world: Callable[..., World]) -> None:
    world = make_world(minute=0.1)
    world.repository.commit({"amplify.yml": spec("sleep 1000")})
    app_id = world.app(environmentVariables={"_BUILD_TIMEOUT": "5"})
    world.client.create_branch(appId=app_id, branchName="main")
    job = world.built(app_id)
    assert job["summary"]["status"] == "FAILED"
    reason = job["steps"][0]["statusReason"]
    assert reason == "the build was not done after 5 minutes, its time limit (_BUILD_TIMEOUT)"
    assert f"!!! Build failed: {reason}" in world.log(job)


@pytest.mark.parametrize("text", ["4", "121", "soon", "-5", "5.5", "٣٠", "9" * 5000])
def test_a_time_limit_that_amplify_does_not_allow_is_named(world: World, text: str) -> None:
    app_id = world.branch()
    world.client.update_app(appId=app_id, environmentVariables={"_BUILD_TIMEOUT": text})
    job = world.built(app_id)
    assert job["steps"][0]["statusReason"].startswith("_BUILD_TIMEOUT must be a whole number of minutes from 5 to 120")


LINGERING = spec("sleep 1000 & echo $! > pids; sh -c 'echo $$ >> pids; echo ready; sleep 1000'")


def lingering(world: World, app_id: str, job_id: str) -> list[int]:
    """The processes of a job that runs LINGERING, once both are there."""
    world.eventually(lambda: "steps" in (job := world.job(app_id, job_id)) and "ready\n" in started_log(world, job))
    (pids,) = world.state_dir.glob("jobs/*/work/src/pids")
    return [int(line) for line in pids.read_text().splitlines()]


def started_log(world: World, job: dict[str, list[dict[str, str]]]) -> str:
    return world.log(job) if job["steps"] and "logUrl" in job["steps"][0] else ""


def alive(pid: int) -> bool:
    """Whether a process runs; what only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads /proc")
@pytest.mark.parametrize("how", ["stop_job", "delete_branch", "delete_app", "close"])
def test_a_stopped_build_leaves_no_process(world: World, how: str) -> None:
    app_id = world.branch({"amplify.yml": LINGERING})
    job_id = world.start(app_id)
    pids = lingering(world, app_id, job_id)
    assert len(pids) == 2
    assert all(alive(pid) for pid in pids)
    match how:
        case "stop_job":
            answer = world.client.stop_job(appId=app_id, branchName="main", jobId=job_id)
            assert answer["jobSummary"]["status"] == "CANCELLING"
            job = world.ended(app_id, job_id)
            assert job["summary"]["status"] == "CANCELLED"
            assert [step["status"] for step in job["steps"]] == ["CANCELLED"] * 3
            assert "# The build was stopped" in world.log(job)
        case "delete_branch":
            world.client.delete_branch(appId=app_id, branchName="main")
        case "delete_app":
            world.client.delete_app(appId=app_id)
        case "close":
            world.service.close()
    world.eventually(lambda: not any(alive(pid) for pid in pids))
    assert world.told(app_id, 1) == ["STARTED"], "a cancelled job sends no event"
    if how in {"delete_branch", "delete_app"}:
        assert not any((world.state_dir / "jobs").iterdir())


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads /proc")
def test_what_a_build_left_running_ends_with_it(world: World) -> None:
    app_id = world.branch({"amplify.yml": spec(SITE, "sleep 1000 & echo $! > dist/pid")})
    job = world.built(app_id)
    assert job["summary"]["status"] == "SUCCEED", world.log(job)
    pid = int(world.get(f"/_local/sites/{app_id}/main/pid")[1])
    world.eventually(lambda: not alive(pid))


def waiting(gate: Path) -> str:
    """A spec whose build goes on until a file is there."""
    return spec(f"while [ ! -e '{gate}' ]; do sleep 0.05; done", SITE)


def test_a_branch_has_one_running_and_one_waiting_job(world: World, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    app_id = world.branch({"amplify.yml": waiting(gate)})
    assert [world.start(app_id), world.start(app_id)] == ["1", "2"]
    world.eventually(lambda: world.status(app_id, "1") == "RUNNING")
    assert world.status(app_id, "2") == "PENDING"
    assert world.job(app_id, "2")["steps"] == []
    with pytest.raises(ClientError) as caught:
        world.start(app_id)
    assert caught.value.response["Error"] == {
        "Code": "LimitExceededException",
        "Message": "The requested branch main already have pending or running jobs",
    }
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
    for job_id in ("1", "2"):
        with pytest.raises(ClientError, match="stop it before deleting it"):
            world.client.delete_job(appId=app_id, branchName="main", jobId=job_id)
    gate.touch()
    assert world.ended(app_id, "2")["summary"]["status"] == "SUCCEED"
    assert world.job(app_id, "1")["summary"]["endTime"] <= world.job(app_id, "2")["steps"][0]["startTime"]


def test_a_waiting_job_is_cancelled_at_once(world: World, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    app_id = world.branch({"amplify.yml": waiting(gate)})
    world.start(app_id)
    world.start(app_id)
    answer = world.client.stop_job(appId=app_id, branchName="main", jobId="2")["jobSummary"]
    assert (answer["status"], answer["endTime"] >= answer["startTime"]) == ("CANCELLED", True)
    with pytest.raises(ClientError, match="Job 2 can't be stopped: it is CANCELLED"):
        world.client.stop_job(appId=app_id, branchName="main", jobId="2")
    assert world.start(app_id) == "3"
    gate.touch()
    assert world.ended(app_id, "3")["summary"]["status"] == "SUCCEED"
    assert world.told(app_id, 4) == ["STARTED", "SUCCEED", "STARTED", "SUCCEED"]


def test_five_jobs_run_at_once_and_the_rest_in_order(world: World, tmp_path: Path) -> None:
    names = [f"b{number}" for number in range(7)]
    app_id = world.app()
    for name in names:
        world.branch({"amplify.yml": waiting(tmp_path / name)}, name=name, app=app_id)
    for name in names:
        world.start(app_id, name)

    def statuses() -> list[str]:
        return [world.status(app_id, "1", name) for name in names]

    world.eventually(lambda: statuses() == ["RUNNING"] * 5 + ["PENDING"] * 2)
    (tmp_path / "b3").touch()
    world.eventually(lambda: statuses() == ["RUNNING"] * 3 + ["SUCCEED"] + ["RUNNING"] * 2 + ["PENDING"])
    world.client.stop_job(appId=app_id, branchName="b0", jobId="1")
    world.eventually(lambda: statuses() == ["CANCELLED"] + ["RUNNING"] * 2 + ["SUCCEED"] + ["RUNNING"] * 3)
    for name in names:
        (tmp_path / name).touch()
    world.eventually(lambda: statuses() == ["CANCELLED"] + ["SUCCEED"] * 6)


def test_statuses_come_in_their_real_order(world: World, tmp_path: Path) -> None:
    app_id = world.branch({"amplify.yml": waiting(tmp_path / "gate")})
    answer = world.client.start_job(appId=app_id, branchName="main", jobType="RELEASE")["jobSummary"]
    seen = [answer["status"]]

    def next_status() -> bool:
        status = world.status(app_id, "1")
        if status != seen[-1]:
            seen.append(status)
        if status == "RUNNING":
            (tmp_path / "gate").touch()
        return status == "SUCCEED"

    world.eventually(next_status)
    real = ["PENDING", "PROVISIONING", "RUNNING", "SUCCEED"]
    assert seen == [status for status in real if status in seen]
    assert {"PENDING", "RUNNING", "SUCCEED"} <= set(seen)


@pytest.mark.parametrize(
    ("repository", "branch", "reason"),
    [
        ("{repository}", "no-such", "git could not clone branch no-such of {repository}: exit code 128"),
        ("{repository}-gone", "main", "git could not clone branch main of {repository}-gone: exit code 128"),
        ("{repository}", "--upload-pack=touch x", "'--upload-pack=touch x' can't be a branch"),
        ("--upload-pack=touch x", "main", "git could not clone branch main of --upload-pack=touch x"),
        ("ext::sh -c 'touch {repository}/pwned'", "main", "git could not clone branch main of ext::sh"),
    ],
)
def test_a_repository_that_cant_be_cloned(world: World, repository: str, branch: str, reason: str) -> None:
    path = str(world.repository.path)
    app_id = world.app(repository=repository.format(repository=path))
    world.client.create_branch(appId=app_id, branchName=branch)
    job = world.built(app_id, branch)
    assert job["steps"][0]["statusReason"].startswith(reason.format(repository=path))
    assert not (world.repository.path / "pwned").exists()


def test_a_file_address_is_a_repository_too(world: World) -> None:
    world.repository.commit({"index.html": "hello"})
    app_id = world.app(repository=world.repository.path.as_uri())
    world.client.create_branch(appId=app_id, branchName="main")
    assert world.built(app_id)["summary"]["status"] == "SUCCEED"


def test_a_token_in_a_repositorys_address_is_in_no_log_and_no_reason(world: World) -> None:
    app_id = world.app(repository="http://robot:t0ken@127.0.0.1:1/acme/web")
    world.client.create_branch(appId=app_id, branchName="main")
    job = world.built(app_id)
    log = world.log(job)
    assert "# Cloning repository: http://127.0.0.1:1/acme/web" in log
    assert "t0ken" not in log
    assert "t0ken" not in job["steps"][0]["statusReason"]


def test_a_spec_behind_a_link_that_leads_out_is_not_read(world: World, tmp_path: Path) -> None:
    (tmp_path / "secret.yml").write_text("version: hush")
    world.repository.commit({"index.html": "hello"})
    (world.repository.path / "amplify.yml").symlink_to(tmp_path / "secret.yml")
    world.repository._git("add", "--all")
    world.repository._git("commit", "--quiet", "--message", "Link")
    app_id = world.app()
    world.client.create_branch(appId=app_id, branchName="main")
    job = world.built(app_id)
    assert "hush" not in world.log(job)
    assert world.get(f"/_local/sites/{app_id}/main/amplify.yml")[0] == 404


def test_what_a_build_prints_is_in_its_log_as_it_was(world: World) -> None:
    printing = spec(
        "echo line \\",
        "printf 'no end'",
        "printf 'gr\\303\\274n\\n\\377\\nlast'",
        "head -c 300000 /dev/zero | tr '\\0' x",
        SITE,
    )
    app_id = world.branch({"amplify.yml": printing})
    job = world.built(app_id)
    texts = [line.partition("]: ")[2] for line in world.log(job).splitlines()]
    assert "no end# Executing command: " + "printf 'gr\\303\\274n\\n\\377\\nlast'" in texts
    assert {"line \\", "grün", "\N{REPLACEMENT CHARACTER}"} <= set(texts)
    assert any("x" * 300_000 in text for text in texts)


def test_an_event_that_cant_be_delivered_changes_nothing(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(list):  # type: ignore[type-arg]
        def append(self, event: object) -> None:
            raise RuntimeError("the bus is down")

    world.events = Broken()
    app_id = world.branch()
    assert world.built(app_id)["summary"]["status"] == "SUCCEED"
    assert "could not be delivered" in caplog.text
