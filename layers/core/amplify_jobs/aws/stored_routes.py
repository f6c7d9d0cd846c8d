"""The routes in the stack's bucket: one object, kept in the process; a stale copy serves when S3 does not answer.

Each source lies in SSM too, beside the secrets: so a delivery can be verified, and then kept, while S3 fails.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import datetime

from aws_lambda_powertools import Logger
from pydantic import ValidationError

from amplify_jobs.aws.signed_http import PATIENT_SECONDS, AwsHttp, AwsRefusalError, JsonOperation
from amplify_jobs.errors import NotSetUpError, ServiceTrouble, UnknownSourceError
from amplify_jobs.model.request import ROUTE_NAME_PATTERN
from amplify_jobs.model.validation import faults
from amplify_jobs.routing.routes import Routes, Source

logger = Logger(child=True)

# So soon a push of routes takes effect. S3 is only asked whether the object changed.
SECONDS_FRESH = 5.0
# So long a stale copy serves before S3 is tried again, since each try may take seconds.
SECONDS_STALE = 30.0

_GET_PARAMETER = JsonOperation("ssm", "AmazonSSM.GetParameter", "1.1", proof="Parameter", patience=PATIENT_SECONDS)


class StoredRoutes:
    """The routes that `amplify-jobs routes push` stored."""

    def __init__(self, aws: AwsHttp, bucket: str, key: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._aws = aws
        self._bucket = bucket
        self._key = key
        self._clock = clock
        self._routes: Routes | None = None
        self._etag: str | None = None
        self._next_read_at = 0.0

    def current(self, *, fresh: bool = False) -> Routes:
        """The routes as they were at most SECONDS_FRESH ago; with `fresh`, as they are now.

        Raises ServiceTrouble if there never was a usable copy, NotSetUpError if routes were never pushed.
        """
        if self._routes is not None and not fresh and self._clock() < self._next_read_at:
            return self._routes
        try:
            routes = self._read()
        except ServiceTrouble as trouble:
            if self._routes is None:
                raise
            logger.warning("The routes can't be read; the copy in memory is used", extra={"reason": str(trouble)})
            self._next_read_at = self._clock() + SECONDS_STALE
            return self._routes
        self._routes = routes
        self._next_read_at = self._clock() + SECONDS_FRESH
        return routes

    def pushed_at(self) -> datetime | None:
        """When they were pushed (S3's time of the object); None if S3 does not tell. Raises ServiceTrouble."""
        try:
            return self._aws.modified_at(self._bucket, self._key)
        except AwsRefusalError as refusal:
            raise ServiceTrouble(str(refusal)) from None

    def _read(self) -> Routes:
        try:
            stored = self._aws.get_object(self._bucket, self._key, self._etag if self._routes else None)
        except AwsRefusalError as refusal:
            if refusal.code == "HTTP 404":
                raise NotSetUpError(
                    f"s3://{self._bucket}/{self._key} does not exist; run `amplify-jobs routes push`"
                ) from None
            raise ServiceTrouble(str(refusal)) from None
        if stored is None and self._routes is not None:
            return self._routes
        content, etag = stored or (b"", "")
        try:
            routes = Routes.model_validate_json(content)
        except ValidationError as error:
            raise ServiceTrouble(f"s3://{self._bucket}/{self._key} is broken: {'; '.join(faults(error))}") from None
        self._etag = etag
        return routes


class StoredSources:
    """The copies of the sources that `amplify-jobs routes push` keeps in SSM, as `/<stack>/sources/<name>`."""

    def __init__(self, aws: AwsHttp, path: str) -> None:
        self._aws = aws
        self._path = path

    def source(self, name: str) -> Source:
        """Find a source without the routes.

        Raises UnknownSourceError for what can't be a name, and ServiceTrouble if there is no copy: the source may still
        be in the routes, which can't be read.
        """
        if not re.fullmatch(ROUTE_NAME_PATTERN, name):
            raise UnknownSourceError("a source's name has lower-case letters, digits and hyphens only")
        parameter = f"{self._path}/{name}"
        try:
            answer = self._aws.call(_GET_PARAMETER, {"Name": parameter})
            return Source.model_validate_json(answer["Parameter"]["Value"])
        except AwsRefusalError as refusal:
            raise ServiceTrouble(f"the routes can't be read, nor a copy of the source {name}: {refusal.code}") from None
        except (ValidationError, KeyError, TypeError):
            raise ServiceTrouble(f"SSM parameter {parameter} has no source") from None
