from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import trailguard
from trailguard.cloudformation.source.nodes import plain
from trailguard.cloudformation.source.reading import parse
from trailguard.errors import RuleError
from trailguard.rulebook.options import Requirement
from trailguard.rulebook.rule import read_rule
from trailguard.rulebook.shelf import Rulebook, builtin_folder, find, load, load_folder
from trailguard.settings.settings import Settings
from trailguard.settings.settings import load as load_settings
from trailguard.trails.facts.properties import Wanted

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEMA = json.loads((Path(trailguard.__file__).parent / "schemas" / "rule.schema.json").read_text(encoding="utf-8"))
SHIPPED = sorted(Path(builtin_folder()).glob("*/rule.yaml"))

RULE = """\
id: X1
name: own-rule
title: It is so
severity: low
subject: trail
require:
  - fact: properties.IsLogging
    must: {const: true}
    message: it is otherwise
why: because
remedy: do it
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes a rule into a folder of its own and gives the folder of all rules."""

    def writer(text: str = RULE, name: str = "X1-own-rule") -> Path:
        folder = tmp_path / "policies" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "rule.yaml").write_text(text, encoding="utf-8")
        return tmp_path / "policies"

    return writer


def own(folder: Path, **more: Any) -> Rulebook:
    return load(Settings(rule_dirs=(str(folder),), **more))


def refused(folder: Path, **more: Any) -> RuleError:
    with pytest.raises(RuleError) as caught:
        own(folder, **more)
    return caught.value


def changed(old: str, new: str) -> str:
    assert RULE.count(old) == 1
    return RULE.replace(old, new)


