"""Rules for what the build's commands print, specific before generic. Sources: the words of the tools themselves.

This is one table, and long because the tools are many: a rule is found by its cause, and its place among the others
decides which of two counts.
"""

from __future__ import annotations

import re

from amplify_jobs.diagnosing.rule import Part, Rule, signatures
from amplify_jobs.model.failure import Who

_NPM = r"npm (?:ERR!|error) "
_PNPM = r"^\W{0,4}ERR_PNPM_"
# Programs that come with a build image or an installer, and with no package of npm.
_TOOLCHAINS = (
    r"(?:pnpm|pnpx|yarn|bunx?|deno|flutter|dart|hugo|zola|go|ruby|bundle|gem|python3?|pip3?|poetry|pipenv|uv|php|composer"
    r"|java|mvn|gradle|dotnet|cargo|trunk|git-lfs|jq)"
)
# Bundlers print the same words as a warning, and go on.
_WARNED = re.compile(r"(?i)^(?:\W{0,4}warnings?\b|\W{0,4}compiled with warnings|⚠)")
_UNREACHABLE = (
    r"(?:ECONNRESET|ECONNREFUSED|ECONNABORTED|ETIMEDOUT|ESOCKETTIMEDOUT|EAI_AGAIN|ENOTFOUND|ENETUNREACH|EHOSTUNREACH"
    r"|EPIPE|ERR_SOCKET_TIMEOUT|EIDLETIMEOUT|ERR_STREAM_PREMATURE_CLOSE|UND_ERR_\w{1,30}|socket hang up)"
)


def _rule(cause: str, who: Who, summary: str, advice: str, *patterns: str, **more: object) -> Rule:
    return Rule(cause, who, summary, advice, Part.OUTPUT, signatures(*patterns), **more)  # type: ignore[arg-type]


def _toolchain_rule(**more: object) -> Rule:
    return _rule(
        "command-not-found",
        Who.AUTHOR,
        "The build image does not have a program",
        "Install {what} in preBuild (corepack enable brings pnpm and Yarn), or choose a build image that has it.",
        rf"(?:^|: )(?P<what>{_TOOLCHAINS}): (?:command )?not found",
        rf"\bspawn (?P<what>{_TOOLCHAINS}) ENOENT",
        noun="the program",
        **more,
    )


def _machine_rules() -> tuple[Rule, ...]:
    return (
        _rule(
            "disk-full",
            Who.AUTHOR,
            "The disk of the build instance is full",
            "Shrink what cache.paths restores, or choose a build instance with a larger disk.",
            r"ENOSPC",
            r"(?i)no space left on device",
            unless=re.compile(r"(?i)file watchers"),
            survives=True,
        ),
        _rule(
            "node-heap-out-of-memory",
            Who.AUTHOR,
            "Node.js ran out of heap memory",
            "export NODE_OPTIONS=--max-old-space-size={heap} in preBuild, turn source maps off, or choose a "
            "larger build "
            "instance.",
            r"JavaScript heap out of memory",
            r"Reached heap limit",
            r"ERR_WORKER_OUT_OF_MEMORY",
            survives=True,
        ),
        _rule(
            "out-of-memory-container",
            Who.AUTHOR,
            "The machine ran out of memory, so that the system killed a process",
            "Use a larger build instance or build less at once (fewer workers); a larger Node heap makes it worse.",
            r"^(?:\S{1,200}: line \d{1,6}: {1,4})?\d{1,8} Killed\b",
            r"^(?:\S{1,200}: line \d{1,6}: {1,4}\d{1,8} )?Killed$",
            r"(?i)\b(?:signal:?|with|by) (?:signal )?\W?SIGKILL\b",
            r"(?i)cannot allocate memory",
            r"\bENOMEM\b",
            r"process exited too early\. This probably means the system ran out of memory",
            r"(?i)exit(?:ed with)? (?:code|status):? 137\b",
            r"(?:error|fatal error): (?:runtime: )?out of memory",
            survives=True,
        ),
        _rule(
            "build-image-too-old",
            Who.AUTHOR,
            "A program needs a newer C library than the build image has",
            "Choose the Amazon Linux 2023 build image; Node 18 and newer do not run on the old one.",
            r"version [`'\"]?(?P<what>(?:GLIBC|GLIBCXX|CXXABI)_[\d.]{1,12})[`'\"]? not found",
        ),
        _rule(
            "openssl-unsupported",
            Who.AUTHOR,
            "The bundler uses a hash that OpenSSL 3 (Node 17 and newer) does not have",
            "Update webpack to 5.61 or newer; NODE_OPTIONS=--openssl-legacy-provider helps until then.",
            r"ERR_OSSL_EVP_UNSUPPORTED",
            r"digital envelope routines::unsupported",
        ),
    )


