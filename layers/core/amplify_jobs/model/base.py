"""The base of every model that crosses a boundary: frozen, camelCase outside, no unknown members."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Model(BaseModel):
    """A frozen pydantic model whose members are snake_case in Python and camelCase in JSON."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid", defer_build=True
    )


class GrowingModel(Model):
    """A model of what other versions of us wrote: members that this version does not know are ignored."""

    model_config = ConfigDict(extra="ignore")