REFUSED = [
    ("key", changed("title:", "titel:"), (3, 1), 'there is no key "titel"; did you mean "title"?'),
    ("key of a fact", changed("    must", "    musst"), (8, 5), 'there is no key "musst"; did you mean "must"?'),
    ("missing key", changed("why: because\n", ""), (1, 1), "why is missing"),
    ("missing must", changed("    must: {const: true}\n", ""), (7, 5), "must is missing"),
    ("severity", changed("severity: low", "severity: lwo"), (4, 11), 'there is no severity "lwo"; did you mean "low"?'),
    (
        "severity far off",
        changed("severity: low", "severity: 9"),
        (4, 11),
        'there is no severity "9" (one of critical, high, medium, low, info)',
    ),
    (
        "subject",
        changed("subject: trail", "subject: trial"),
        (5, 10),
        'there is no subject "trial"; did you mean "trail"?',
    ),
    (
        "fact",
        changed("properties.IsLogging", "policy.write_grantd"),
        (7, 11),
        'there is no fact "policy.write_grantd"; did you mean "policy.write_granted"?',
    ),
    (
        "property without a name",
        changed("properties.IsLogging", "properties."),
        (7, 11),
        'there is no fact "properties."; did you mean "valid.properties"?',
    ),
    (
        "schema",
        changed("{const: true}", "{type: text}"),
        (8, 11),
        "must is not a JSON Schema: 'text' is not valid under any of the given schemas",
    ),
    (
        "schema of jsonschema",
        changed("{const: true}", "{pattern: 3}"),
        (8, 11),
        "must is not a JSON Schema: 3 is not of type 'string'",
    ),
    (
        "schema in not",
        changed("{const: true}", "{not: {minimum: many}}"),
        (8, 11),
        "must is not a JSON Schema: 'many' is not of type 'number'",
    ),
    (
        "schema of a size",
        changed("{const: true}", '{minItems: "1"}'),
        (8, 11),
        "must is not a JSON Schema: '1' is not of type 'integer'",
    ),
    ("schema that is text", changed("{const: true}", "true"), (8, 11), "must be a map"),
    ("no YAML", changed("why: because", "why: [because"), (11, 7), None),
    ("tabs", changed("    must", "\tmust"), (8, 1), None),
    ("duplicate key", RULE + "name: again\n", (12, 1), None),
    ("unknown tag", changed("low", "!Sevrity low"), (4, 11), None),
    ("list", "- 1\n", (1, 1), "must be a map"),
    ("empty", "", (1, 1), None),
    ("empty text", changed("why: because", 'why: " "'), (10, 6), "must be text"),
    ("text that is a list", changed("why: because", "why: [because]"), (10, 6), "must be text"),
    ("null", changed("why: because", "why:"), (10, 5), "must be text"),
    (
        "no fact",
        RULE.split("require", maxsplit=1)[0] + "require: []\nwhy: a\nremedy: b\n",
        (6, 10),
        "require must name at least one fact",
    ),
    ("a single fact", RULE.replace("  - fact", "    fact"), (7, 5), "must be a list of facts"),
    ("fact that is text", RULE + "when: [ordering]\n", (12, 8), "must be a map with fact and must"),
    ("when that is null", RULE + "when:\n", (12, 6), "must be a list of facts"),
    (
        "elsewhere",
        RULE + "elsewhere: fail\n",
        (12, 12),
        'there is no elsewhere "fail" (one of unknown, not_applicable)',
    ),
    ("option without default", RULE + "options: {a: {schema: {}, description: d}}\n", (12, 14), "default is missing"),
    ("controls", RULE + "controls: [cis]\n", (12, 11), "must be a map"),
    ("controls of one", RULE + "controls: {cis: A}\n", (12, 17), "must be a list"),
    (
        "unverified",
        RULE + "unverified: {cis: [A]}\n",
        (12, 14),
        'there is no key "cis" (one of source, date, controls)',
    ),
    (
        "unverified without a date",
        RULE + "unverified: {source: s, controls: {cis: [A]}}\n",
        (12, 13),
        "date is missing",
    ),
    (
        "unverified since",
        RULE + "unverified: {source: s, date: May, controls: {cis: [A]}}\n",
        (12, 31),
        "must be a date such as 2026-11-29",
    ),
    ("references", RULE + "references: https://example.org\n", (12, 13), "must be a list"),
    ("fix", RULE + "fix: yes please\n", (12, 6), "must be a map with set or attribute"),
    (
        "fix of something else",
        RULE + "fix: {sett: {IsLogging: true}}\n",
        (12, 7),
        'there is no key "sett"; did you mean "set"?',
    ),
    (
        "fix that changes nothing",
        RULE + "fix: {unsafe: never}\n",
        (12, 6),
        "must name what to change: set for properties, attribute for what stands beside",
    ),
    ("fix of no property", RULE + "fix: {set: {}}\n", (12, 12), "set must name at least one property"),
    ("fix of a list", RULE + "fix: {set: [IsLogging]}\n", (12, 12), "must be a map"),
    (
        "fix with null",
        RULE + "fix: {set: {IsLogging: }}\n",
        (12, 23),
        "IsLogging must get a value, and CloudFormation refuses null",
    ),
    (
        "fix of an attribute that there is not",
        RULE + "fix: {attribute: {DeletePolicy: Retain}}\n",
        (12, 19),
        'there is no attribute "DeletePolicy"; did you mean "DeletionPolicy"?',
    ),
    (
        "fix that leads nowhere",
        RULE + "fix: {set: {A..B: 1}}\n",
        (12, 13),
        '"A..B" is not a property, nor a way into one such as Outer.Inner',
    ),
    ("fix unsafe for no reason", RULE + "fix: {set: {A: 1}, unsafe: true}\n", (12, 28), "must be text"),
    ("options", RULE + "options: [days]\n", (12, 10), "must be a map"),
]


# What the published schema cannot say.
BEYOND_THE_SCHEMA: list[tuple[str, str, tuple[int, int], str]] = [
    (
        "misspelt keyword",
        RULE.replace("{const: true}", "{anyOf: [{type: string, minLenght: 1}]}"),
        (8, 11),
        'there is no keyword of JSON Schema "minLenght"; did you mean "minLength"?',
    ),
    (
        "option that is not declared",
        RULE.replace("{const: true}", "{const: {option: a}}")
        + "options: {b: {schema: {}, default: 1, description: d}}\n",
        (8, 28),
        'there is no option "a" (one of b)',
    ),
    (
        "control that is verified and is not",
        RULE + "controls: {a: [p, q]}\nunverified: {source: s, date: 2026-11-29, controls: {a: [r, q]}}\n",
        (13, 61),
        "q stands in controls, too",
    ),
    (
        "default of an option",
        RULE + "options: {a: {schema: {type: integer}, default: b, description: d}}\n",
        (12, 49),
        "default does not satisfy the option's schema, and must satisfy type: integer",
    ),
]