def _package_rules() -> tuple[Rule, ...]:
    return (
        _rule(
            "lockfile-out-of-sync",
            Who.AUTHOR,
            "npm ci needs a lock file, and the repository has none",
            "Run npm install and commit package-lock.json, or use the package manager whose lock file is there.",
            rf"{_NPM}.{{0,40}}can only install with an existing package-lock\.json",
            _PNPM + "NO_LOCKFILE",
        ),
        _rule(
            "lockfile-out-of-sync",
            Who.AUTHOR,
            "package.json and package-lock.json do not agree",
            "Run npm install with the npm version of the build image and commit package-lock.json.",
            rf"{_NPM}.{{0,60}}can only install packages when your package\.json",
            rf"{_NPM}Missing: (?P<what>\S{{1,200}}) from lock file",
            rf"{_NPM}Invalid: lock file's (?P<what>\S{{1,200}}) does not satisfy",
            rf"{_NPM}code EUSAGE",
        ),
        _rule(
            "lockfile-out-of-sync",
            Who.AUTHOR,
            "The manifest and the lock file do not agree",
            "Install locally with the same version of the package manager, and commit the lock file.",
            r"^error Your lockfile needs to be updated",
            r"YN0028\b",
            r"The lockfile would have been (?:modified|created) by this install",
            r"This package doesn't seem to be present in your lockfile",
            _PNPM + r"(?:OUTDATED_LOCKFILE|LOCKFILE_\w{1,40}|FROZEN_LOCKFILE\w{0,40}|BROKEN_LOCKFILE)",
            r"^error: lockfile had changes, but lockfile is frozen",
            r"(?i)install in (?:deployment|frozen) mode after changing",
            r"(?i)the dependencies in your gemfile changed, but the lockfile can't be updated",
            r"pyproject\.toml changed significantly since poetry\.lock",
            r"Your Pipfile\.lock \(\w{1,80}\) is out of date",
            r"^error: The lockfile at `uv\.lock` needs to be updated",
        ),
        _rule(
            "peer-dependency-conflict",
            Who.AUTHOR,
            "Packages need different versions of the same dependency",
            "Align the peer versions (the log names both), or install with --legacy-peer-deps on purpose.",
            rf"{_NPM}(?:code )?ERESOLVE\b",
            _PNPM + "PEER_DEP_ISSUES",
        ),
        _rule(
            "dependency-conflict",
            Who.AUTHOR,
            "No set of versions satisfies all requirements",
            "Change the version that the log names, and update the lock file.",
            r"ResolutionImpossible",
            r"^ERROR: Cannot install .{1,200} because these package versions have conflicting",
            r"Bundler could not find compatible versions",
            r"^Could not find compatible versions",
            r"version solving failed",
        ),
        _rule(
            "node-version",
            Who.AUTHOR,
            "The version of Node.js or of the package manager does not fit",
            "Choose the version: nvm use in preBuild with an .nvmrc, or a package override in Amplify's build "
            "settings.",
            r"^error .{0,200}The engine \"\w{1,10}\" is incompatible",
            rf"{_NPM}code EBADENGINE",
            _PNPM + r"(?:UNSUPPORTED_ENGINE|BAD_PM_VERSION)",
            r"(?i)node\.js version .{0,40}(?:is required|detected)",
            r"(?i)requires (?:a minimum )?Node(?:\.js)? ?(?:version )?(?:of )?(?:[v>=^~]{0,3} ?\d|to be|version)",
            r"(?i)Node(?:\.js)? v?[\d.]{1,12} is not supported",
            r"npm is known not to run on Node",
            r"^ERROR: npm v\S{1,20} is known not to (?:run|work) on",
            r"N/A: version \"\S{1,40}\" is not (?:yet installed|found)|^Version '\S{1,40}' not found - try",
            r"TypeError: crypto\.(?:hash|getRandomValues)\$?\d{0,2} is not a function",
            r"This project is configured to use (?:yarn|npm|pnpm)\b|The current project should be run with ",
        ),
        _rule(
            "node-version",
            Who.AUTHOR,
            "The package manager is not the version that package.json names",
            "Run corepack enable in preBuild: it brings the version of packageManager in package.json.",
            r"This project's package\.json defines \"packageManager\"",
        ),
        _rule(
            "corepack-outdated",
            Who.AUTHOR,
            "Corepack does not know the key that signed the package manager",
            "Run npm install --global corepack@latest in preBuild, before corepack enable.",
            r"Cannot find matching keyid",
        ),
        _rule(
            "runtime-version",
            Who.AUTHOR,
            "The version of Ruby or Python does not fit",
            "Choose the version in preBuild (rbenv, pyenv) or a build image that has it.",
            r"Your Ruby version is \S{1,20}, but your Gemfile specified",
            r"(?:requires|Requires) (?:a different Python|Ruby version|Python ')",
            r"(?:rbenv|pyenv): version [`'\"]\S{1,30}['\"] is not installed",
        ),
        _rule(
            "private-git-dependency",
            Who.OPERATOR,
            "A dependency comes from a git repository that the build may not read",
            "Use an https address with a token in .npmrc or git config, kept in a variable of the app, or publish the "
            "package.",
            r"(?i)host key verification failed",
            r"Permission denied \(publickey",
            r"(?i)could not read (?:Username|Password) for",
            r"(?i)(?:fatal|remote): (?:Authentication failed|Repository not found|Invalid username or)",
            r"fatal: .{0,300}requested URL returned error: 40[134]",
        ),
        _rule(
            "registry-unauthorized",
            Who.OPERATOR,
            "The registry refused the credentials",
            "The token for the private registry is missing or expired: renew it in the environment variables that "
            ".npmrc reads.",
            rf"{_NPM}code (?:E401|E403|ENEEDAUTH|EOTP)\b",
            rf"{_NPM}(?:401|403) (?:Unauthorized|Forbidden|Incorrect)",
            rf"{_NPM}(?:Incorrect or missing password|Unable to authenticate)",
            r"^error .{0,400}Request failed \\?\"40[13]\b",
            r"YN0041\b|YN0035.{0,300}\b40[13]\b|Response Code: 40[13]\b",
            _PNPM + r"FETCH_40[13]\b",
            r"^ERROR: .{0,300}\b40[13] (?:Client )?Error",
            r"(?:Bad username or password|Authentication is required) for \S{1,200}",
        ),
        _rule(
            "environment-variable-missing",
            Who.OPERATOR,
            "A file of the package manager's configuration reads a variable that is not set",
            "Set {what} for the branch in Amplify's console; secrets come as the JSON variable secrets, not as "
            "variables.",
            r"Failed to replace env in config: \$\{(?P<what>\w{1,80})",
            r"Environment variable not found \((?P<what>\w{1,80})\)",
            noun="the variable",
        ),
        _rule(
            "package-not-found",
            Who.AUTHOR,
            "The registry does not have a package or version",
            "Check the name and version in the manifest; for a private package check the registry's address and token.",
            rf"{_NPM}code (?:E404|ETARGET|ENOVERSIONS|EINVALIDPACKAGENAME)\b",
            rf"{_NPM}(?:notarget|404) .{{0,40}}(?:No matching version|Not Found)",
            r"^error .{0,40}Couldn't find (?:any versions|package|match)",
            r"^error .{0,400}Request failed \\?\"404\b",
            r"YN0082\b|YN0035.{0,300}\b404\b|Response Code: 404\b",
            _PNPM + r"(?:FETCH_404|NO_MATCHING_VERSION\w{0,40}|NO_VERSIONS|PACKAGE_NOT_FOUND)",
            r"(?i)^ERROR: No matching distribution found for (?P<what>\S{1,100})",
            r"Could not find (?P<what>\S{1,100}) in (?:any of the sources|locally installed gems)",
            r"^Could not find gem '(?P<what>[^']{1,100})'",
            r"^error: (?:package )?\"?(?P<what>\S{1,100})\"? (?:failed to resolve|not found in registry)",
        ),
        _rule(
            "integrity-mismatch",
            Who.AUTHOR,
            "A package is not the one that the lock file describes",
            "Delete the lock file's entry of the package, install again and commit it; if nothing changed, "
            "clear the cache.",
            rf"{_NPM}code EINTEGRITY\b",
            r"^error .{0,200}Integrity check failed",
            r"YN0018\b",
            _PNPM + r"TARBALL_INTEGRITY",
            r"THESE PACKAGES DO NOT MATCH THE HASHES",
        ),
        _rule(
            "platform-package-missing",
            Who.AUTHOR,
            "A package is not installed for Linux, or is only for another system",
            "Delete node_modules and the lock file, install again and commit the lock file; move a package of "
            "one system "
            "to optionalDependencies.",
            rf"{_NPM}code EBADPLATFORM\b",
            r"^error .{0,200}The platform \"\w{1,20}\" is incompatible with this module",
            _PNPM + "UNSUPPORTED_PLATFORM",
            r"Cannot find module '?\"?(?P<what>[@\w./-]{0,100}linux-\w{1,12}(?:-(?:gnu|musl)\w{0,8})?(?:\.node)?)['\"]",
            r"You installed esbuild (?:for|on) another platform",
            r"Could not load the \"(?P<what>sharp)\" module using the linux",
        ),
        _rule(
            "script-missing",
            Who.AUTHOR,
            "package.json has no such script",
            "Add {what} to the scripts of package.json, or correct the command in amplify.yml.",
            rf"{_NPM}(?:Missing|missing) script:? ?\"?(?P<what>[^\s\"]{{1,80}})",
            r"^error Command \"(?P<what>[^\"]{1,80})\" not found",
            r"^Usage Error: Couldn't find a script named \"(?P<what>[^\"]{1,80})\"",
            _PNPM + r"NO_SCRIPT\b.{0,40}: (?P<what>\S{1,80})",
            r"^error: Script not found \"(?P<what>[^\"]{1,80})\"",
            noun="the script",
        ),
        _rule(
            "workspace-missing",
            Who.AUTHOR,
            "The monorepo has no such package",
            "Use the name in the package's own package.json, and list its folder in the workspaces of the root.",
            r"No package found with name '(?P<what>[^']{1,200})' in workspace",
            r"(?i)\bworkspace '(?P<what>[^']{1,200})' not found",
            r"^error Unknown workspace \"(?P<what>[^\"]{1,200})\"",
            rf"{_NPM}No workspaces found",
            r"Cannot find project '(?P<what>[^']{1,200})'",
        ),
        _rule(
            "package-manager-missing",
            Who.AUTHOR,
            "package.json does not name the package manager of the workspaces",
            'Add packageManager to the package.json of the root, like "pnpm@9.12.0".',
            r"Missing `packageManager` field in package\.json",
        ),
        _rule(
            "package-json-missing",
            Who.AUTHOR,
            "There is no package.json where the command runs",
            "Use cd in amplify.yml, or appRoot in a monorepo, so that the command runs in the folder of the app.",
            rf"{_NPM}.{{0,40}}Could not read package\.json: Error: ENOENT",
            rf"{_NPM}.{{0,20}}ENOENT: no such file or directory, open '[^']{{0,300}}package\.json'",
            _PNPM + r"NO_(?:IMPORTER|PKG)_MANIFEST",
            r"Couldn't find a package\.json file in",
            r"(?i)could not find a package\.json|no package\.json (?:was )?found",
            r"Could not open requirements file|Could not locate Gemfile",
        ),
        _rule(
            "package-json-invalid",
            Who.AUTHOR,
            "package.json is no valid JSON",
            "Correct package.json; often a merge left a mark or a comma.",
            rf"{_NPM}code EJSONPARSE\b",
            _PNPM + r"JSON_PARSE",
            r"package\.json: Unexpected (?:token|end of JSON)",
            r"(?i)Invalid package\.json",
        ),
    )


