"""Stand-ins for the APIs of git hosts, as far as reports and reconcile call them.

Each has its host's rules, and refuses the same. A commit of zeros and pull request 404 are at no host. Whoever calls
with another token is somebody else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from local.report_hosts.amazon_q import AmazonQ
from local.report_hosts.azure_devops import AzureDevOps
from local.report_hosts.bitbucket import Bitbucket
from local.report_hosts.bitbucket_server import BitbucketServer
from local.report_hosts.calls import HostApi
from local.report_hosts.gitea import Gitea
from local.report_hosts.github import GitHub
from local.report_hosts.gitlab import GitLab

HOSTS: Mapping[str, Callable[[], HostApi]] = {
    "github": GitHub,
    "gitlab": GitLab,
    "bitbucket": Bitbucket,
    "bitbucket-server": BitbucketServer,
    "gitea": Gitea,
    "forgejo": Gitea,
    "azure-devops": AzureDevOps,
    "amazon_q": AmazonQ,
}
"""The names of stand-ins that have a host's rules."""