class TestRefusedRules:
    @pytest.mark.parametrize(
        ("text", "place", "message"),
        [item[1:] for item in (*REFUSED, *BEYOND_THE_SCHEMA)],
        ids=[item[0] for item in (*REFUSED, *BEYOND_THE_SCHEMA)],
    )
    def test_with_file_place_and_reason(
        self, write: Callable[..., Path], text: str, place: tuple[int, int], message: str | None
    ) -> None:
        folder = write(text)
        error = refused(folder)
        assert error.file == str(folder / "X1-own-rule" / "rule.yaml")
        assert ((error.line, error.column), error.message) == (place, error.message if message is None else message)
        assert str(error) == f"{error.file}:{error.line}:{error.column}: {error.message}"

    @pytest.mark.parametrize("text", [item[1] for item in REFUSED], ids=[item[0] for item in REFUSED])
    def test_the_published_schema_refuses_it_too(self, text: str) -> None:
        names_only = ("properties.IsLogging" in RULE and "policy.write_grantd" in text) or "fact: properties.\n" in text
        try:
            document = parse(text.encode())
        except Exception:
            return  # no document, so nothing that a schema could see
        if not document.problems and not names_only:
            assert not Draft202012Validator(SCHEMA).is_valid(plain(document.root))

    def test_an_id_that_is_taken(self, write: Callable[..., Path]) -> None:
        folder = write(changed("X1", "TG101"))
        error = refused(folder)
        taken = next(path.parent for path in SHIPPED if path.parent.name.startswith("TG101"))
        assert (error.file, error.line, error.column) == (str(folder / "X1-own-rule" / "rule.yaml"), 1, 5)
        assert error.message == f"the id TG101 is taken by {taken}"

    def test_a_name_that_is_taken(self, write: Callable[..., Path]) -> None:
        write()
        error = refused(write(changed("X1", "X2"), "X2-own-rule"))
        assert Path(error.file).parent.name == "X2-own-rule"
        assert (error.line, error.column) == (2, 7)
        assert error.message.startswith("the name own-rule is taken by ")

    def test_the_same_folder_twice(self, write: Callable[..., Path]) -> None:
        folder = str(write())
        with pytest.raises(RuleError, match="the id X1 is taken"):
            load(Settings(rule_dirs=(folder, folder)))

    def test_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        error = refused(tmp_path / "nowhere")
        assert (error.file, error.line) == (str(tmp_path / "nowhere"), 0)
        assert error.message == "cannot read the rules: No such file or directory"

    def test_a_folder_without_rules(self, tmp_path: Path) -> None:
        error = refused(tmp_path)
        assert (error.file, error.message) == (str(tmp_path), "holds neither rules nor profiles")

    def test_loading_runs_nothing(self, write: Callable[..., Path], tmp_path: Path) -> None:
        evil = f"!!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path [{tmp_path}/made]]"
        refused(write(changed("why: because", f"why: {evil}")))
        assert not (tmp_path / "made").exists()


class TestRules:
    def test_what_is_written_is_what_is_read(self, write: Callable[..., Path]) -> None:
        text = RULE + (
            'when:\n  - fact: bucket.named\n    must: {enum: [12, 1.5, -3, 012, 1_000, nan, "7", yes, true, ~]}\n'
            "controls: {cis: [3.1, '2']}\nreferences: [https://example.org]\nfix: {set: {IsLogging: true}}\n"
        )
        rule = read_rule(str(write(text) / "X1-own-rule"))
        assert (rule.id, rule.name, rule.title, rule.severity, rule.subject) == (
            "X1",
            "own-rule",
            "It is so",
            "low",
            "trail",
        )
        wanted = Wanted(boolean=True)
        assert rule.require[0] == Requirement("properties.IsLogging", {"const": True}, "it is otherwise", wanted)
        values = rule.when[0].must["enum"]
        assert values[:3] == [12, 1.5, -3]
        assert values[3:7] == ["012", "1_000", "nan", "7"], "only what JSON calls a number is one"
        assert values[8:] == [True, None]
        assert rule.controls == {"cis": ("3.1", "2")}
        assert rule.references == ("https://example.org",)
        assert rule.fix == {"set": {"IsLogging": True}}

    def test_any_resource_type_may_be_a_subject(self, write: Callable[..., Path]) -> None:
        text = changed("subject: trail", "subject: AWS::SNS::Topic").replace("IsLogging", "KmsMasterKeyId")
        assert own(write(text)).rules["X1"].subject == "AWS::SNS::Topic"

    def test_a_single_rule_s_folder_can_be_named(self, write: Callable[..., Path]) -> None:
        folder = write() / "X1-own-rule"
        assert [rule.id for rule in load_folder(str(folder))] == ["X1"]
        assert "X1" in own(folder).rules

    def test_examples_are_listed_in_order_without_hidden_files(self, write: Callable[..., Path]) -> None:
        folder = write() / "X1-own-rule"
        (folder / "pass").mkdir()
        for name in ("b.yaml", "a.json", ".swp"):
            (folder / "pass" / name).write_text("{}")
        rule = read_rule(str(folder))
        assert [Path(path).name for path in rule.examples("pass")] == ["a.json", "b.yaml"]
        assert rule.examples("fail") == []


