"""Logs of builds that fail, and the words of the tools that tell the causes."""

from __future__ import annotations

from collections.abc import Sequence

COMMIT = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567"
HEAD = (
    ("INFO", "# Build environment configured with Standard build compute type: 8GiB Memory, 4vCPUs, 128GB Disk Space"),
    ("INFO", "# Cloning repository: git@git.example.com:acme/shop.git"),
    ("INFO", f"# Switching to commit: {COMMIT}"),
    ("INFO", "HEAD is now at 0a1b2c3 Fix JavaScript heap out of memory and npm error code E401"),
    ("INFO", "# Retrieving environment cache..."),
    ("INFO", "## Starting Frontend Build"),
    ("INFO", "# Starting phase: build"),
    ("INFO", "# Executing command: npm run all"),
)


def stamped(records: Sequence[tuple[str, str]]) -> str:
    """Records in Amplify's form: a time before the first line of each, its other lines indented."""
    lines = []
    for number, (level, text) in enumerate(records):
        moment = f"2026-05-0{1 + number // 3600 % 9}T10:{number // 60 % 60:02}:{number % 60:02}.{number % 1000:03}Z"
        indent = "\n" + " " * len(f"{moment} [{level}]: ")
        lines.append(f"{moment} [{level}]: {text.replace(chr(10), indent)}")
    return "\n".join(lines) + "\n"


def failed(output: Sequence[str], exit_code: int = 1, level: str = "WARNING") -> str:
    """The log of a command that printed `output` and failed."""
    return stamped(
        [
            *HEAD,
            ("INFO", "> shop@2.0.0 all"),
            *((level, line) for line in output),
            ("ERROR", "!!! Build failed"),
            ("INFO", "Please read more about Amplify Hosting support for SSR frameworks."),
            ("ERROR", f"!!! Error: Command failed with exit code {exit_code}"),
            ("INFO", "# Starting environment caching..."),
        ]
    )


def refused(error: str) -> str:
    """The log of a build whose output the builder does not take."""
    return stamped([*HEAD, ("INFO", "done"), ("INFO", "# Completed phase: build"), ("ERROR", f"!!! {error}")])


def not_cloned(*output: str) -> str:
    return stamped([*HEAD[:2], *(("INFO", line) for line in output), ("ERROR", "!!! Unable to clone repository.")])


