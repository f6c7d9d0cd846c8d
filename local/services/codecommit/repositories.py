"""The repositories of one account and Region, and the API of them and of their branches."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from local.server import git_backend
from local.server.protocol.errors import ServiceError, not_implemented
from local.server.service import Operation, Parameters, Result
from local.services.codecommit.git import BRANCHES, BareRepository, GitError
from local.services.codecommit.state_changes import Identity, state_changes

# CodeCommit user guide, "Quotas": branch names must not be exactly 40 hexadecimal characters.
_NO_BRANCH_NAME = re.compile(r"[0-9a-f]{40}", re.IGNORECASE)
_COMMIT_ID = re.compile(r"[0-9a-f]{40}")


@dataclass
class Repository:
    """One repository. `lock` is held while its refs change, so that each change has its events."""

    identity: Identity
    git: BareRepository
    created: datetime
    modified: datetime
    description: str | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True)
class Place:
    """Whose repositories they are, where git finds them, and in which folder they lie."""

    account: str
    region: str
    base_url: str
    folder: Path

    @property
    def aws_host(self) -> str:
        """The host that CodeCommit's git has on AWS."""
        return f"git-codecommit.{self.region}.amazonaws.com"


class Repositories:
    """All repositories by name; `emit` puts events on the default bus.

    Nothing of an earlier run stays in the folder.
    """

    def __init__(self, place: Place, emit: Callable[[Mapping[str, Any]], object]) -> None:
        self.place = place
        self._emit = emit
        self._lock = threading.Lock()
        self._repositories: dict[str, Repository] = {}
        shutil.rmtree(place.folder, ignore_errors=True)

    def operations(self, caller: str) -> Mapping[str, Operation]:
        """The operations by the API's names, for somebody of this ARN."""
        return {
            "CreateRepository": self._create,
            "GetRepository": lambda p: {"repositoryMetadata": self._described(self.get(p["repositoryName"]))},
            "ListRepositories": self._list,
            "DeleteRepository": self._delete,
            "GetBranch": self._get_branch,
            "ListBranches": lambda p: {"branches": sorted(self._branches(p))},
            "CreateBranch": lambda p: self._create_branch(p, caller),
            "DeleteBranch": lambda p: self._delete_branch(p, caller),
            "UpdateDefaultBranch": self._update_default_branch,
            "GetCommit": self._get_commit,
        }

    def get(self, name: str) -> Repository:
        """A repository by its name; raises ServiceError."""
        with self._lock:
            repository = self._repositories.get(name)
        if repository is None:
            raise ServiceError("RepositoryDoesNotExistException", f"{name} does not exist")
        return repository

    def path_of(self, address: str) -> Path | None:
        """Where the repository of an address lies, on AWS's host or on ours; None if there is none of it."""
        bases = (f"https://{self.place.aws_host}/", f"{self.place.base_url}/")
        for base in bases:
            name = address.removeprefix(f"{base}v1/repos/")
            if name != address and name in self._repositories:
                return self._repositories[name].git.path
        return None

    @contextmanager
    def changing(self, repository: Repository, caller: str) -> Iterator[None]:
        """Emit the events of all that happens to the refs within."""
        with repository.lock:
            before = repository.git.refs()
            yield
            after = repository.git.refs()
            if before != after:
                repository.modified = datetime.now(UTC)
                if repository.git.default_branch() is None and (branches := _branches_of(after)):
                    repository.git.set_default_branch(next(iter(branches)))
        for event in state_changes(repository.identity, before, after, caller):
            self._emit(event)

    # --- The API -----------------------------------------------------------------------------------------------------

    def _create(self, parameters: Parameters) -> Result:
        name = parameters["repositoryName"]
        if not git_backend.is_installed():
            why = "git with its http-backend is not on this machine; install it"
            raise not_implemented("codecommit", "CreateRepository", why)
        if name.endswith(".git"):
            raise ServiceError("InvalidRepositoryNameException", f"{name} is not valid: a name must not end in .git")
        identity = Identity(name, str(uuid4()), f"arn:aws:codecommit:{self.place.region}:{self.place.account}:{name}")
        now = datetime.now(UTC)
        with self._lock:
            if name in self._repositories:
                raise ServiceError("RepositoryNameExistsException", f"Repository named {name} already exists")
            git = BareRepository(self.place.folder / identity.id)
            git.create()
            repository = Repository(identity, git, now, now, parameters.get("repositoryDescription"))
            self._repositories[name] = repository
        return {"repositoryMetadata": self._described(repository)}

    def _described(self, repository: Repository) -> dict[str, Any]:
        name = repository.identity.name
        return {
            "accountId": self.place.account,
            "repositoryId": repository.identity.id,
            "repositoryName": name,
            "repositoryDescription": repository.description,
            "defaultBranch": repository.git.default_branch(),
            "lastModifiedDate": repository.modified,
            "creationDate": repository.created,
            # Ours, as the addresses of queues are: what a client is given must lead it here.
            "cloneUrlHttp": f"{self.place.base_url}/v1/repos/{name}",
            "cloneUrlSsh": f"ssh://{self.place.aws_host}/v1/repos/{name}",
            "Arn": repository.identity.arn,
        }

    def _list(self, parameters: Parameters) -> Result:
        with self._lock:
            repositories = list(self._repositories.values())
        if parameters.get("sortBy") == "lastModifiedDate":
            repositories.sort(key=lambda repository: repository.modified)
        else:
            repositories.sort(key=lambda repository: repository.identity.name)
        if parameters.get("order") == "descending":
            repositories.reverse()
        identities = [repository.identity for repository in repositories]
        return {
            "repositories": [{"repositoryName": identity.name, "repositoryId": identity.id} for identity in identities]
        }

    def _delete(self, parameters: Parameters) -> Result:
        with self._lock:
            repository = self._repositories.pop(parameters["repositoryName"], None)
        if repository is None:
            return {}
        with repository.lock:
            shutil.rmtree(repository.git.path, ignore_errors=True)
        return {"repositoryId": repository.identity.id}

    # --- Branches ----------------------------------------------------------------------------------------------------

    def _branches(self, parameters: Parameters) -> dict[str, str]:
        return _branches_of(self.get(parameters["repositoryName"]).git.refs())

    def _get_branch(self, parameters: Parameters) -> Result:
        for member, error in (("repositoryName", "RepositoryName"), ("branchName", "BranchName")):
            if not parameters.get(member):
                raise ServiceError(f"{error}RequiredException", f"A {member} is required")
        name = parameters["branchName"]
        return {"branch": {"branchName": name, "commitId": self._commit_of(self._branches(parameters), name)}}

    @staticmethod
    def _commit_of(branches: Mapping[str, str], name: str) -> str:
        if name not in branches:
            raise ServiceError("BranchDoesNotExistException", f"{name} does not exist")
        return branches[name]

    def _create_branch(self, parameters: Parameters, caller: str) -> Result:
        repository, name = self.get(parameters["repositoryName"]), parameters["branchName"]
        if _COMMIT_ID.fullmatch(parameters["commitId"]) is None:
            raise ServiceError("InvalidCommitIdException", "The commit ID is not valid: it must be the whole SHA-1")
        if _NO_BRANCH_NAME.fullmatch(name):
            raise ServiceError("InvalidBranchNameException", "The branch name is not valid: it is a commit's")
        with self.changing(repository, caller):
            if BRANCHES + name in repository.git.refs():
                raise ServiceError("BranchNameExistsException", f"A branch named {name} already exists")
            if repository.git.commit(parameters["commitId"]) is None:
                raise ServiceError("CommitDoesNotExistException", f"{parameters['commitId']} does not exist")
            try:
                repository.git.set_branch(name, parameters["commitId"])
            except GitError as error:
                raise ServiceError("InvalidBranchNameException", f"The branch name is not valid: {error}") from None
        return {}

    def _delete_branch(self, parameters: Parameters, caller: str) -> Result:
        repository, name = self.get(parameters["repositoryName"]), parameters["branchName"]
        with self.changing(repository, caller):
            commit = _branches_of(repository.git.refs()).get(name)
            if commit is None:
                return {}
            if name == repository.git.default_branch():
                raise ServiceError("DefaultBranchCannotBeDeletedException", f"{name} is the default branch")
            repository.git.delete_branch(name)
        return {"deletedBranch": {"branchName": name, "commitId": commit}}

    def _update_default_branch(self, parameters: Parameters) -> Result:
        repository, name = self.get(parameters["repositoryName"]), parameters["defaultBranchName"]
        self._commit_of(self._branches(parameters), name)
        repository.git.set_default_branch(name)
        return {}

    def _get_commit(self, parameters: Parameters) -> Result:
        commit_id = parameters["commitId"]
        if _COMMIT_ID.fullmatch(commit_id) is None:
            raise ServiceError("InvalidCommitIdException", "The commit ID is not valid: it must be the whole SHA-1")
        commit = self.get(parameters["repositoryName"]).git.commit(commit_id)
        if commit is None:
            raise ServiceError("CommitIdDoesNotExistException", f"{commit_id} does not exist")
        users = {
            role: {"name": commit[role], "email": commit[f"{role}Email"], "date": commit[f"{role}Date"]}
            for role in ("author", "committer")
        }
        described = {
            "commitId": commit["id"],
            "treeId": commit["tree"],
            "parents": commit["parents"].split(),
            "message": commit["message"],
            "additionalData": "",
        }
        return {"commit": described | users}


def _branches_of(refs: Mapping[str, str]) -> dict[str, str]:
    return {ref.removeprefix(BRANCHES): commit for ref, commit in refs.items() if ref.startswith(BRANCHES)}