class TestSelection:
    def ids(self, **more: Any) -> list[str]:
        return [rule.id for rule in load(Settings(**more)).selected]

    def test_the_default_profile_is_the_d_rows_that_exist(self) -> None:
        book = load(Settings())
        assert [rule.id for rule in book.selected] == list(book.profiles["default"])
        assert self.ids(profile="all") == sorted(book.rules)

    def test_a_framework_s_profile_is_the_rules_that_name_it(self, write: Callable[..., Path]) -> None:
        """One that names no rule about what the trail records implies nothing else."""
        folder = write(RULE + "controls: {own-framework: ['1.1']}\n")
        assert [rule.id for rule in own(folder, profile="own-framework").selected] == ["X1"]

    def test_controls_may_be_unverified(self, write: Callable[..., Path]) -> None:
        folder = write(
            RULE + "controls: {a: ['1', '2']}\n"
            "unverified: {source: somebody, date: 2026-11-29, controls: {a: ['3'], b: ['4']}}\n"
        )
        rule = own(folder, profile="b").rules["X1"]
        assert rule.controls == {"a": ("1", "2", "3"), "b": ("4",)}
        assert [*rule.info.relations()] == [("a", ("1", "2"), True), ("a", ("3",), False), ("b", ("4",), False)]
        assert rule.info.unverified == ("somebody", "2026-11-29", {"a": ("3",), "b": ("4",)})

    def test_an_own_profile_takes_ids_and_names(self, write: Callable[..., Path]) -> None:
        folder = write()
        (folder / "profiles.yaml").write_text("mine: [X1, multi-region, tg103]\n")
        assert [rule.id for rule in own(folder, profile="mine").selected] == ["TG101", "TG103", "X1"]

    @pytest.mark.parametrize(
        ("text", "place", "message"),
        [
            ("mine: [X1, TG110x]\n", (1, 12), 'there is no rule "TG110x"; did you mean "TG101"?'),
            ("mine:\n  - multi-regoin\n", (2, 5), 'there is no rule "multi-regoin"; did you mean "multi-region"?'),
            ("mine: X1\n", (1, 7), "must be a list"),
            ("mine: [[X1]]\n", (1, 8), "must be text"),
            ("- mine\n", (1, 1), "must be a map"),
        ],
    )
    def test_a_profile_that_cannot_be_used_is_refused(
        self, write: Callable[..., Path], text: str, place: tuple[int, int], message: str
    ) -> None:
        folder = write()
        (folder / "profiles.yaml").write_text(text)
        error = refused(folder)
        assert (error.file, (error.line, error.column)) == (str(folder / "profiles.yaml"), place)
        assert error.message.partition(";")[0] == message.partition(";")[0]

    def test_select_replaces_the_profile(self) -> None:
        assert self.ids(select=("TG103", "multi-region")) == ["TG101", "TG103"]
        assert self.ids(select=("tg205",)) == ["TG205"]

    def test_ignore_takes_away(self) -> None:
        usual = self.ids()
        assert self.ids(ignore=("tg101", "log-file-validation")) == [i for i in usual if i not in ("TG101", "TG103")]
        assert self.ids(select=("TG101",), ignore=("multi-region",)) == []

    @pytest.mark.parametrize("where", ["select", "ignore", "severities"])
    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("TG205x", 'there is no rule "TG205x"; did you mean "TG205"?'),
            ("multi-regon", 'there is no rule "multi-regon"; did you mean "multi-region"?'),
        ],
    )
    def test_an_unknown_rule_is_answered_with_the_nearest(self, where: str, name: str, message: str) -> None:
        with pytest.raises(RuleError, match=re.escape(message)):
            load(Settings(**{where: {name: "low"} if where == "severities" else (name,)}))  # type: ignore[arg-type]

    def test_an_unknown_profile_is_answered_with_the_nearest(self) -> None:
        with pytest.raises(RuleError, match=re.escape('there is no profile "defualt"; did you mean "default"?')):
            load(Settings(profile="defualt"))
        with pytest.raises(RuleError, match="one of "):
            load(Settings(profile="zzz"))

    @pytest.mark.parametrize("name", ["TG101", "tg101", "multi-region"])
    def test_severities_can_be_set(self, name: str) -> None:
        book = load(Settings(severities={name: "info"}))
        assert book.rules["TG101"].severity == "info"
        assert next(rule for rule in book.selected if rule.id == "TG101").severity == "info"
        assert book.rules["TG103"].severity == load(Settings()).rules["TG103"].severity

    def test_find(self) -> None:
        book = load(Settings())
        assert find(book, "multi-region") is find(book, "tg101") is book.rules["TG101"]
        with pytest.raises(RuleError, match='did you mean "multi-region"'):
            find(book, "multi-regio")


