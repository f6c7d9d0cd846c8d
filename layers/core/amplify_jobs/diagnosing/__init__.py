"""Why a build failed: rules that judge the log of a job's step."""
