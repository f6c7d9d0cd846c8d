"""Rules for what Amplify says itself, and for the clone of the repository."""

from __future__ import annotations

import re

from amplify_jobs.diagnosing.rule import Part, Rule, signatures
from amplify_jobs.model.failure import Who

_OUT_OF_MEMORY = "Use a larger build instance or build less at once (fewer workers); a larger Node heap makes it worse."
_TOO_SLOW = (
    "The command does not end (a watcher or a server), or needs more than _BUILD_TIMEOUT minutes (30 unless "
    "set, 120 at "
    "most)."
)

REASON_RULES = (
    Rule(
        cause="out-of-memory-container",
        who=Who.AUTHOR,
        summary="The build container ran out of memory",
        advice=_OUT_OF_MEMORY,
        part=Part.REASON,
        signatures=signatures(r"(?i)out of memory"),
    ),
    Rule(
        cause="timeout",
        who=Who.AUTHOR,
        summary="The build took longer than it may",
        advice=_TOO_SLOW,
        part=Part.REASON,
        signatures=signatures(r"(?i)\btim(?:ed|e)[ -]?out"),
    ),
)

BUILDER_RULES = (
    Rule(
        cause="iam-role",
        who=Who.OPERATOR,
        summary="Amplify can't assume the app's service role",
        advice="Let amplify.amazonaws.com assume the app's service role, and check that the role still exists.",
        part=Part.BUILDER,
        signatures=signatures(r"(?i)unable to assume specified IAM role"),
    ),
    Rule(
        cause="build-spec-invalid",
        who=Who.AUTHOR,
        summary="The build specification is no valid YAML",
        advice="Correct {what}; a duplicated key is often one that is not indented under its section.",
        noun="amplify.yml at the line that the log shows",
        part=Part.BUILDER,
        signatures=signatures(r"(?i)unable to parse (?:the )?build ?spec: (?P<what>[^\n]{1,200})"),
        phase="build spec",
    ),
    Rule(
        cause="build-spec-invalid",
        who=Who.AUTHOR,
        summary="A command of the build specification is malformed",
        advice="Put the command into quotes: YAML takes an unquoted ': ' for a mapping.",
        part=Part.BUILDER,
        signatures=signatures(r"(?i)commands provided in the build ?spec are malformed"),
        phase="build spec",
    ),
    Rule(
        cause="build-spec-invalid",
        who=Who.AUTHOR,
        summary="The build specification has no applications, but the app is set up as a monorepo",
        advice="AMPLIFY_MONOREPO_APP_ROOT is set: put applications: - appRoot: … into amplify.yml, or unset it.",
        part=Part.BUILDER,
        signatures=signatures(r"(?i)monorepo spec provided without \"?applications"),
        phase="build spec",
    ),
    Rule(
        cause="build-spec-invalid",
        who=Who.OPERATOR,
        summary="The folder of the app is not the one that the monorepo setting names",
        advice="Set AMPLIFY_MONOREPO_APP_ROOT to the appRoot of amplify.yml, whose package.json has the framework.",
        part=Part.BUILDER,
        signatures=signatures(r"(?i)cannot read '[^'\n]{1,40}' version in package\.json"),
        phase="build spec",
    ),
    Rule(
        cause="build-spec-invalid",
        who=Who.AUTHOR,
        summary="The build specification names no artifacts",
        advice="Add artifacts with baseDirectory and files to amplify.yml, under frontend.",
        part=Part.BUILDER,
        signatures=signatures(r"(?i)artifacts? (?:key )?(?:was|is|were) not (?:provided|found|defined)"),
        phase="build spec",
    ),
    Rule(
        cause="artifact-directory",
        who=Who.AUTHOR,
        summary="The build did not write the folder that artifacts.baseDirectory names",
        advice="Set artifacts.baseDirectory to the folder that the build writes (vite: dist, CRA: build, Next export: "
        "out, Gatsby: public); in a monorepo it is relative to appRoot.",
        part=Part.BUILDER,
        signatures=signatures(
            r"(?i)artifacts? director(?:y|ies) (?:doesn't|does not|didn't) exist:? ?(?P<what>[^\n]{0,100})",
            r"(?i)artifacts? base ?directory (?:was )?not found",
        ),
        phase="artifacts",
    ),
    Rule(
        cause="next-output-mismatch",
        who=Who.AUTHOR,
        summary="The build output is not what the platform of the app expects of Next.js",
        advice="baseDirectory must be .next for a WEB_COMPUTE app; with output: export use out and the platform WEB.",
        part=Part.BUILDER,
        signatures=signatures(r"(?i)can(?:'t|not) find [\w.-]{1,60}\.json (?:file )?in (?:the )?build output"),
        phase="artifacts",
    ),
    Rule(
        cause="output-too-large",
        who=Who.AUTHOR,
        summary="The build output is larger than Amplify accepts",
        advice="Serve media from S3, and leave dependencies, caches and source maps out of the output (220 MiB for "
        "server-side code).",
        part=Part.BUILDER,
        signatures=signatures(
            r"(?i)size of the build output .{0,60}exceeds",
            r"UNCOMPRESSED_CODE_SIZE_EXCEEDED",
            r"(?i)(?:artifact|output|bundle) .{0,60}exceeds the (?:max|limit)",
        ),
        phase="artifacts",
    ),
    Rule(
        cause="framework-mismatch",
        who=Who.OPERATOR,
        summary="The branch's framework does not fit the platform of the app",
        advice="Set the branch's framework to 'Next.js - SSR', or the app's platform to WEB.",
        part=Part.BUILDER,
        signatures=signatures(r"(?i)framework (?P<what>[^\n]{1,40}) (?:is )?not supported"),
        phase="artifacts",
    ),
    Rule(
        cause="framework-mismatch",
        who=Who.OPERATOR,
        summary="The deploy-manifest.json of the framework's adapter is invalid",
        advice="Update or correct the adapter that writes .amplify-hosting/deploy-manifest.json; the log names "
        "the fault.",
        part=Part.BUILDER,
        signatures=signatures(r"(?i)deploy-manifest\.json"),
        phase="artifacts",
    ),
    Rule(
        cause="timeout",
        who=Who.AUTHOR,
        summary="The build took longer than it may",
        advice=_TOO_SLOW,
        part=Part.BUILDER,
        signatures=signatures(r"(?i)build (?:has )?timed out", r"(?i)build timeout"),
    ),
    Rule(
        cause="out-of-memory-container",
        who=Who.AUTHOR,
        summary="The build container ran out of memory",
        advice=_OUT_OF_MEMORY,
        part=Part.BUILDER,
        signatures=signatures(r"(?i)build container ran out of memory"),
    ),
    Rule(
        cause="disk-full",
        who=Who.AUTHOR,
        summary="The disk of the build instance is full",
        advice="Shrink what cache.paths restores, or choose a build instance with a larger disk.",
        part=Part.BUILDER,
        signatures=signatures(r"ENOSPC", r"(?i)no space left on device"),
    ),
    Rule(
        cause="amplify-internal-error",
        who=Who.AMPLIFY,
        summary="Amplify itself failed",
        advice="Start the job again; if it fails again, look at AWS's health page and ask AWS's support.",
        part=Part.BUILDER,
        signatures=signatures(
            r"(?i)internal ?(?:server|service|failure)? ?error",
            r"InternalFailure",
            r"ServiceUnavailable",
            r"(?i)failed to deploy",
            r"(?i)too ?many ?requests|rate exceeded|ThrottlingException",
        ),
        retry_helps=True,
    ),
)