class TestSchema:
    def test_it_is_a_schema(self) -> None:
        Draft202012Validator.check_schema(SCHEMA)

    @pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.parent.name)
    def test_every_shipped_rule_satisfies_it(self, path: Path) -> None:
        errors = Draft202012Validator(SCHEMA).iter_errors(plain(parse(path.read_bytes()).root))
        assert [(list(error.path), error.message) for error in errors] == []

    TEXT = st.sampled_from(("trail", "low", "TG1", "a b", " ", "AWS::SNS::Topic", ""))
    ODD = st.one_of(TEXT, st.none(), st.booleans(), st.integers(0, 9), st.just([]), st.just({}), st.just(["a"]))
    MUST = st.one_of(
        st.sampled_from(
            ({"const": True}, {}, {"type": "text"}, {"pattern": 1}, {"enum": 3}, {"not": {"type": "null"}})
        ),
        ODD,
    )
    FACT = st.fixed_dictionaries({"fact": st.just("properties.A"), "must": MUST}, optional={"message": TEXT})
    FACTS = st.one_of(st.lists(st.one_of(FACT, FACT, ODD), max_size=2), ODD)
    FIX = st.fixed_dictionaries(
        {},
        optional={
            "set": st.one_of(ODD, st.dictionaries(st.sampled_from(("A", "A.B", ".A", "A. ", "")), ODD, max_size=2)),
            "attribute": st.one_of(ODD, st.dictionaries(st.sampled_from(("DependsOn", "Type")), ODD, max_size=2)),
            "unsafe": ODD,
            "more": ODD,
        },
    )
    CHANGES = st.dictionaries(
        st.sampled_from(
            ("id", "title", "severity", "subject", "why", "controls", "references", "fix", "options", "other")
        ),
        st.one_of(ODD, st.just({"a": ["b"]}), st.just({"a": "b"}), FIX),
        max_size=2,
    )

    @given(changes=CHANGES, require=st.one_of(st.none(), FACTS), when=st.one_of(st.none(), FACTS))
    @hypothesis_settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_it_agrees_with_the_checks_by_hand(
        self, tmp_path: Path, changes: dict[str, Any], require: Any, when: Any
    ) -> None:
        rule: dict[str, Any] = {**plain(parse(RULE.encode()).root), **changes}
        rule.update({name: value for name, value in (("require", require), ("when", when)) if value is not None})
        path = tmp_path / "rule.yaml"
        path.write_text(json.dumps(rule), encoding="utf-8")
        try:
            read_rule(str(tmp_path))
        except RuleError as error:
            by_hand: str | None = error.message
        else:
            by_hand = None
        by_schema = [error.message for error in Draft202012Validator(SCHEMA).iter_errors(rule)]
        assert (by_hand is None) is (not by_schema), (by_hand, by_schema)


