"""Builds one branch: clones it, runs its build spec, and leaves a log, a zip of the site and a cache for the next time.

Source: Amplify Hosting user guide, "Configuring build settings" and "Environment variables"; the log's wording follows
Amplify's own (amplify-hosting issues 1216, 3275, 3848).
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from local.amplify import artifacts
from local.amplify.artifacts import SITE_ZIP
from local.amplify.build_log import BuildLog
from local.amplify.build_script import no_directory, script_of
from local.amplify.build_spec import CHARACTER_LIMIT, MONOREPO_VARIABLE, BuildSpec, Section, parse
from local.amplify.build_spec_yaml import BuildSpecError
from local.processes import Processes

SPEC_FILES = ("amplify.yml", "amplify.yaml")
TEST_ARTIFACTS = "test"
# How much of a build's last output is read for what went wrong.
TAIL_BYTES = 4096

# What git may fetch from; above all not ext::, which runs a command.
GIT_PROTOCOLS = "file:git:http:https:ssh"
GIT_ACCESS = (
    "HOME",
    "XDG_CONFIG_HOME",
    "SSH_AUTH_SOCK",
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "no_proxy",
    "NO_PROXY",
)


class BuildFailedError(Exception):
    """The build can't succeed as it is; the message says what failed and why."""


@dataclass(frozen=True)
class BuildOrder:
    """What to build and where; `specs` are the branch's and the app's own, by what they are called.

    `repository` is the app's address, `clone_address` where git finds it.
    """

    repository: str
    clone_address: str
    branch_name: str
    variables: Mapping[str, str]
    specs: Sequence[tuple[str, str]]
    directory: Path
    cache: Path