def _backend_rules() -> tuple[Rule, ...]:
    return (
        _rule(
            "cdk-not-bootstrapped",
            Who.OPERATOR,
            "The CDK is not bootstrapped in this account and Region",
            "Run cdk bootstrap in this account and Region once; if it was, let the service role read the bootstrap "
            "parameter in SSM.",
            r"Bootstrap(?:NotDetected|Detection|VersionOutdated)Error",
            r"/cdk-bootstrap/\w{1,20}/version",
            r"(?i)has not been bootstrapped",
        ),
        _rule(
            "backend-parameters-missing",
            Who.OPERATOR,
            "The backend's authentication needs parameters that are not set",
            "Set the AMPLIFY_FACEBOOK_CLIENT_ID/SECRET and AMPLIFY_GOOGLE_CLIENT_ID/SECRET environment variables (or "
            "those of the provider that the log names).",
            r"missing the following inputParameters:? (?P<what>[\w, ]{1,200})",
            r"hostedUIProviderCreds\] must have values",
        ),
        _rule(
            "backend-secret-missing",
            Who.OPERATOR,
            "The backend uses a secret that is not set for the branch",
            "Set {what} in Amplify's console under Hosting, Secrets.",
            r"(?i)secrets? '?\"?(?P<what>[\w-]{1,80})'?\"? (?:specified in the backend )?do(?:es)? not exist",
            r"(?i)failed to (?:retrieve|fetch|get) (?:the )?(?:backend )?secret '?\"?(?P<what>[\w-]{1,80})",
            r"SecretNotSetError",
            noun="the secret",
        ),
        _rule(
            "access-denied",
            Who.OPERATOR,
            "The role of the build may not do what the command needs",
            "Allow {what} in the app's service role.",
            r"(?i)is not authorized to perform: ?(?P<what>[\w-]{1,40}:[\w*]{1,80})",
            r"(?i)you have permissions to call (?P<what>[\w-]{1,40}:[\w*]{1,80})",
            r"\bAccessDenied(?:Exception|Error)?\b",
            r"An error occurred \((?:AccessDenied|UnauthorizedOperation|403)\w{0,20}\)",
            r"(?i)Access Denied$",
            noun="the action that the log names",
        ),
        _rule(
            "aws-throttled",
            Who.UPSTREAM,
            "An AWS service refused calls because they were too many",
            "Start the job again later.",
            r"^(?:\W{0,4}\[?)?(?:\w{0,20}Throttling\w{0,20}|TooManyRequestsException|LimitExceededException)\]?:? ",
            r"An error occurred \((?:Throttling|TooManyRequests|RequestLimitExceeded)\w{0,20}\)",
            r"(?i)ThrottlingException|: Rate exceeded",
            retry_helps=True,
        ),
        _rule(
            "backend-deployment-failed",
            Who.AUTHOR,
            "CloudFormation could not deploy the backend",
            "The first resource that failed tells why; the events of the stack in CloudFormation have the "
            "whole reason.",
            r"\b(?:CREATE|UPDATE|DELETE)_FAILED\b",
            r"\b(?:UPDATE_)?ROLLBACK_(?:COMPLETE|FAILED|IN_PROGRESS)\b",
            r"\[Cloud[Ff]ormation\w{1,60}Error\]|The CloudFormation deployment (?:has )?failed",
            r"An error occurred during the push operation|Resource is not in the state \w{1,40}",
            r"(?i)deployment failed: Error: The stack named",
        ),
    )