@pytest.mark.parametrize(
    ("options", "place", "message"),
    [
        ("X1: {days: 0}", (5, 16), "option days of X1 is 0, and must satisfy type: integer, minimum: 1"),
        ("X1: {day: 5}", (5, 15), 'there is no option of X1 "day"; did you mean "days"?'),
        ("multi-region: {days: 5}", (5, 26), "TG101 has no options"),
        ("X2: {days: 5}", (5, 5), 'there is no rule "X2"; did you mean "X1"?'),
    ],
)
def test_options_that_do_not_fit_are_refused_at_their_place(
    write: Callable[..., Path], tmp_path: Path, options: str, place: tuple[int, int], message: str
) -> None:
    folder = write(RULE + "options: {days: {schema: {type: integer, minimum: 1}, default: 30, description: days}}\n")
    name = folder.relative_to(tmp_path)
    (tmp_path / ".trailguard.yaml").write_text(f"rule_dirs: ['{name}']\n# mine\nrules:\n  options:\n    {options}\n")
    with pytest.raises(RuleError) as caught:
        load(load_settings(str(tmp_path), None))
    assert caught.value.file.endswith(".trailguard.yaml")
    assert ((caught.value.line, caught.value.column), caught.value.message) == (place, message)


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("rules: {severity: {TG999: high}}", (1, 20), 'there is no rule "TG999"'),
        ("rules: {select: [TG101, TG998]}", (1, 25), 'there is no rule "TG998"'),
        ("rules: {ignore: [TG101, TG998]}", (1, 25), 'there is no rule "TG998"'),
        ("\nprofile: defalt", (2, 10), 'there is no profile "defalt"; did you mean "default"?'),
    ],
)
def test_names_in_the_configuration_are_refused_at_their_place(
    tmp_path: Path, text: str, place: tuple[int, int], message: str
) -> None:
    (tmp_path / ".trailguard.yaml").write_text(text)
    with pytest.raises(RuleError) as caught:
        load(load_settings(str(tmp_path), None))
    assert caught.value.file.endswith(".trailguard.yaml")
    assert (caught.value.line, caught.value.column) == place
    assert caught.value.message.startswith(message)


def test_a_fix_gets_the_value_of_an_option(write: Callable[..., Path]) -> None:
    days = "options: {days: {schema: {type: integer}, default: 7, description: d}}\n"
    text = RULE + days + "fix: {set: {Days: {option: days}}, unsafe: it costs}\n"
    rule = read_rule(str(write(text) / "X1-own-rule"))
    assert rule.with_options({}).fix == {"set": {"Days": 7}, "unsafe": "it costs"}
    assert rule.with_options({"days": 30}).fix == {"set": {"Days": 30}, "unsafe": "it costs"}
    assert rule.with_options({"days": None}).fix == {}, "nothing to set"


def test_a_fix_asks_for_options_that_there_are(write: Callable[..., Path]) -> None:
    problem = refused(write(RULE + "fix: {set: {Days: {option: days}}}\n"))
    assert (problem.line, problem.column) == (12, 28)


@pytest.mark.parametrize("wide", [True, False, None])
def test_item_of_a_list_counts_where_its_option_is_true(write: Callable[..., Path], wide: bool | None) -> None:
    asked = "{enum: [a, {option: wide, item: b}]}"
    options = "options: {wide: {schema: {type: boolean}, default: false, description: whether b will do}}\n"
    rule = read_rule(str(write(RULE.replace("{const: true}", asked) + options) / "X1-own-rule"))
    ready = rule.with_options({} if wide is None else {"wide": wide})
    known = ("a", "b") if wide else ("a",)
    assert ready.require == (
        Requirement("properties.IsLogging", {"enum": list(known)}, "it is otherwise", Wanted(known)),
    )


def test_item_of_an_option_that_is_not_declared_is_refused(write: Callable[..., Path]) -> None:
    text = RULE.replace("{const: true}", "{enum: [{option: a, item: b}]}")
    with pytest.raises(RuleError, match='there is no option "a"'):
        load_folder(str(write(text + "options: {b: {schema: {}, default: 1, description: d}}\n")))


@pytest.mark.parametrize(
    ("docs_url", "shipped", "own_rule"),
    [
        ("", [], []),
        ("https://docs.example.com/t", ["https://docs.example.com/t/rules/TG101/"], []),
        ("https://docs.example.com/t/", ["https://docs.example.com/t/rules/TG101/"], []),
        ("https://docs.example.com/{id}.md", ["https://docs.example.com/TG101.md"], ["https://docs.example.com/X1.md"]),
    ],
)
def test_a_rule_refers_to_its_page_first(
    write: Callable[..., Path], docs_url: str, shipped: list[str], own_rule: list[str]
) -> None:
    plain, found = own(write()), own(write(), docs_url=docs_url)
    assert list(found.rules["TG101"].references) == [*shipped, *plain.rules["TG101"].references]
    assert list(found.rules["X1"].references) == own_rule
    assert found.rules["TG101"].info.references == found.rules["TG101"].references