# Cause, what the command prints, and its exit code.
PRINTED: tuple[tuple[str, Sequence[str], int], ...] = (
    ("disk-full", ["npm error nospc ENOSPC: no space left on device, write"], 228),
    ("disk-full", ["OSError: [Errno 28] No space left on device"], 1),
    (
        "node-heap-out-of-memory",
        ["FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory"],
        134,
    ),
    (
        "node-heap-out-of-memory",
        ["Error [ERR_WORKER_OUT_OF_MEMORY]: Worker terminated due to reaching memory limit"],
        1,
    ),
    (
        "out-of-memory-container",
        ["/codebuild/output/src1/src/shop/amplify.sh: line 14:  2208 Killed    npm run b"],
        137,
    ),
    ("out-of-memory-container", ["1320 Killed                  npm run build:ssr"], 137),
    ("out-of-memory-container", ["Next.js build worker exited with code: null and signal: SIGKILL"], 1),
    ("out-of-memory-container", ["error Command failed with exit code 137."], 1),
    ("out-of-memory-container", ["fatal error: runtime: out of memory"], 2),
    ("out-of-memory-container", ["still bundling"], 137),
    ("build-image-too-old", ["node: /lib64/libstdc++.so.6: version `GLIBCXX_3.4.26' not found (required by node)"], 1),
    ("openssl-unsupported", ["  code: 'ERR_OSSL_EVP_UNSUPPORTED'"], 1),
    ("openssl-unsupported", ["Error: error:0308010C:digital envelope routines::unsupported"], 1),
    (
        "lockfile-out-of-sync",
        [
            "npm error code EUSAGE",
            "npm error The `npm ci` command can only install with an existing package-lock.json or",
        ],
        1,
    ),
    ("lockfile-out-of-sync", ["npm ERR! Missing: left-pad@1.3.0 from lock file"], 1),
    (
        "lockfile-out-of-sync",
        ["error Your lockfile needs to be updated, but yarn was run with `--frozen-lockfile`."],
        1,
    ),
    ("lockfile-out-of-sync", ["➤ YN0028: │ The lockfile would have been modified by this install, which is"], 1),
    ("lockfile-out-of-sync", [' ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with "frozen-lockfile" because pnpm-lo'], 1),
    ("lockfile-out-of-sync", ["error: lockfile had changes, but lockfile is frozen"], 1),
    ("peer-dependency-conflict", ["npm error code ERESOLVE", "npm error ERESOLVE could not resolve"], 1),
    ("peer-dependency-conflict", [" ERR_PNPM_PEER_DEP_ISSUES  Unmet peer dependencies"], 1),
    ("dependency-conflict", ["ERROR: ResolutionImpossible: for help visit the documentation"], 1),
    ("dependency-conflict", ['Bundler could not find compatible versions for gem "rack":'], 6),
    (
        "node-version",
        ['error glob@11.0.2: The engine "node" is incompatible with this module. Expected version "20". Got "18.20.8"'],
        1,
    ),
    ("node-version", ["npm error code EBADENGINE", "npm error engine Unsupported engine"], 1),
    ("node-version", [" ERR_PNPM_UNSUPPORTED_ENGINE  Unsupported environment (bad pnpm and/or Node.js version)"], 1),
    ("node-version", ['You are using Node.js 18.20.8. For Next.js, Node.js version ">=20.9.0" is required.'], 1),
    (
        "node-version",
        ["Node.js version v18.19.0 detected.", "The Angular CLI requires a minimum Node.js version of"],
        3,
    ),
    ("node-version", ['N/A: version "v99" is not yet installed.'], 3),
    ("node-version", ["TypeError: crypto.hash is not a function"], 1),
    ("node-version", ['error This project\'s package.json defines "packageManager": "yarn@4.1.0". However'], 1),
    ("corepack-outdated", ["Error: Cannot find matching keyid: {}", "    at verifySignature (corepack.cjs:1:4)"], 1),
    ("runtime-version", ["Your Ruby version is 2.7.8, but your Gemfile specified 3.2.2"], 18),
    ("runtime-version", ["ERROR: Package 'shop' requires a different Python: 3.8.1 not in '>=3.11'"], 1),
    ("private-git-dependency", ["npm error code 128", "npm error Host key verification failed."], 128),
    ("private-git-dependency", ["fatal: could not read Username for 'https://git.example.com': No such device"], 128),
    ("registry-unauthorized", ["npm error code E401", "npm error 401 Unauthorized - GET https://r.example.com/x"], 1),
    ("registry-unauthorized", ["npm ERR! code E403"], 1),
    (
        "registry-unauthorized",
        ['error An unexpected error occurred: "https://r.example.com/x: Request failed "401 U'],
        1,
    ),
    ("registry-unauthorized", ["➤ YN0041: │ @acme/ui@npm:1.0.0: Invalid authentication (as an anonymous user)"], 1),
    ("registry-unauthorized", [" ERR_PNPM_FETCH_403  GET https://r.example.com/x: Forbidden - 403"], 1),
    ("environment-variable-missing", ["Error: Failed to replace env in config: ${NPM_TOKEN}"], 1),
    ("package-not-found", ["npm error code E404", "npm error 404 Not Found - GET https://r.example.com/nonesuch"], 1),
    ("package-not-found", ["npm error code ETARGET", "npm error notarget No matching version found for a@9"], 1),
    ("package-not-found", ['error Couldn\'t find any versions for "left-pad" that matches "^9.0.0"'], 1),
    ("package-not-found", [" ERR_PNPM_NO_MATCHING_VERSION  No matching version found for left-pad@9"], 1),
    ("package-not-found", ["ERROR: No matching distribution found for nonesuch==1.0"], 1),
    ("package-not-found", ["Could not find gem 'nonesuch' in rubygems repository"], 7),
    ("integrity-mismatch", ["npm error code EINTEGRITY"], 1),
    ("integrity-mismatch", [" ERR_PNPM_TARBALL_INTEGRITY  Got unexpected checksum"], 1),
    (
        "platform-package-missing",
        [
            "npm http fetch GET https://r.example.com/fsevents 500 Internal Server Error (ECONNRESET) attempt 1",
            "npm error code EBADPLATFORM",
        ],
        1,
    ),
    ("platform-package-missing", ["Error: Cannot find module '@rollup/rollup-linux-x64-gnu'. npm has a bug"], 1),
    ("script-missing", ['npm error Missing script: "build:prod"'], 1),
    ("script-missing", ["npm ERR! missing script: build:"], 1),
    ("script-missing", ['error Command "build" not found.'], 1),
    ("script-missing", [" ERR_PNPM_NO_SCRIPT  Missing script: build"], 1),
    (
        "package-json-missing",
        ["npm error enoent Could not read package.json: Error: ENOENT: no such file or directory"],
        254,
    ),
    ("package-json-missing", [" ERR_PNPM_NO_PKG_MANIFEST  No package.json found in /codebuild/output"], 1),
    ("package-json-invalid", ["npm error code EJSONPARSE"], 1),
    ("cdk-not-bootstrapped", ["BootstrapDetectionError: Unable to detect CDK bootstrap stack"], 1),
    (
        "cdk-not-bootstrapped",
        ["AccessDeniedException: not authorized to perform: ssm:GetParameter on /cdk-bootstrap/hnb659fds/version"],
        1,
    ),
    ("backend-parameters-missing", ["auth headless is missing the following inputParameters amazonAppId"], 1),
    ("backend-secret-missing", ["The secret 'stripeKey' specified in the backend does not exist."], 1),
    (
        "access-denied",
        ["User: arn:aws:sts::123456789012:assumed-role/x/y is not authorized to perform: s3:PutObject on resource: *"],
        1,
    ),
    ("access-denied", ["An error occurred (AccessDenied) when calling the PutObject operation: Access Denied"], 254),
    ("aws-throttled", ["ThrottlingException: Rate exceeded"], 1),
    (
        "backend-deployment-failed",
        ["amplify-shop | 10:01:02 | CREATE_FAILED | AWS::Cognito::UserPool | amplifyAuth"],
        1,
    ),
    ("warnings-as-errors", ["Treating warnings as errors because process.env.CI = true.", "Failed to compile."], 1),
    ("command-not-found", ["sh: 1: vite: not found"], 127),
    ("command-not-found", ["/codebuild/output/src1/src/shop/amplify.sh: line 10: gridsome: command not found"], 127),
    ("command-not-found", ["npm error could not determine executable to run"], 1),
    ("command-not-found", ["Error: spawn hugo ENOENT"], 1),
    ("command-not-found", ["nothing told"], 127),
    ("command-not-found", ["bash: line 1: pnpm: command not found"], 127),
    ("command-not-found", ["Error: spawn flutter ENOENT"], 1),
    ("workspace-missing", ["x No package found with name '@acme/web' in workspace"], 1),
    ("workspace-missing", ["Usage Error: Workspace 'web' not found. Did you mean any of the following:"], 1),
    ("workspace-missing", ['error Unknown workspace "web".'], 1),
    ("workspace-missing", ["npm error No workspaces found:", "npm error   --workspace=web"], 1),
    ("workspace-missing", ["NX   Cannot find project 'web'"], 1),
    ("package-manager-missing", ["  x Missing `packageManager` field in package.json"], 1),
    (
        "lockfile-out-of-sync",
        ["Internal Error: web@workspace:.: This package doesn't seem to be present in your lockfile; run"],
        1,
    ),
    ("node-version", ['error This project\'s package.json defines "packageManager": "yarn@4.5.1". However'], 1),
    (
        "module-not-found",
        ["ERROR  Nuxt Build Error: [vite:load-fallback] Could not load /src/useCart (imported by a.vue)"],
        1,
    ),
    ("compile-error", ["lib/main.dart:12:9: Error: The method 'foo' isn't defined for the class 'App'."], 1),
    ("compile-error", ["Error: Failed to compile application for the Web."], 1),
    ("compile-error", ["[InvalidContentEntryDataError] blog → hello data does not match collection schema."], 1),
    ("tests-failed", ["Cannot find module './price'", "Tests:       1 failed, 41 passed, 42 total"], 1),
    ("tests-failed", ["Test Files  1 failed | 3 passed (4)"], 1),
    ("tests-failed", ["======= 2 failed, 8 passed in 3.21s ======="], 1),
    ("tests-failed", ["  3 failing"], 3),
    ("lint-error", ["✖ 3 problems (2 errors, 1 warning)"], 1),
    ("lint-error", ["Failed to compile.", "./src/app.tsx", "12:7  Error: 'x' is assigned a value but never used."], 1),
    ("module-not-found", ["Module not found: Can't resolve '../amplify_outputs.json'"], 1),
    ("module-not-found", ["Module not found: Error: Can't resolve './Header' in '/codebuild/output/src'"], 1),
    ("module-not-found", ['[vite]: Rollup failed to resolve import "lodash" from "src/main.ts".'], 1),
    ("module-not-found", ["src/a.ts(1,20): error TS2307: Cannot find module './b' or its corresponding type"], 2),
    ("module-not-found", ["ModuleNotFoundError: No module named 'requests'"], 1),
    ("module-not-found", ["/usr/lib/ruby/require.rb:54: cannot load such file -- jekyll (LoadError)"], 1),
    ("environment-variable-missing", ["❌ Invalid environment variables: { DATABASE_URL: [ 'Required' ] }"], 1),
    ("environment-variable-missing", ["Error: Environment variable not found: DATABASE_URL."], 1),
    ("environment-variable-missing", ["Error: STRIPE_API_KEY is not set"], 1),
    ("network", ["Error: Failed to fetch `Inter` from Google Fonts."], 1),
    ("environment-variable-missing", ["amplify.sh: line 20: API_KEY: parameter not set"], 1),
    ("backend-deployment-failed", ["An error occurred during the push operation: x"], 1),
    ("package-not-found", ["Could not find rake-13.0.6 in any of the sources"], 7),
    ("compile-error", ["ERROR  Failed to compile with 1 error"], 1),
    (
        "compile-error",
        [
            "WARNING in ./node_modules/x.js",
            "Module not found: Error: Can't resolve 'encoding'",
            "ERROR in ./src/a.ts:3",
        ],
        1,
    ),
    ("network", ["npm error fatal: unable to access 'https://git.example.com/a/': Could not resolve host"], 128),
    ("unknown", ["Error: connect ECONNREFUSED 127.0.0.1:5432"], 1),
    ("prerender-error", ['Error occurred prerendering page "/blog". Read more', "TypeError: x is undefined"], 1),
    ("bundle-too-large", ["Error: bundle initial exceeded maximum budget. Budget 1.00 MB was not met by 24 kB"], 1),
    ("compile-error", ["src/a.ts(4,2): error TS2322: Type 'string' is not assignable to type 'number'."], 2),
    ("compile-error", ["Failed to compile.", "./src/a.tsx:42:13", "Type error: Property 'x' does not exist"], 1),
    ("compile-error", ['✘ [ERROR] Expected ";" but found "x"'], 1),
    ("compile-error", ["error during build:", "RollupError: Expected ';'"], 1),
    ("compile-error", ["SyntaxError: Unexpected token '}'"], 1),
    ("native-module-build", ["gyp ERR! build error", "npm error code 1"], 1),
    ("native-module-build", ["ERROR: Failed building wheel for cryptography"], 1),
    ("command-not-found", ["sh: cross-env: command not found"], 1),
    ("not-executable", ["/codebuild/output/src1/src/shop/amplify.sh: line 9: ./build.sh: Permission denied"], 126),
    ("not-executable", ["nothing told"], 126),
    ("file-missing", ["/codebuild/output/src1/src/shop/amplify.sh: line 9: cd: web: No such file or directory"], 1),
    ("file-missing", ["cp: cannot stat 'dist': No such file or directory"], 1),
    ("network", ["npm error code ECONNRESET", "npm error network read ECONNRESET"], 1),
    ("network", ["npm ERR! code E503", "npm ERR! 503 Service Unavailable: left-pad@1"], 1),
    ("network", ["npm error errno EAI_AGAIN"], 1),
    ("network", ['error An unexpected error occurred: "https://r.example.com/x.tgz: ESOCKETTIMEDOUT".'], 1),
    ("network", ['error An unexpected error occurred: "https://r.example.com/x: Request failed \\"503 Service U'], 1),
    ("network", [" ERR_PNPM_META_FETCH_FAIL  GET https://r.example.com/x: request failed, reason: ENOTFOUND"], 1),
    ("network", ["ERROR: HTTPSConnectionPool(host='r.example.com', port=443): Max retries exceeded with url: /x"], 1),
    ("network", ["curl: (6) Could not resolve host: example.com"], 6),
    ("network", ["FetchError: request to https://cms.example.com/ failed, reason: connect ETIMEDOUT 192.0.2.1:443"], 1),
)
REFUSED: tuple[tuple[str, str, str | None], ...] = (
    ("iam-role", "Unable to assume specified IAM Role. Please ensure the selected IAM Role has sufficient", "build"),
    ("build-spec-invalid", "CustomerError: Unable to parse build spec: bad indentation (4:3)", "build spec"),
    ("build-spec-invalid", "CustomerError: The commands provided in the buildspec are malformed.", "build spec"),
    ("build-spec-invalid", 'CustomerError: Monorepo spec provided without "applications" key', "build spec"),
    ("build-spec-invalid", "CustomerError: Cannot read 'next' version in package.json.", "build spec"),
    ("build-spec-invalid", "CustomerError: artifacts key was not provided", "build spec"),
    ("artifact-directory", "CustomerError: Artifact directory doesn't exist: apps/web/out", "artifacts"),
    ("artifact-directory", "CustomerError: Artifacts base directory not found in build output, please", "artifacts"),
    ("next-output-mismatch", "CustomerError: Can't find required-server-files.json in build output di", "artifacts"),
    ("output-too-large", "CustomerError: The size of the build output (245366784) exceeds the max allo", "artifacts"),
    ("framework-mismatch", "CustomerError: Framework Web not supported", "artifacts"),
    ("framework-mismatch", "CustomerError: We failed to validate the deploy-manifest.json file found", "artifacts"),
    ("timeout", "Error: Build timed out", "build"),
    ("out-of-memory-container", "Error: Build container ran out of memory", "build"),
    ("disk-full", "Error: ENOSPC: no space left on device", "build"),
    ("amplify-internal-error", "InternalError: Internal error", "build"),
)
NOT_CLONED: tuple[tuple[str, str], ...] = (
    ("network", "fatal: unable to access 'https://git.example.com/a/b/': The requested URL returned error: 502"),
    ("network", "ssh: Could not resolve hostname git.example.com: Name or service not known\nfatal: early EOF"),
    (
        "clone-denied",
        "fatal: unable to access 'https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/a/': The reques"
        "ted URL returned error: 403",
    ),
    ("clone-denied", "git@git.example.com: Permission denied (publickey)."),
    ("clone-denied", "remote: Repository not found."),
    ("clone-denied", ""),
    ("branch-not-found", "fatal: Remote branch feature/x not found in upstream origin"),
    ("git-lfs", "error: external filter: smudge filter lfs failed"),
)