def _program_rules() -> tuple[Rule, ...]:
    return (
        _rule(
            "warnings-as-errors",
            Who.AUTHOR,
            "The build takes warnings for errors, because CI is true",
            "Fix the warnings, or build with CI=false.",
            r"(?i)treating warnings as errors because process\.env\.CI = true",
        ),
        _toolchain_rule(exit_codes=frozenset({127})),
        _rule(
            "command-not-found",
            Who.AUTHOR,
            "A program is not installed",
            "Add {what} to the dependencies; devDependencies are not installed when NODE_ENV=production.",
            *_NOT_FOUND,
            exit_codes=frozenset({127}),
            noun="the program",
        ),
        _rule(
            "tests-failed",
            Who.AUTHOR,
            "Tests failed",
            "Fix the tests; they fail locally too, with CI=true and the same variables.",
            r"^Tests:? {1,12}(?:\d{1,7} \w{1,12}, |\d{1,7} \w{1,12} \| ){0,4}\d{1,7} failed\b",
            r"^Test Suites: (?:\d{1,7} \w{1,12}, ){0,3}\d{1,7} failed\b",
            r"^Test Files {1,4}\d{1,7} failed\b",
            r"^\d{1,7} failing$",
            r"^={2,80} .{0,80}\b\d{1,7} (?:failed|errors?)\b.{0,80}={2,80}$",
            r"^[✖\xd7] {1,4}\d{1,7} of \d{1,7} failed",
            r"^\d{1,7} failed$",
            r"^# fail [1-9]",
            r"Executed \d{1,7} of \d{1,7} .{0,20}\(\d{1,7} FAILED\)",
            r"(?i)coverage (?:threshold|for \w{1,20} \().{0,60}(?:not met|does not meet)",
            r"^\d{1,7} runs?, \d{1,7} assertions?, (?:[1-9]\d{0,6} failures?|\d{1,7} failures?, [1-9])",
            r"^\d{1,7} examples?, [1-9]\d{0,6} failures?",
        ),
        _rule(
            "lint-error",
            Who.AUTHOR,
            "A linter found errors",
            "Fix what the linter names.",
            r"^✖ \d{1,7} problems? \([1-9]",
            r"^\d{1,6}:\d{1,6} {1,6}Error: ",
            r"ESLint found too many warnings",
            r"^\[?error\]? Code style issues|Code style issues (?:found|in \d)",
            r"^\d{1,7} problems? \([1-9]\d{0,6} errors?",
        ),
        _rule(
            "module-not-found",
            Who.AUTHOR,
            "A file that Amplify generates is missing",
            "Generate it before the build: npx ampx pipeline-deploy or ampx generate outputs (Gen 2), amplifyPush "
            "--simple (Gen 1), in the backend phase; it is not in the repository.",
            r"(?:Cannot find module|Can't resolve|Could not resolve|ailed to resolve import|Could not load) ['\"]?"
            r"[^'\"\s]{0,200}(?P<what>amplify_outputs|aws-exports|amplifyconfiguration)",
            unless_near=_WARNED,
        ),
        _rule(
            "module-not-found",
            Who.AUTHOR,
            "A module can't be found",
            "Compare the letter case of the path with the file's name, add the package to the dependencies, and check "
            "that what is generated or ignored by git exists in the build.",
            r"Module not found: (?:Error: )?Can't resolve '(?P<what>[^']{1,200})'",
            r"Module not found: ",
            r"(?:Cannot|Can't) find (?:module|package) ['\"](?P<what>[^'\"]{1,200})['\"]",
            r"(?:ailed to resolve (?:import|entry)|Could not resolve|Can't resolve) ['\"](?P<what>[^'\"]{1,200})['\"]",
            r"\[ERROR\] Could not resolve \"(?P<what>[^\"]{1,200})\"",
            r"Could not load (?P<what>\S{1,300}) \(imported by ",
            r"ERR_MODULE_NOT_FOUND",
            r"^(?:E {1,8})?ModuleNotFoundError: No module named '(?P<what>[^']{1,100})'",
            r"cannot load such file -- (?P<what>\S{1,200})",
            unless_near=_WARNED,
        ),
        _rule(
            "environment-variable-missing",
            Who.OPERATOR,
            "An environment variable is missing",
            "Set {what} for the branch in Amplify's console; secrets come as the JSON variable secrets, not as "
            "variables.",
            r"(?i)(?:missing|required|invalid|undefined) (?:required )?(?:environment|env) variables?:?"
            r"(?:(?: is missing)?:? ['\"`]?(?P<what>(?-i:[A-Z][A-Z0-9_]{2,60})))?",
            r"(?i)environment variables? (?:not found:? )?['\"`]?(?P<what>(?-i:[A-Z][A-Z0-9_]{2,60}))\b['\"`]?"
            r"(?: (?:is|are|was|must|isn't|has|not|missing|required|undefined)\b|\.?$)",
            r"\b(?P<what>[A-Z][A-Z0-9]{1,20}_[A-Z0-9_]{2,60})['\"`]? (?:(?:is|was) (?:not "
            r"(?:set|defined|provided|found)|"
            r"undefined|required|missing)|must be (?:set|defined|provided)|isn't (?:set|defined))",
            r"\b(?P<what>[A-Z][A-Z0-9]{1,20}_[A-Z0-9_]{1,60}): (?:parameter not set|unbound variable)",
            r"^KeyError: '(?P<what>[A-Z][A-Z0-9]{1,20}_[A-Z0-9_]{2,60})'",
            r"key not found: \"(?P<what>[A-Z][A-Z0-9]{1,20}_[A-Z0-9_]{2,60})\"",
            noun="the variable",
        ),
        _rule(
            "network",
            Who.UPSTREAM,
            "A font could not be fetched while the site was built",
            "Start the job again, or keep the font in the repository.",
            r"(?i)failed to fetch (?:font )?[`'\"]?.{1,80}from Google Fonts",
            r"(?i)^\W{0,4}(?:Error: )?failed to fetch font ",
            retry_helps=True,
        ),
        _rule(
            "prerender-error",
            Who.AUTHOR,
            "A page failed while it was rendered",
            "Build locally with the variables of the branch: the log names the page and the error.",
            r"Error occurred prerendering page \"(?P<what>[^\"]{1,200})\"",
            r"Export encountered (?:an error|errors?) on",
            r"Static page generation for (?P<what>\S{1,200}) is still timing out",
            r"Failed to collect page data for (?P<what>\S{1,200})",
            r"Building static HTML failed for path \"(?P<what>[^\"]{1,200})\"",
        ),
        _rule(
            "bundle-too-large",
            Who.AUTHOR,
            "A bundle is larger than the budget that the project sets",
            "Make the bundle smaller, or raise the budget in angular.json.",
            r"(?i)error:? .{0,100}exceeded maximum budget",
        ),
        _rule(
            "compile-error",
            Who.AUTHOR,
            "The code does not compile",
            "Fix the type errors; they are the same locally.",
            r"^(?P<what>\S{1,200}\(\d{1,7},\d{1,7}\)): error TS\d{1,5}: ",
            r"error TS\d{1,5}: ",
            r"^Type error: ",
            r"^(?P<what>\S{1,200}:\d{1,7}:\d{1,7}) - error ",
        ),
        _rule(
            "compile-error",
            Who.AUTHOR,
            "The code does not compile",
            "Fix the error that the log names; it is the same locally.",
            r"^(?:\W{0,4}ERROR)?\W{0,4}Failed to compile\b",
            r"^(?:\[[\w: -]{1,40}\] ?|E {1,8})?(?:\w{0,20} )?(?:SyntaxError|IndentationError)\b",
            r"\[?SyntaxError\]?: ",
            r"^ERROR in (?:\./|\S{1,200}\.\w)",
            r"^✘ \[ERROR\] ",
            r"^(?P<what>\S{1,200}\.dart:\d{1,7}:\d{1,7}): Error: ",
            r"^Error: Failed to compile application\b",
            # Astro's names of errors.
            r"^\[[A-Z]\w{2,60}Error\] ",
            r"^(?:\W{0,3})?error during build:",
            r"Module (?:parse|build) failed",
            r"^\W{0,3}(?:RollupError|SassError|CssSyntaxError|BuildError|TransformError)\b",
            r"^(?:Error|ERROR): error building site|^ERROR .{0,200}failed to (?:render|extract|parse)",
            r"Liquid Exception: ",
            r"Build failed because of webpack errors|Build failed with \d{1,4} errors?:",
            r"\[(?:vite|rollup|plugin)[\w: -]{1,60}\] .{0,200}(?:Error|Unexpected|Expected|failed)",
            unless_near=_WARNED,
        ),
        _rule(
            "native-module-build",
            Who.AUTHOR,
            "A dependency with native code could not be built",
            "Use a version of the dependency that has a binary for this version of Node or Python, or install "
            "the build "
            "tools in preBuild.",
            r"gyp ERR! (?:build error|configure error|not ok)",
            r"node-pre-gyp ERR! (?:build error|not ok)",
            r"(?i)^error: .{0,40}(?:failed building wheel|subprocess-exited-with-error|metadata-generation-failed)",
            r"Failed building wheel for (?P<what>\S{1,100})",
            r"ERROR: Failed to build gem native extension",
        ),
        _toolchain_rule(),
        _rule(
            "command-not-found",
            Who.AUTHOR,
            "A program is not installed",
            "Add {what} to the dependencies; devDependencies are not installed when NODE_ENV=production.",
            *_NOT_FOUND,
            noun="the program",
        ),
        _rule(
            "not-executable",
            Who.AUTHOR,
            "A file may not be executed",
            "Make the script executable (git update-index --chmod=+x), or call it by its interpreter.",
            r"(?:: |^)(?P<what>[\w./@-]{1,200}): Permission denied$",
            exit_codes=frozenset({126, 1, 127}),
        ),
        _rule(
            "file-missing",
            Who.AUTHOR,
            "The command uses a folder or file that does not exist",
            "Correct the path in amplify.yml; each command runs where the one before has changed to.",
            r"\bcd: (?:line \d{1,6}: )?(?:can't cd to )?(?P<what>[^:\n]{1,200})(?:: No such file or directory|$)",
            r"line \d{1,6}: (?:cd: )?(?P<what>[\w./@-]{1,200}): No such file or directory",
            r"^(?:cp|mv|cat|ls|rm|chmod|tar|unzip): .{0,200}No such file or directory",
        ),
    )