class Build:
    """One build, in directories of its own below the order's; the clone is gone when it ends, the rest stays.

    `commit` is the id and the first line of the message of what is built, None before it is known.
    """

    def __init__(self, order: BuildOrder, processes: Processes, log: BuildLog) -> None:
        self._order = order
        self._processes = processes
        self._log = log
        self.commit: str | None = None
        self._work = order.directory / "work"
        self._home = self._work / "home"
        self._clone = self._work / "src"

    def run(self) -> list[str]:
        """Build, and answer the names of the test artifacts, relative to the order's directory.

        Raises BuildFailedError, StoppedError and TimedOutError.
        """
        self._home.mkdir(parents=True)
        try:
            self._check_out()
            spec = self._spec()
            if spec is None:
                self._serve_as_is()
                return []
            return self._run_spec(spec)
        except (BuildSpecError, artifacts.ArtifactsError) as error:
            raise BuildFailedError(str(error)) from None
        finally:
            shutil.rmtree(self._work, ignore_errors=True)

    def _check_out(self) -> None:
        order = self._order
        if order.branch_name.startswith("-"):
            raise BuildFailedError(f"{order.branch_name!r} can't be a branch: a name must not begin with a dash")
        self._log.info(f"# Cloning repository: {shown_address(order.repository)}")
        if code := self._clone_branch():
            raise BuildFailedError(
                f"git could not clone branch {order.branch_name} of {shown_address(order.repository)}: "
                f"exit code {code}, and the log says why"
            )
        self.commit = self._head()
        self._log.info(f"# Switching to commit: {self.commit}")

    def _head(self) -> str:
        printed = bytearray()
        self._processes.run(
            ["git", "log", "-1", "--format=%H %s"], cwd=self._clone, env=self._environment({}), output=printed.extend
        )
        return printed.decode("utf-8", "replace").strip()

    def _clone_branch(self) -> int:
        """Clone with the developer's own git configuration, which stands for the access that Amplify was given."""
        order = self._order
        environment = {name: os.environ[name] for name in GIT_ACCESS if name in os.environ}
        environment |= {"GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": GIT_PROTOCOLS}
        clone = [
            "clone",
            "--single-branch",
            f"--branch={order.branch_name}",
            "--",
            order.clone_address,
            str(self._clone),
        ]
        code = self._processes.run(
            # Hooks of the developer's are no part of the build.
            ["git", "-c", f"core.hooksPath={os.devnull}", *clone],
            cwd=self._work,
            env=self._environment(environment),
            output=self._log.output,
        )
        self._log.flush()
        return code

    def _environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        """Nothing of our own environment but where programs are: its secrets are not the build's."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self._home),
            "LANG": "C.UTF-8",
            **variables,
        }

    def _spec(self) -> BuildSpec | None:
        """The repository's amplify.yml comes before what the branch and the app have; None if there is no spec."""
        name, text = next(((name, text) for name, text in self._specs() if text is not None), ("", None))
        if text is None:
            return None
        self._log.info(f"# Using the build spec of {name}")
        return parse(text, self._order.variables.get(MONOREPO_VARIABLE))

    def _specs(self) -> list[tuple[str, str | None]]:
        specs: list[tuple[str, str | None]] = []
        for name in SPEC_FILES:
            path = self._clone / name
            if path.is_file() and path.resolve().is_relative_to(self._clone.resolve()):
                if path.stat().st_size > 4 * CHARACTER_LIMIT:
                    raise BuildSpecError(f"{name}: has more than {CHARACTER_LIMIT:,} characters")
                specs.append((f"the repository, {name}", path.read_text("utf-8", "replace")))
        return [*specs, *self._order.specs]

    def _serve_as_is(self) -> None:
        self._log.info("# No build spec in the repository, the branch or the app: the files are served as they are")
        path = self._order.variables.get(MONOREPO_VARIABLE, "").strip("/")
        root = self._clone / path
        if not root.is_dir() or not self._is_inside(root):
            raise BuildFailedError(no_directory(path))
        count = artifacts.collect(root, ["**/*"], self._order.directory / SITE_ZIP, within=self._clone)
        self._log.info(f"# Build completed successfully: {count} files")

    def _run_spec(self, spec: BuildSpec) -> list[str]:
        for line in spec.ignored:
            self._log.warning(line)
        variables = {**spec.variables, **self._order.variables}
        sections = [section for section in spec.sections if self._is_wanted(section, variables)]
        for section in sections:
            if not self._is_inside(self._clone / section.build_path):
                raise BuildFailedError(no_directory(section.build_path))
            artifacts.restore(self._order.cache / section.name, self._clone / section.build_path)
        self._run_commands(sections, variables)
        artifact_names: list[str] = []
        for section in sections:
            if section.artifacts is not None:
                artifact_names += self._collect(section)
        for section in sections:
            self._keep(section)
        return artifact_names

    def _is_wanted(self, section: Section, variables: Mapping[str, str]) -> bool:
        disabled = section.name == "test" and variables.get("USER_DISABLE_TESTS", "").lower() == "true"
        if disabled:
            self._log.info("# Skipping the test section: USER_DISABLE_TESTS is true")
        return not disabled

    def _run_commands(self, sections: Sequence[Section], variables: Mapping[str, str]) -> None:
        reached = self._work / "reached"
        script = script_of(sections, self._clone, reached)
        file = self._work / "build.sh"
        file.write_text(script.text, "utf-8")
        tail = bytearray()

        def output(chunk: bytes) -> None:
            self._log.output(chunk)
            tail.extend(chunk)
            del tail[:-TAIL_BYTES]

        code = self._processes.run(
            ["bash", "--noprofile", "--norc", str(file)],
            cwd=self._clone,
            env=self._environment(variables),
            output=output,
        )
        self._log.flush()
        place = reached.read_text("ascii", "replace").strip() if reached.is_file() else ""
        if code:
            self._log.error("!!! Non-Zero Exit Code detected")
            raise BuildFailedError(script.failure(place, code, tail.decode("utf-8", "replace")))
        if early_end := script.early_end(place):
            self._log.warning(early_end)

    def _is_inside(self, path: Path) -> bool:
        return path.resolve().is_relative_to(self._clone.resolve())

    def _collect(self, section: Section) -> list[str]:
        if section.artifacts is None:
            return []
        is_test = section.name == "test"
        target = self._order.directory / ("test.zip" if is_test else SITE_ZIP)
        count = artifacts.collect(
            self._clone / section.artifacts.base_directory,
            section.artifacts.files,
            target,
            within=self._clone,
            discard_paths=section.artifacts.discard_paths,
        )
        self._log.info(f"# Artifacts of {section.name}: {count} files")
        if not is_test:
            return []
        unpacked = self._order.directory / TEST_ARTIFACTS
        artifacts.unpack(target, unpacked)
        target.unlink()
        return [f"{TEST_ARTIFACTS}/{name}" for name in sorted(artifacts.walk(unpacked))]

    def _keep(self, section: Section) -> None:
        # The guide calls these paths relative to the project's root; for an application of a monorepo that is taken to
        # be where it is built, since its node_modules are there.
        inside, refused = artifacts.inside_only(section.cache_paths)
        for path in refused:
            self._log.warning(f"cache.paths: {path} is outside of the project and is not cached")
        self._order.cache.mkdir(parents=True, exist_ok=True)
        count = artifacts.keep(self._clone / section.build_path, inside, self._order.cache / section.name)
        if count:
            self._log.info(f"# Cached {count} files of {section.name}")


def secrets_of(address: str) -> tuple[str, ...]:
    """The user and password in a repository's web address, either of which may be a token."""
    match = re.match(r"https?://([^/@]*)@", address)
    return tuple(part for part in (match[1], *match[1].split(":")) if part) if match else ()


def shown_address(address: str) -> str:
    """A repository's address without the user and password that it may carry."""
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() if parts.scheme and parts.netloc else address
