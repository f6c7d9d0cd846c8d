"""Defaults, matrices and anchors of routes.yaml: they stand for routes written out, and their faults have one place."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from amplify_jobs.errors import InvalidRoutesError
from amplify_jobs.routing.routes import Routes
from amplify_jobs_cli.routes_file.expansion import expand
from amplify_jobs_cli.routes_file.load import read_routes

FILE = """\
sources:
  github: {provider: github, secrets: [/amplify-jobs/secrets/github]}
x-shared: &shared
  supersede: true
defaults:
  when: {push: {repository: acme/mono}}
  request: {operation: start_job, parameters: {jobType: RELEASE}}
  retry: 1
routes:
  app:
    <<: *shared
    matrix: &apps
      app:
        shop: {appId: d1shop, path: apps/shop, also: [packages/**, assets/**]}
        admin: {appId: d1admin, path: apps/admin, also: [packages/**]}
    when: {push: {branches: [main], paths: ["{matrix.app.path}/**", "{matrix.app.also}"]}}
    request: {parameters: {appId: "{matrix.app.appId}", branchName: main, jobReason: "{matrix.app} by {author}"}}
  tag:
    matrix: *apps
    when: {push: {tags: ["{matrix.app}-v*"]}}
    request: {parameters: {appId: "{matrix.app.appId}", branchName: production}}
"""


def read(text: str) -> Routes:
    return read_routes(text.encode(), "routes.yaml", "amplify-jobs")


def faults(text: str) -> list[str]:
    with pytest.raises(InvalidRoutesError) as invalid:
        read(text)
    # Without the columns, and the line of the file below.
    return [re.sub(r"^(routes.yaml:\d+):\d+", r"\1", fault.splitlines()[0]) for fault in invalid.value.faults]


def by_hand(name: str, app_id: str, path: str, *also: str) -> dict[str, Any]:
    parameters = {"appId": app_id, "branchName": "main", "jobType": "RELEASE", "jobReason": f"{name} by {{author}}"}
    return {
        "when": {"push": {"repository": "acme/mono", "branches": ["main"], "paths": [f"{path}/**", *also]}},
        "request": {"operation": "start_job", "parameters": parameters},
        "retry": 1,
        "supersede": True,
    }


def tag_by_hand(name: str, app_id: str) -> dict[str, Any]:
    parameters = {"appId": app_id, "branchName": "production", "jobType": "RELEASE"}
    return {
        "when": {"push": {"repository": "acme/mono", "tags": [f"{name}-v*"]}},
        "request": {"operation": "start_job", "parameters": parameters},
        "retry": 1,
    }


def test_the_routes_are_those_that_would_be_written_by_hand() -> None:
    members = {
        "sources": {"github": {"provider": "github", "secrets": ["/amplify-jobs/secrets/github"]}},
        "routes": {
            "app-shop": by_hand("shop", "d1shop", "apps/shop", "packages/**", "assets/**"),
            "app-admin": by_hand("admin", "d1admin", "apps/admin", "packages/**"),
            "tag-shop": tag_by_hand("shop", "d1shop"),
            "tag-admin": tag_by_hand("admin", "d1admin"),
        },
    }
    assert read(FILE) == Routes.model_validate(members)


def test_a_list_gives_each_of_its_texts_and_they_multiply() -> None:
    text = """\
defaults: {request: {operation: start_job, parameters: {jobType: RELEASE, appId: d1}}}
routes:
  web:
    matrix: {branch: [main, Release/1, 18], hour: {early: {at: 3}, late: {at: 21}}}
    when: {schedule: {expression: "cron(0 {matrix.hour.at} * * ? *)"}}
    request: {parameters: {branchName: "{matrix.branch}x"}}
    retry: "{matrix.hour.at}"
"""
    routes = read(text.replace("21", "5")).routes
    assert list(routes) == [
        f"web-{branch}-{hour}" for branch in ("main", "release-1", "18") for hour in ("early", "late")
    ]
    late = routes["web-release-1-late"]
    assert late.when.schedule is not None
    assert late.when.schedule.expression == "cron(0 5 * * ? *)"
    assert late.request.parameters["branchName"] == "Release/1x"
    assert late.retry == 5


# What is wrong, by what is put in whose place: each has one line, at the place to mend.
FAULTS = [
    ("appId: d1admin", "appId: admin", "15: routes.app.matrix.app.admin.appId: 'admin' has the wrong form"),
    ("path: apps/admin, ", "", "15: routes.app.matrix.app.admin: admin lacks path, which routes.app.when.push.paths.0"),
    (
        "{matrix.app.path}",
        "{matrix.app.pth}",
        "16: routes.app.when.push.paths.0: {matrix.app.pth} is no value of the matrix; use {matrix.app.path}",
    ),
    (
        "{matrix.app.path}",
        "{matrix.ap.path}",
        "16: routes.app.when.push.paths.0: {matrix.ap.path} is no value of the matrix; use {matrix.app.path}",
    ),
    (
        "{matrix.app.path}",
        "${{ matrix.app.path }}",
        "16: routes.app.when.push.paths.0: ${{ matrix.app.path }} is GitHub's way; write {matrix.app.path}",
    ),
    (
        'jobReason: "{matrix.app} by {author}"',
        "jobReason: {matrix.app}",
        "17: routes.app.request.parameters.jobReason: YAML reads {matrix.app} as a map; put it in quotes",
    ),
    (
        "{matrix.app.path}/**",
        "{matrix.app.also}/**",
        "16: routes.app.when.push.paths.0: {matrix.app.also} is no text in the route app-shop; it must stand alone",
    ),
    ("branches:", "brances:", "16: routes.app.when.push.brances: unknown member brances; use branches"),
    (
        "{matrix.app.path}/**",
        "{matrix.app.path}/[z-a]",
        "16: routes.app.when.push.paths.0: 'apps/shop/[z-a]' has a reversed",
    ),
    (
        "path: apps/admin",
        'path: "[z-a]"',
        "15: routes.app.matrix.app.admin.path: as when.push.paths.0 of the route app-admin: '[z-a]/**' has a reversed",
    ),
    (
        "{author}",
        "{autor}",
        "17: routes.app.request.parameters.jobReason: unknown value {autor} of a push; use {author}",
    ),
    ("  tag:\n", "  app-shop:\n", None),
    ("admin: {", "Shop: {", None),
    (
        "  tag:\n    matrix: *apps",
        "  app-shop:\n    matrix: {app: {'': {}}}",
        "19: routes.app-shop.matrix.app.: '' can't be part of a route's name",
    ),
    (
        "admin: {",
        f"{'a' * 37}: {{",
        f"15: routes.app.matrix.app.{'a' * 37}: makes the route app-{'a' * 37}, a name of 41 characters",
    ),
    ("matrix: *apps", "matirx: *apps", "19: routes.tag.matirx: unknown member matirx; use matrix"),
    ("retry: 1", "retry: 9", "8: defaults.retry: 9 is too high; use"),
    ("retry: 1", "retyr: 1", "8: defaults.retyr: unknown member retyr; use retry"),
    ("retry: 1", "matrix: {app: [a]}", "8: defaults.matrix: a matrix belongs to a route; for several with one matrix"),
    ("supersede: true", "supersede: 2", "4: x-shared.supersede: 2 is not true or false; use true or false"),
    ("<<: *shared", "<<: main", "11: routes.app.<<: << merges no map; use an anchor of one, like <<: *base"),
    (
        "  retry: 1",
        '  source: "{matrix.app}"\n  retry: 1',
        "15: routes.app.matrix.app.shop: there is no source 'shop'",
    ),
    (
        "{push: {repository: acme/mono}}",
        "{push: {repository: acme/mono}, release: {repository: acme/mono}}",
        "6: defaults.when.release: no route waits for release; leave it out",
    ),
    (
        "{push: {repository: acme/mono}}",
        "{push: {repository: acme/mono}, pul_request: {}}",
        "6: defaults.when.pul_request: unknown event pul_request; use pull_request",
    ),
    ("{push: {repository: acme/mono}}", "main", "6: defaults.when: must be a map; use an event"),
    ("when: {push: {tags:", "when: {release: {tags:", "20: routes.tag.when.release.repository: is missing; use"),
    ("      app:\n        shop", "      app-é:\n        shop", "13: routes.app.matrix.app-é: is not a usable name"),
    ("defaults:\n", "default:\n", "5: default: unknown member default; use defaults"),
]


@pytest.mark.parametrize(("good", "bad", "expected"), [fault for fault in FAULTS if fault[2]])
def test_a_fault_is_told_at_the_place_to_mend(good: str, bad: str, expected: str) -> None:
    assert good in FILE
    result = faults(FILE.replace(good, bad, 1))
    assert [fault for fault in result if fault.startswith(f"routes.yaml:{expected}")] != [], result


@pytest.mark.parametrize(
    ("good", "bad"),
    [(good, bad) for good, bad, _ in FAULTS if good in ("appId: d1admin", "branches:", "retry: 1", "supersede: true")],
)
def test_a_fault_of_many_routes_is_told_once(good: str, bad: str) -> None:
    assert len(faults(FILE.replace(good, bad, 1))) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            FILE.replace("  tag:\n    matrix: *apps", "  app-shop:\n    retry: 2"),
            ["14: routes.app.matrix.app.shop: makes the route app-shop, as routes.app-shop does; rename one of them"],
        ),
        (
            FILE.replace("admin: {", "Shop: {"),
            [
                f"15: routes.app.matrix.app.Shop: makes the route {name}-shop, as routes.{name}.matrix.app.shop does"
                for name in ("app", "tag")
            ],
        ),
        (
            "routes:\n  a:\n    matrix: {x: [1-2, 1], y: [3, 2-3]}\n    when: {request: {}}\n"
            "    request: {operation: start_job, parameters: {appId: d1, branchName: '{matrix.x}{matrix.y}', "
            "jobType: RELEASE}}\n",
            ["3: routes.a.matrix.y.1: makes the route a-1-2-3, as routes.a.matrix.y.0 does; rename one of them"],
        ),
    ],
)
def test_two_routes_of_one_name_are_a_fault(text: str, expected: list[str]) -> None:
    problems = [fault for fault in faults(text) if "makes the route" in fault]
    assert len(problems) == len(expected)
    for fault, target in zip(problems, expected, strict=True):
        assert fault.startswith(f"routes.yaml:{target}")


ROUTE = (
    "    when: {request: {}}\n    request: {operation: start_job, parameters: "
    "{appId: d1, branchName: '{matrix.a}', jobType: RELEASE}}\n"
)


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ("[a]", "must be a map with a member or more; use names with lists or maps"),
        ("", "must be a map with a member or more"),
        ("{a: []}", "must be a list of texts or a map"),
        ("{a: main}", "must be a list of texts or a map"),
        ("{a: [{name: shop}]}", "must be a text; for values with members use a map"),
        ("{a: {shop: d1shop}}", "must be a map of values; use members, like shop: {appId: d1a2b3c4d5e6}"),
        ("{include: [{a: 1}]}", "a matrix has no include here; write each combination as a member"),
        ("{a: [x, y], b: [1, 2]}", "its routes would all do the same; name {matrix.b}, or a member, in the route"),
        (f"{{a: {list(range(17))}, b: {list(range(16))}}}", "has 272 combinations; use at most 256"),
    ],
)
def test_what_is_no_matrix_is_told(matrix: str, expected: str) -> None:
    (fault,) = faults(f"routes:\n  web:\n    matrix: {matrix}\n{ROUTE}")
    assert fault.startswith("routes.yaml:3: routes.web.matrix")
    assert expected in fault


def test_a_value_of_a_matrix_may_name_values_of_the_event_and_is_not_filled_in_again() -> None:
    values = {"branch": "{branch}", "text": "{matrix.app}"}
    route = {"matrix": {"app": {"shop": values}}, "when": ["{matrix.app.branch}", "a {matrix.app.text}"]}
    assert expand({"routes": {"web": route}}).value == {
        "routes": {"web-shop": {"when": ["{branch}", "a {matrix.app}"]}}
    }


def test_a_graphql_schema_is_no_text_with_values_but_may_be_one() -> None:
    parameters = (
        "{appId: d1, environmentName: '{matrix.a}', codegenJobToCreate: "
        "{renderConfig: {react: {}}, graphqlSchema: 'type T @model {matrix.a}'}}"
    )
    route = f"    when: {{request: {{}}}}\n    request: {{operation: start_codegen_job, parameters: {parameters}}}\n"
    text = "routes:\n  web:\n    matrix: {a: {x: {schema: 'type S {id: ID}'}}}\n"
    schema = read(text + route).routes["web-x"].request.parameters["codegenJobToCreate"]["graphqlSchema"]
    assert schema == "type T @model {matrix.a}"
    whole = read(text + route.replace("type T @model {matrix.a}", "{matrix.a.schema}"))
    assert whole.routes["web-x"].request.parameters["codegenJobToCreate"]["graphqlSchema"] == "type S {id: ID}"


# ---------------------------------------------------------------- defaults


def test_a_route_says_more_than_the_defaults() -> None:
    text = """\
defaults:
  when:
    push: {repository: acme/mono, branches: [main], paths: [a/**]}
    pull_request: {repository: acme/mono}
  request: {operation: start_job, parameters: {appId: d1, branchName: main, jobType: RELEASE}}
  supersede: true
routes:
  plain: {when: {push: }}
  other: {when: {push: {branches: [dev], paths: null}}, request: {parameters: {branchName: dev}}, supersede: false}
  preview: {when: {pull_request: {targets: [main]}}, request: {parameters: {branchName: "{pullRequest.source}"}}}
  zip:
    when: {object: {bucket: builds}}
    request:
      operation: start_deployment
      parameters: {appId: d2, branchName: main, artifact: "s3://builds/{key}"}
"""
    routes = read(text).routes
    plain, other = routes["plain"].when.push, routes["other"].when.push
    assert plain is not None
    assert other is not None
    assert (plain.branches, plain.paths, other.branches, other.paths) == (("main",), ("a/**",), ("dev",), None)
    assert routes["other"].request.parameters == {"appId": "d1", "branchName": "dev", "jobType": "RELEASE"}
    assert (routes["plain"].supersede, routes["other"].supersede) == (True, False)
    assert routes["preview"].when.pull_request is not None
    assert "jobType" not in routes["zip"].request.parameters


# ---------------------------------------------------------------- anchors and merge keys

_MEMBERS = st.fixed_dictionaries(
    {},
    optional={
        "retry": st.integers(0, 5),
        "supersede": st.booleans(),
        "timeoutMinutes": st.integers(1, 99),
        "when": st.sampled_from(["x/y", "y/z"]).map(lambda name: {"push": {"repository": name}}),
    },
)


@given(first=_MEMBERS, second=_MEMBERS, own=_MEMBERS, several=st.booleans())
def test_merge_keys_do_what_yaml_libraries_do(
    first: dict[str, Any], second: dict[str, Any], own: dict[str, Any], several: bool
) -> None:
    request = {"operation": "start_job", "parameters": {"appId": "d1", "branchName": "main", "jobType": "RELEASE"}}
    base = {"when": {"push": {"repository": "acme/web"}}, "request": request}
    text = "\n".join(
        [
            f"x-base: &base {json.dumps(base)}",
            f"x-first: &first\n    <<: *base\n    enabled: false\n{_indented(first)}",
            f"x-second: &second {json.dumps(second)}",
            f"routes:\n  web:\n    <<: {'[*second, *first]' if several else '*first'}\n    retry: 5\n{_indented(own)}",
        ]
    )
    text = text.replace("    retry: 5\n", "" if "retry" in own else "    retry: 5\n")
    expected = {"routes": yaml.safe_load(text)["routes"]}
    assert read(text) == Routes.model_validate(expected)


def _indented(members: dict[str, Any]) -> str:
    return "".join(f"    {name}: {json.dumps(value)}\n" for name, value in members.items())


def test_aliases_within_aliases_do_not_run_away() -> None:
    levels = ["x-0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    levels += [f"x-{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    assert "too deep or too large" in faults("\n".join(levels))[0]


def test_a_merge_that_holds_itself_is_told() -> None:
    assert "refers to itself" in faults("routes: &a {<<: *a}")[0]


# ---------------------------------------------------------------- the property

_NAMES = st.text("abcxyz", min_size=1, max_size=5)
_WORDS = st.text("abc/- .", min_size=1, max_size=8)
_VALUES = _WORDS | st.integers(0, 99) | st.booleans() | st.lists(_WORDS, max_size=3)
_DIMENSIONS = st.dictionaries(
    st.sampled_from(["app", "branch", "stage"]),
    st.lists(_NAMES | st.integers(0, 9), min_size=1, max_size=3, unique_by=str)
    | st.dictionaries(
        _NAMES, st.fixed_dictionaries({"m": _VALUES, "n": st.dictionaries(_NAMES, _VALUES)}), min_size=1, max_size=3
    ),
    min_size=1,
    max_size=3,
)


@st.composite
def _templates(draw: st.DrawFn, matrix: dict[str, Any]) -> Any:
    """A structure whose texts name values of the matrix; every dimension is named."""
    alone = [f"{dimension}.{member}" for dimension, of in matrix.items() if isinstance(of, dict) for member in "mn"]
    text = st.sampled_from([*matrix]).map(lambda name: f"{{matrix.{name}}}")
    mixed = st.lists(text | _WORDS, min_size=1, max_size=4).map("".join)
    leaf = mixed | st.integers() | st.none() | st.sampled_from(alone or [*matrix]).map(lambda n: f"{{matrix.{n}}}")
    structure = st.recursive(
        leaf, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3), max_leaves=8
    )
    return {"all": "".join(f"{{matrix.{name}}}" for name in matrix), "some": draw(structure)}


def _written_out(template: Any, values: dict[str, Any]) -> Any:
    """The template by hand: each name is looked up in a flat table."""
    if isinstance(template, dict):
        return {name: _written_out(inner, values) for name, inner in template.items()}
    if isinstance(template, list):
        items: list[Any] = []
        for item in template:
            result = _written_out(item, values)
            items.extend(result if isinstance(item, str) and isinstance(result, list) else [result])
        return items
    if isinstance(template, str):
        if template in values:
            return values[template]
        return re.sub(r"\{matrix\.[^}]*\}", lambda value: str(values[value[0]]), template)
    return template


@given(_DIMENSIONS.flatmap(lambda matrix: st.tuples(st.just(matrix), _templates(matrix))))
def test_an_expansion_is_the_routes_written_out_by_hand(drawn: tuple[dict[str, Any], Any]) -> None:
    matrix, template = drawn
    members = {}
    for keys in itertools.product(*matrix.values()):
        values: dict[str, Any] = {}
        for (dimension, of), key in zip(matrix.items(), keys, strict=True):
            values[f"{{matrix.{dimension}}}"] = key
            if isinstance(of, dict):
                values |= {f"{{matrix.{dimension}.{member}}}": value for member, value in of[key].items()}
        members["-".join(("web", *map(str, keys)))] = _written_out(template, values)
    expansion = expand({"routes": {"web": {"matrix": matrix, **template}}})
    assert expansion.faults == []
    assert expansion.value == {"routes": members}


@given(
    st.recursive(
        st.none()
        | st.integers()
        | st.sampled_from(["{matrix.a}", "{matrix.a.b}x", "{matrix.}", "web", "{matrix.a.b.c}"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["defaults", "routes", "matrix", "when", "push", "a", "b"]), inner)
        ),
        max_leaves=30,
    )
)
def test_any_value_is_expanded_or_its_faults_have_places(value: Any) -> None:
    for result in (
        {"routes": value, "defaults": value},
        {"routes": {"web": value}},
        {"routes": {"a": {"matrix": value}}},
    ):
        expansion = expand(result)
        placed = expansion.placed([(("routes", "web", "when"), "is wrong"), (("routes",), "is wrong")])
        assert all(text for _, text in (*expansion.faults, *placed))