_NOT_FOUND = (
    r"(?:^|: )(?P<what>[\w@.+/-]{1,100}): command not found",
    r"^(?:/bin/)?(?:sh|dash|bash): (?:line )?\d{1,6}: (?P<what>[\w@.+/-]{1,100}): not found",
    r"could not determine executable to run",
    r"\bspawn (?P<what>[\w@.+/-]{1,100}) ENOENT",
    r"^error: Script not found|^bundler: command not found: (?P<what>\S{1,100})",
    _PNPM + r"RECURSIVE_EXEC_FIRST_FAIL\b.{0,40}Command \"(?P<what>[^\"]{1,100})\" not found",
)


def _network_rules() -> tuple[Rule, ...]:
    return (
        _rule(
            "network",
            Who.UPSTREAM,
            "A registry or host could not be reached, or failed",
            "The registry closed the connection, or did not answer: start the job again.",
            rf"{_NPM}(?:code|errno) (?:{_UNREACHABLE}|FETCH_ERROR|E5\d\d|E429)\b",
            rf"{_NPM}(?:5\d\d|429) [A-Z]",
            rf"{_NPM}network .{{0,300}}{_UNREACHABLE}",
            rf"{_NPM}.{{0,40}}(?:Socket|network) timeout",
            rf"^error .{{0,400}}(?:{_UNREACHABLE}|Request failed \\?\"(?:5\d\d|429))",
            rf"(?:YN0001|YN0035|RequestError).{{0,300}}(?:{_UNREACHABLE}|Timeout awaiting|Response Code: "
            rf"5\d\d|\b50[0234]\b)",
            _PNPM + rf"(?:META_FETCH_FAIL|FETCH_5\d\d|FETCH_429|{_UNREACHABLE})",
            r"^ERROR: .{0,400}(?:Max retries exceeded|Read timed out|Connection reset|\b50[0234] Server Error)",
            r"Net::(?:OpenTimeout|ReadTimeout|HTTPFatalError)|Could not (?:fetch specs from|reach host)",
            r"^curl: \((?:5|6|7|16|18|28|35|52|55|56|92)\) ",
            r"^curl: \(22\) The requested URL returned error: (?:5\d\d|429)",
            r"^(?:npm (?:ERR!|error) )?fatal: unable to access .{0,400}"
            r"(?:resolve host|Failed to connect|timed out|reset|error: (?:5\d\d|429))",
            r"^(?:wget: )?unable to resolve host|^E: (?:Failed to fetch|Unable to fetch)|Cannot find a valid baseurl",
            r"^Error: Internal Error: Error when performing the request|Server answered with HTTP (?:5\d\d|429)",
            r"toomanyrequests: ",
            retry_helps=True,
        ),
        _rule(
            "network",
            Who.UPSTREAM,
            "A host that the build calls could not be reached",
            "Start the job again; if it fails again, check the host that the log names.",
            rf"^(?:\W{{0,4}})?(?:FetchError|RequestError|AxiosError|Error|\[?cause\]?): .{{0,300}}{_UNREACHABLE}",
            r"^(?:\W{0,4})?TypeError: fetch failed",
            unless=re.compile(r"localhost|127\.0\.0\.1|::1"),
            retry_helps=True,
        ),
    )


OUTPUT_RULES = (
    *_machine_rules(),
    *_package_rules(),
    *_backend_rules(),
    *_program_rules(),
    *_network_rules(),
)
EXIT_CODE_RULES = (
    Rule(
        cause="out-of-memory-container",
        who=Who.AUTHOR,
        summary="The system killed the command, most likely because the machine ran out of memory",
        advice="Use a larger build instance or build less at once (fewer workers); a larger Node heap makes it worse.",
        part=Part.OUTPUT,
        exit_codes=frozenset({137}),
    ),
    Rule(
        cause="command-not-found",
        who=Who.AUTHOR,
        summary="The command, or one that it calls, is not installed",
        advice="Add the program to the dependencies; devDependencies are not installed when NODE_ENV=production.",
        part=Part.OUTPUT,
        exit_codes=frozenset({127}),
    ),
    Rule(
        cause="not-executable",
        who=Who.AUTHOR,
        summary="The command may not be executed",
        advice="Make the script executable (git update-index --chmod=+x), or call it by its interpreter.",
        part=Part.OUTPUT,
        exit_codes=frozenset({126}),
    ),
)