CLONE_RULES = (
    Rule(
        cause="network",
        who=Who.UPSTREAM,
        summary="The git host could not be reached, or ended the connection",
        advice="Start the job again; the git host's status page tells whether it has trouble.",
        part=Part.CLONE,
        signatures=signatures(
            r"requested URL returned error: (?:5\d\d|429)",
            r"(?i)could not resolve host",
            r"(?i)connection (?:timed out|reset|refused|closed by)",
            r"(?i)operation timed out",
            r"(?i)failed to connect to ",
            r"(?i)early EOF|RPC failed;|unexpected disconnect|remote end hung up unexpectedly",
            r"(?i)TLS connection was non-properly terminated|gnutls_handshake\(\) failed",
        ),
        unless=re.compile("(?i)access rights"),
        phase="clone",
        retry_helps=True,
    ),
    Rule(
        cause="clone-denied",
        who=Who.OPERATOR,
        summary="Amplify may not read the CodeCommit repository",
        advice="Give the app's service role codecommit:GitPull on the repository.",
        part=Part.CLONE,
        signatures=signatures(r"git-codecommit\.[\w-]{1,40}\.amazonaws\.com.{0,300}returned error: 40[134]"),
        phase="clone",
    ),
    Rule(
        cause="branch-not-found",
        who=Who.OPERATOR,
        summary="The repository has no such branch or commit",
        advice="Check that the branch still exists at the git host, and that the commit was not replaced by a "
        "forced push.",
        part=Part.CLONE,
        signatures=signatures(
            r"(?i)remote branch (?P<what>\S{1,200}) not found",
            r"(?i)couldn't find remote ref (?P<what>\S{1,200})",
            r"(?i)reference is not a tree",
            r"(?i)unable to (?:find|read tree)|did not contain (?P<what>[0-9a-f]{7,64})",
            r"(?i)not our ref",
        ),
        phase="clone",
    ),
    Rule(
        cause="clone-denied",
        who=Who.OPERATOR,
        summary="The git host refused Amplify the repository",
        advice="Reconnect the repository in Amplify's console (App settings); of a submodule, give Amplify "
        "access to it or "
        "use its https address. The deploy key or the app's authorization may have been removed.",
        part=Part.CLONE,
        signatures=signatures(
            r"requested URL returned error: 40[134]",
            r"Permission denied \((?:publickey|password)",
            r"(?i)host key verification failed",
            r"(?i)authentication failed",
            r"(?i)could not read (?:username|password)",
            r"(?i)repository .{0,200}not found",
            r"(?i)could not read from remote repository",
            r"(?i)user error code: 128",
        ),
        phase="clone",
    ),
    Rule(
        cause="git-lfs",
        who=Who.OPERATOR,
        summary="Git LFS could not fetch a file of the repository",
        advice="Check the LFS quota at the git host, and that the files were pushed; the log names the file.",
        part=Part.CLONE,
        signatures=signatures(r"(?i)smudge filter lfs failed", r"(?i)error downloading object", r"(?i)LFS.{0,80}quota"),
        phase="clone",
    ),
)
# The builder's own words are all that is left where git printed nothing that tells more.
CLONE_REFUSED = Rule(
    cause="clone-denied",
    who=Who.OPERATOR,
    summary="Amplify can't clone the repository",
    advice="Reconnect the repository in Amplify's console, or give the app's service role codecommit:GitPull "
    "on it; the "
    "deploy key may have been removed.",
    part=Part.BUILDER,
    signatures=signatures(r"(?i)unable to clone (?:the )?repository", r"(?i)user error code: 128"),
    phase="clone",
)
END_RULES = (
    Rule(
        cause="clone-denied",
        who=Who.OPERATOR,
        summary="The log ends where Amplify clones the repository",
        advice="Reconnect the repository in Amplify's console; the deploy key may have been removed.",
        part=Part.END,
        signatures=signatures(r"^Git SSH Key acquired"),
        phase="clone",
    ),
    Rule(
        cause="timeout",
        who=Who.AUTHOR,
        summary="The command waits for changes, so that it does not end",
        advice=_TOO_SLOW,
        part=Part.END,
        signatures=signatures(
            r"(?i)starting '[\w:-]{0,40}(?:watch|serve)[\w:-]{0,40}'",
            r"(?i)watching for (?:file )?changes",
            r"(?i)waiting for (?:file )?changes",
            r"(?i)watching (?:\S{1,80} )?for (?:file )?(?:changes|updates)",
            r"(?i)watch usage",
            r"(?i)^(?:\W{0,6} ?)?(?:local|network): {1,12}https?://",
            r"(?i)(?:server|app|listening|running|started|ready) .{0,60}(?:on|at) "
            r".{0,20}(?:localhost|127\.0\.0\.1|0\.0\.0\.0)[:/]",
        ),
    ),
)
TIMEOUT = Rule(
    cause="timeout",
    who=Who.AUTHOR,
    summary="The log ends when the build had run for as long as it may",
    advice=_TOO_SLOW,
    part=Part.END,
)
